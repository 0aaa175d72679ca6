"""The tools of tools/*.tool.json: every call is checked against the tool's schema before it is made."""

import json
from pathlib import Path

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


class ToolError(Exception):
    """No such tool, or arguments that its schema does not allow."""


class Toolbox:
    def __init__(self, folder, functions):
        definitions = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.tool.json"))]
        self.definitions = {definition["name"]: definition for definition in definitions}
        missing = sorted(self.definitions.keys() - functions.keys())
        if missing:
            raise ToolError(f"no code behind the tool {', '.join(missing)}")
        self.functions = functions

    def call(self, name, **arguments):
        if name not in self.definitions:
            raise ToolError(f"there is no tool {name}; there are {', '.join(sorted(self.definitions))}")
        check(arguments, self.definitions[name]["inputSchema"], name)
        result = self.functions[name](**arguments)
        check(result, self.definitions[name]["outputSchema"], f"{name} result")
        return result


def check(value, schema, where):
    """Checks the part of JSON Schema that these definitions use."""
    expected = schema.get("type")
    if expected and (not isinstance(value, TYPES[expected]) or (expected != "boolean" and isinstance(value, bool))):
        raise ToolError(f"{where}: expected {expected}, got {type(value).__name__}")
    if isinstance(value, dict):
        check_object(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            check(item, schema["items"], f"{where}[{index}]")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        raise ToolError(f"{where}: must not be empty")
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise ToolError(f"{where}: {value} is out of range")


def check_object(value, schema, where):
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            raise ToolError(f"{where}: {name} is missing")
    for name, item in value.items():
        if name in properties:
            check(item, properties[name], f"{where}.{name}")
        elif schema.get("additionalProperties") is False:
            raise ToolError(f"{where}: {name} is not known")
