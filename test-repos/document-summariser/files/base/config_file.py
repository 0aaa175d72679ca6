"""Reads config.yaml: mappings by indentation, lists, and plain or quoted scalars. No anchors, no tags, no block text."""

import re

ENTRY = re.compile(r"^(?P<key>[A-Za-z_][\w-]*):(?:\s+(?P<value>.*))?$")


class ConfigError(Exception):
    """The file is not of the form above; the message names the line."""


def read_config(path):
    with open(path, encoding="utf-8") as file:
        return parse_config(file.read(), str(path))


def parse_config(text, name="config"):
    lines = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = without_comment(raw).rstrip()
        if line.strip():
            lines.append((number, len(line) - len(line.lstrip(" ")), line.strip()))
    value, rest = block(lines, 0, name)
    if rest:
        raise ConfigError(f"{name}:{rest[0][0]}: unexpected indentation")
    return value


def block(lines, indent, name):
    """The mapping or list that stands at `indent`, and the lines after it."""
    if lines and lines[0][2].startswith("- "):
        return list_block(lines, indent, name)
    result = {}
    while lines and lines[0][1] == indent:
        number, _, text = lines[0]
        entry = ENTRY.match(text)
        if not entry:
            raise ConfigError(f"{name}:{number}: expected `key: value`")
        if entry["key"] in result:
            raise ConfigError(f"{name}:{number}: {entry['key']} is given twice")
        lines = lines[1:]
        if entry["value"]:
            result[entry["key"]] = scalar(entry["value"])
        elif lines and lines[0][1] > indent:
            result[entry["key"]], lines = block(lines, lines[0][1], name)
        else:
            result[entry["key"]] = None
    return result, lines


def list_block(lines, indent, name):
    result = []
    while lines and lines[0][1] == indent and lines[0][2].startswith("- "):
        result.append(scalar(lines[0][2][2:].strip()))
        lines = lines[1:]
    return result, lines


def scalar(text):
    if text.startswith("[") and text.endswith("]"):
        return [scalar(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~"):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def without_comment(line):
    quote = None
    for index, character in enumerate(line):
        if quote:
            quote = None if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (index == 0 or line[index - 1] in " \t"):
            return line[:index]
    return line
