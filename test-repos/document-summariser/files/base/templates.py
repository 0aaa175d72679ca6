"""The templates in prompts/: plain text with {names} in it."""

import string
from pathlib import Path


class PromptError(Exception):
    """A template asks for something that the agent does not have."""


def render(folder, name, values):
    path = Path(folder) / f"{name}.md"
    template = path.read_text(encoding="utf-8")
    for _, field, _, _ in string.Formatter().parse(template):
        if field is not None and field not in values:
            known = ", ".join(f"{{{key}}}" for key in sorted(values))
            raise PromptError(f"prompts/{name}.md asks for {{{field}}}, but there is only {known}")
    return template.format(**values).strip()
