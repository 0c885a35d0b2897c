"""Completion: what a shell asks for at each Tab, answered from a table, so that no command has to be loaded for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Callable

#: Set by the script, with the shell and what it wants.
VARIABLE = "_SMSDECLARE_COMPLETE"
#: Every command with its options and arguments; made by docs/generate.py.
TABLE = Path(__file__).with_name("words.json")


def script(shell: str) -> str:
    """What a shell has to read once."""
    return f"{_answerer(shell, click.Group('smsdeclare')).source()}\n"


def answer(instruction: str) -> int:
    """Print what the shell of `bash_complete` and so on asked for; the exit code. Silent whatever is wrong."""
    shell, _, what = instruction.partition("_")
    try:
        if what == "complete":
            table = json.loads(TABLE.read_text("utf-8"))
            found = _answerer(shell, _command("smsdeclare", table)).complete()
            click.echo(found, nl=bool(found))
    except Exception:  # noqa: BLE001 - a traceback in the middle of a line that somebody types helps nobody
        return 1
    return 0


def _answerer(shell: str, command: click.Command) -> Any:
    kind: Any = get_completion_class(shell)
    return kind(command, {}, "smsdeclare", VARIABLE)


def _command(name: str, entry: dict[str, Any]) -> click.Command:
    """A command that knows its words and does nothing."""
    settings = {"help_option_names": ["-h", "--help"]}
    if "commands" in entry:
        below = {word: _command(word, one) for word, one in entry["commands"].items()}
        return click.Group(name, commands=below, help=entry["help"], context_settings=settings)
    parameters = [_parameter(one) for one in entry["parameters"]]
    return click.Command(name, params=parameters, help=entry["help"], context_settings=settings)


def _parameter(entry: dict[str, Any]) -> click.Parameter:
    kind: Any = _TYPES[entry["kind"]]() if entry["kind"] in _TYPES else click.STRING
    if entry["choices"]:
        kind = click.Choice(entry["choices"])
    settings: dict[str, Any] = {"type": kind, "shell_complete": _COMPLETES.get(entry["kind"])}
    if not entry["options"]:
        return click.Argument([entry["name"]], nargs=entry["nargs"], required=False, **settings)
    if entry["kind"] == "flag":
        settings = {"is_flag": True}
    return click.Option([*entry["options"], entry["name"]], multiple=entry["multiple"], help=entry["help"], **settings)


def _addresses(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The messages of the project that -C and -f name, as far as its files can be read."""
    from smsdeclare.project import message_names  # noqa: PLC0415 - only where an address may stand

    os.chdir(ctx.params.get("chdir") or ".")
    names = message_names(Path(), ctx.params.get("root_file"))
    return [CompletionItem(f"message.{name}") for name in names if f"message.{name}".startswith(incomplete)]


_TYPES: dict[str, Callable[[], click.ParamType[Any]]] = {
    "file": click.Path,
    "folder": lambda: click.Path(file_okay=False),
}
_COMPLETES = {"address": _addresses}
