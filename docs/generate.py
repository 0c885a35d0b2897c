# ruff: noqa: INP001 - a script beside pages, no package
"""Write the reference pages that are made from the code; with --check, say which of them are stale."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smsdeclare import codes, define
from smsdeclare.cli.main import group
from smsdeclare.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = Path(__file__).parent / "reference"
_MADE = "<!-- Made by docs/generate.py; edit the code and run it again. -->\n"
_WORDS = {
    "object": "mapping",
    "array": "list",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
}
_DEFINITIONS = """\
Every key that a project's files may hold, from `schemas/definitions.v1.schema.json`. `<name>` stands for a name of
your own. `receivers`, `options` and `messages` may stand in any file of the project, all other keys in the root
file only. A key marked *not built yet* is part of the language, but this version refuses it
([SMS112](errors.md#sms112)).

`smsdeclare schema` prints the schema itself, for editors that check while you type. The marks in the first column:
**!** required."""
_COMMANDS = """\
What `--help` prints for every command. Results go to standard output, everything else to standard error. What the
exit codes mean stands in [exit-codes.md](exit-codes.md), the fields of `--json` in [json.md](json.md)."""
_ERRORS = """\
Every code with its fixed summary, which you can search for, and what to do about it. An error stops the command; a
warning does not. Look a code up by its number."""


def pages() -> dict[str, str]:
    """The name of each generated page with its text."""
    return {"definitions.md": definitions(), "commands.md": commands(), "errors.md": errors()}


def definitions() -> str:
    """Every key of the language."""
    schema = load_schema("definitions.v1")
    lines = ["# Definitions: every key", _MADE, _DEFINITIONS]
    for name, node in schema["$defs"]["root"]["properties"].items():
        lines += [
            "",
            f"## {name}",
            "",
            "| | Key | Type | Default | Example | What it is |",
            "|---|---|---|---|---|---|",
        ]
        required = name in schema["$defs"]["root"]["required"]
        lines += [_row(schema, *found) for found in _keys(schema, (name,), node, required=required)]
    return "\n".join(lines) + "\n"


def _keys(
    schema: dict[str, Any], route: tuple[str, ...], node: dict[str, Any], *, required: bool
) -> Iterator[tuple[tuple[str, ...], dict[str, Any], bool]]:
    """The key itself, then those below it."""
    node = _resolved(schema, node)
    yield route, node, required
    item = _resolved(schema, node["items"]) if "items" in node else node
    for name, below in item.get("properties", {}).items():
        place = (*route, name) if item is node else (*route[:-1], f"{route[-1]}[]", name)
        yield from _keys(schema, place, below, required=name in item.get("required", ()))
    below = item.get("additionalProperties")
    if isinstance(below, dict):
        place = (*route, "<name>") if item is node else (*route[:-1], f"{route[-1]}[]", "<name>")
        yield from _keys(schema, place, below, required=False)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node with what its `$ref` names; what stands beside the `$ref` wins."""
    if "$ref" not in node:
        return node
    return {**_resolved(schema, schema["$defs"][node["$ref"].rpartition("/")[2]]), **node, "$ref": ""}


def _row(schema: dict[str, Any], route: tuple[str, ...], node: dict[str, Any], required: bool) -> str:  # noqa: FBT001
    kinds = node.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    kind = " or ".join(_WORDS[kind] for kind in kinds)
    if "array" in kinds and "items" in node:
        item = _resolved(schema, node["items"])["type"]
        kind += f" of {' or '.join(_WORDS[one] for one in (item if isinstance(item, list) else [item]))}"
    kind = ", ".join(_code(value) for value in node["enum"]) if "enum" in node else kind
    default = _code(node["default"]) if "default" in node else ""
    about = node["description"] + (" *Not built yet.*" if _is_refused(route) else "")
    example = _code(node["examples"][0]) if node.get("examples") else ""
    cells = ("**!**" if required else "", f"`{'.'.join(route)}`", kind, default, example, about)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _is_refused(route: tuple[str, ...]) -> bool:
    """Whether this version refuses the key, or one around it."""
    plain = tuple("*" if step == "<name>" else step for step in route)
    return any(plain[: len(refused)] == refused for refused in define._NOT_YET)  # noqa: SLF001 - the one list of them


def _code(value: Any) -> str:
    return f"`{value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False)}`"


def commands() -> str:
    """Every command's help."""
    lines = ["# Commands", _MADE, _COMMANDS]
    for path, command in _commands(("smsdeclare",), group):
        context = click.Context(command, info_name=" ".join(path), terminal_width=100, max_content_width=100)
        lines += ["", f"## {' '.join(path)}", "", "```text", command.get_help(context), "```"]
    return "\n".join(lines) + "\n"


def _commands(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _commands((*path, name), below)


def errors() -> str:
    """Every diagnostic code."""
    groups = dict(re.findall(r"SMS([0-9])xx ([^·\n]+)", codes.__doc__ or ""))
    lines = ["# Errors and warnings", _MADE, _ERRORS]
    last = ""
    for code in codes.all_codes():
        if code.id[3] != last:
            last = code.id[3]
            lines += ["", f"## SMS{last}xx: {groups[last].strip()}"]
        lines += ["", f'<a id="{code.id.lower()}"></a>**{code.id}** ({code.severity}) {code.summary}.', "", code.help]
    return "\n".join(lines) + "\n"


def stale() -> list[str]:
    """The names of the pages that are not what the code would make now."""
    return [name for name, text in pages().items() if not (PLACE / name).exists() or (PLACE / name).read_text() != text]


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    names = stale()
    for name in names:
        if not arguments:
            (PLACE / name).write_text(pages()[name], encoding="utf-8")
        sys.stderr.write(f"docs/reference/{name} {'is stale' if arguments else 'written'}\n")
    return 1 if names and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
