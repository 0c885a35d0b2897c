# ruff: noqa: INP001 - a script beside pages, no package
"""Write the reference pages that are made from the code; with --check, say which of them are stale."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import click

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import planted_bugs

from smsdeclare import codes
from smsdeclare.cli.completing import TABLE
from smsdeclare.cli.main import group
from smsdeclare.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = tuple[tuple[str, ...], dict[str, Any], bool]

PLACE = Path(__file__).parent / "reference"
_MADE = "\n<!-- Made by docs/generate.py. Change the code or the schema, then run that again. -->\n"
_WORDS = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}
_HEAD = "| | Key | Type | Default | Example | What it is |\n|---|---|---|---|---|---|"
_DEFINITIONS = """\
Every key that the files of a project may hold. `<name>` stands for a name of your own. `receivers`, `options` and
`messages` may stand in any file of the project, all other keys in the root file only. The first column marks what is
required (**!**) inside the mapping around it. This version refuses every `state.backend` but `file` and `postgresql`
([SMS112](errors.md#sms112)).

Examples are written as JSON, which is also YAML. `smsdeclare schema` prints the JSON schema for your editor."""
_COMMANDS = """\
What `--help` prints for every command, its examples last. They work as they stand in the project that
`smsdeclare init` writes; some look at a saved plan, or at what was applied. Results go to standard output, everything
else to standard error. See [exit-codes.md](exit-codes.md) for the exit codes and [json.md](json.md) for what `--json`
prints. On a terminal there are colors, and lines are wrapped to its width, or to `COLUMNS`; in what is piped there are
neither, and in CI nothing is wrapped."""
#: What a value is, by the word that stands for it in the help.
_STANDS_FOR = {"ADDRESS": "address", "DIR": "folder", "ROOT": "file", "PLANFILE": "file", "FILE": "file"}
_ERRORS = """\
Every code with its summary and what to do about it. The summary of a code never varies, so you can search for it. An
error stops the command; a warning does not."""
_BUGS = """\
A test that nothing turns red proves nothing. These are mistakes that programs like this one are known to make; each is
planted in a copy of the program, and of the tests named beside it every one must fail:

    python benchmarks/planted_bugs.py [--processes 2] [--only NAME]

The same tests are green without a bug; the command looks at that first. The tests in CI check that each bug can still
be planted in today's code, and run some of them."""


def pages() -> dict[str, str]:
    """The name of each generated page with its text."""
    return {
        "definitions.md": definitions(),
        "commands.md": commands(),
        "errors.md": errors(),
        "planted-bugs.md": "\n".join(["# Planted bugs", _MADE, _BUGS, "", *planted_bugs.table()]) + "\n",
    }


def definitions() -> str:
    """Every key of the language."""
    schema = load_schema("definitions.v1")
    root = schema["$defs"]["root"]
    lines = ["# Definitions", _MADE, _DEFINITIONS]
    for name, node in root["properties"].items():
        lines += ["", f"## {name}", "", _HEAD]
        lines += [_row(schema, *found) for found in _keys(schema, (name,), node, required=name in root["required"])]
    return "\n".join(lines) + "\n"


def _keys(schema: dict[str, Any], route: tuple[str, ...], node: dict[str, Any], *, required: bool) -> Iterator[Found]:
    """The key itself, then those below it."""
    node = _resolved(schema, node)
    yield route, node, required
    below = _resolved(schema, node["items"]) if "items" in node else node
    place = route if below is node else (*route[:-1], f"{route[-1]}[]")
    for name, child in below.get("properties", {}).items():
        yield from _keys(schema, (*place, name), child, required=name in below.get("required", ()))
    if isinstance(below.get("additionalProperties"), dict):
        yield from _keys(schema, (*place, "<name>"), below["additionalProperties"], required=False)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node with what its `$ref` names; what stands beside the `$ref` wins."""
    if "$ref" not in node:
        return node
    named = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return {**_resolved(schema, named), **{key: value for key, value in node.items() if key != "$ref"}}


def _row(schema: dict[str, Any], route: tuple[str, ...], node: dict[str, Any], required: bool) -> str:
    kind = _kind(node)
    if "items" in node:
        kind += f" of {_kind(_resolved(schema, node['items']))}"
    cells = (
        "**!**" if required else "",
        f"`{'.'.join(route)}`",
        ", ".join(map(_code, node["enum"])) if "enum" in node else kind,
        _code(node["default"]) if "default" in node else "",
        _code(node["examples"][0]) if "examples" in node else "",
        node["description"],
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _kind(node: dict[str, Any]) -> str:
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds)


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def commands() -> str:
    """Every command's help."""
    lines = ["# Commands", _MADE, _COMMANDS]
    root = click.Context(group, info_name="smsdeclare", terminal_width=100, **group.context_settings)
    for context in _contexts(root):
        shown, _, examples = context.get_help().partition("\n\nExamples:\n")
        lines += ["", f"## {context.command_path}", "", "```text", shown, "```"]
        lines += ["", "```sh", dedent(examples), "```"]
    return "\n".join(lines) + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    """The command of `context`, and those below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _contexts(click.Context(command, info_name=name, parent=context))


def words() -> str:
    """Every command with its options and arguments, for completion."""
    root = click.Context(group, info_name="smsdeclare", **group.context_settings)
    return json.dumps(_entry(group, root), indent=1, ensure_ascii=True) + "\n"


def _entry(command: click.Command, context: click.Context) -> dict[str, Any]:
    told = {"help": command.get_short_help_str(80)}
    if isinstance(command, click.Group):
        found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
        return {**told, "commands": {name: _entry(one, context) for name, one in found if one and not one.hidden}}
    parameters = [_parameter(one) for one in command.params if not getattr(one, "hidden", False)]
    return {**told, "parameters": parameters}


def _parameter(one: click.Parameter) -> dict[str, Any]:
    metavar = (one.metavar or "").strip("[].").rstrip("…")
    kind = "flag" if getattr(one, "is_flag", False) else _STANDS_FOR.get(metavar, "text")
    is_path = isinstance(one.type, click.Path) and kind == "text"
    is_option = isinstance(one, click.Option)
    return {
        "name": one.name,
        "options": [*one.opts, *one.secondary_opts] if is_option else [],
        "kind": "file" if is_path else kind,
        "choices": list(one.type.choices) if isinstance(one.type, click.Choice) else [],
        "multiple": is_option and one.multiple,
        "nargs": one.nargs,
        "help": (one.help or "") if is_option else "",
    }


def errors() -> str:
    """Every diagnostic code, under the headings that the module's docstring gives."""
    headings = dict(re.findall(r"SMS([0-9])xx ([^·\n]+)", codes.__doc__ or ""))
    lines = ["# Errors and warnings", _MADE, _ERRORS]
    last = ""
    for code in codes.all_codes():
        if code.id[3] != last:
            last = code.id[3]
            lines += ["", f"## SMS{last}xx: {headings[last].strip()}"]
        lines += ["", f'<a id="{code.id.lower()}"></a>', f"**{code.id}** {code.severity}: {code.summary}\\", code.help]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages that are stale, or with --check name them; the exit code."""
    check = "--check" in arguments
    texts = {PLACE / name: text for name, text in pages().items()} | {TABLE: words()}
    stale = [path for path in texts if not path.exists() or path.read_text("utf-8") != texts[path]]
    for path in stale:
        if not check:
            path.write_text(texts[path], "utf-8")
        shown = f"{'smsdeclare/cli' if path == TABLE else 'docs/reference'}/{path.name}"
        sys.stderr.write(f"{shown}: {'stale; run python docs/generate.py' if check else 'written'}\n")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
