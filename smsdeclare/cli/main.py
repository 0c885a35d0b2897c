"""The command line: finds the command, and turns every failure into a message and an exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import io
import itertools
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from smsdeclare import __version__, codes
from smsdeclare.cli.session import ExplainedGroup, Session, style_of
from smsdeclare.cli.signals import ending_alike
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Interrupted, SmsdeclareError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command → what it does. The module of the same name is imported only when it is asked for.
_COMMANDS = {
    "init": "Write a project that works at once with the sandbox.",
    "validate": "Check the files: schema and meaning, offline.",
    "fmt": "Lay out the YAML files in one way.",
    "preview": "Show each text as a phone would: encoding, parts, credits.",
    "plan": "Show the intended sends and what they cost.",
    "apply": "Send what the plan says, and nothing twice.",
    "show": "Show a saved plan.",
    "settle": "Ask the provider about POSTs that were never answered.",
    "resolve": "Say what became of unknown sends.",
    "refresh": "Settle, then read delivery receipts.",
    "status": "Show where the sends of each message stand.",
    "resend": "Let the next plan send something once more.",
    "stop": "The panic button: post nothing more.",
    "resume": "End a stop.",
    "state": "Look into the state, copy it, move it, erase in it.",
    "service": "Show the SMS accounts, their credits and senders.",
    "sandbox": "Run a local SMS API with an inbox for the browser.",
    "login": "Get credentials with the least rights.",
    "doctor": "Look at all that a run needs, and say what to do.",
    "completion": "Print the script that completes words in a shell.",
    "schema": "Print the JSON schema of the files.",
    "version": "Print the version.",
}


class _Commands(ExplainedGroup):
    """Imports a command's module when the command is used, so that `version` need not load the rest."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            import difflib  # noqa: PLC0415 - only for a name that nobody has

            near = difflib.get_close_matches(cmd_name, _COMMANDS, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"There are {', '.join(_COMMANDS)}."
            ctx.fail(f"No such command '{cmd_name}'. {hint}")
        command = importlib.import_module(f"smsdeclare.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples="""
        # Write a project
        smsdeclare init parcels
        cd parcels
        # See who would get what, and what it costs
        smsdeclare plan
        # Send it; a rerun sends nothing twice
        smsdeclare apply
        # Every command explains itself
        smsdeclare plan --help
    """,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Describe SMS in YAML, review the plan, apply it once."""


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one for each kind of ending
    """Run one command; the exit code. Prints every failure, as JSON where JSON was asked for."""
    try:
        code = _command_or_help(arguments)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        return _fail(
            [Diagnostic(code=codes.USAGE, detail=" ".join(error.format_message().split()), suggestion=_help(error))],
            arguments,
            1,
        )
    except (click.Abort, KeyboardInterrupt):
        return _fail([Diagnostic(code=codes.INTERRUPTED, detail="")], arguments, Interrupted.exit_code)
    except SmsdeclareError as error:
        return _fail(error.diagnostics, arguments, error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left; what was done is on record.
        _silence(sys.stdout)
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defense: a message instead of a traceback
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            # What click prints by itself, such as help.
            return _fail([Diagnostic(code=codes.OUTPUT_LOST, detail=error.strerror or "")], arguments, 1)
        if "-v" in arguments or "--verbose" in arguments:
            import traceback  # noqa: PLC0415 - only where something failed

            # Where, but not the error's own words: they may quote a key or a number.
            traceback.print_tb(error.__traceback__)
        return _fail([Diagnostic(code=codes.INTERNAL, detail=type(error).__name__)], arguments, 1)
    return code if isinstance(code, int) else 0


def _command_or_help(arguments: Sequence[str]) -> object:
    """What the command says of its end; where none is named, what there is."""
    try:
        return group.main(args=list(arguments), prog_name="smsdeclare", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as wanting:
        click.echo(wanting.format_message())
        return 0


def _help(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context and context.parent is None and isinstance(error, click.NoSuchOption):
        return "Options stand behind the command: smsdeclare plan -C DIR -f ROOT"
    return f"`{context.command_path} --help` shows what it takes." if context else codes.USAGE.help


def _fail(found: Sequence[Diagnostic], arguments: Sequence[str], code: int) -> int:
    from smsdeclare.formats import text  # noqa: PLC0415 - only where something failed

    numbers, plain = ("--show-numbers" in arguments, "--no-color" in arguments)
    style = style_of(sys.stderr, show_numbers=numbers, no_color=plain)
    # Behind half a document no second one may stand.
    if _wants_json(arguments) and codes.OUTPUT_LOST not in {one.code for one in found}:
        from smsdeclare.formats import json  # noqa: PLC0415 - as above

        with suppress(OSError):
            # Warnings beside errors are for people.
            click.echo(json.failure([one for one in found if one.is_error] or found, style), nl=False)
            return code
    source = Session.current.source if Session.current else _no_source
    with suppress(OSError):
        click.echo(text.report(found, style, source), err=True, nl=False)
    return code


def _no_source(file: str, line: int) -> None:  # noqa: ARG001 - stands for Session.source
    return None


def _wants_json(arguments: Sequence[str]) -> bool:
    if "--json" in arguments or "--format=json" in arguments:
        return True
    return ("--format", "json") in itertools.pairwise(arguments)


def main() -> NoReturn:
    """The console script."""
    # As it ends, Python looks for cycles in all there is, several times, to free what ends with the process anyway.
    atexit.register(gc.freeze)
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    for stream in streams:
        # A terminal whose letters are not Unicode shows the others as escapes.
        stream.reconfigure(errors="backslashreplace")
    if wanted := os.environ.get("_SMSDECLARE_COMPLETE"):
        from smsdeclare.cli.completing import answer  # noqa: PLC0415 - only where a shell asks

        sys.exit(answer(wanted))
    with ending_alike():
        code = run(sys.argv[1:])
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            # Python would try once more as it ends, and make an exit code of its own of that.
            _silence(stream)
            code = code or 1 if stream is sys.stdout else code
    sys.exit(code)


def _silence(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
