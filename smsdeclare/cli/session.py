"""What every command shares: its options, and where it prints."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TextIO, TypeVar

import click

from smsdeclare import codes
from smsdeclare.cli.environment import is_ci
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Declined, InputError
from smsdeclare.format import Format, Style
from smsdeclare.redaction import mask_passwords, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Command = TypeVar("Command", bound="Callable[..., Any]")


#: A terminal that says it has less is not wrapped to that. Columns.
_NARROWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The options that every command takes."""

    folder: Path
    #: The root file's name, or None for smsdeclare.yaml.
    root_file: str | None
    style: Style
    quiet: bool
    verbose: bool
    #: The one of the command at work, for what has to be reported after it has failed.
    current: ClassVar[Session | None] = None

    #: -C and -f as they were given, for commands that are suggested: ` -C shop`.
    place_options: str = ""
    #: The folder of the root file, as -C and -f name it where the command was typed.
    named_folder: Path = field(default_factory=Path)
    #: The style of what goes to standard error, which may be a terminal where standard output is none.
    error_style: Style = field(default_factory=Style)

    def out(self, text: str) -> None:
        """A result, to standard output; raises InputError where that can't be written."""
        try:
            click.echo(text, nl=False, color=self.style.color)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InputError(Diagnostic(code=codes.OUTPUT_LOST, detail=error.strerror or "")) from error

    def words(self, text: str) -> None:
        """A result in words, as wide as the terminal."""
        self.out(_fitted(text, self.style))

    def note(self, text: str) -> None:
        """Anything that is no result, to standard error; silent with --quiet."""
        if not self.quiet:
            _say(_fitted(visible(text), self.error_style))

    def show(self, text: str) -> None:
        """A text of a format, colors and all, to standard error; silent with --quiet."""
        if not self.quiet:
            _say(text, nl=False)

    def detail(self, text: str) -> None:
        """What only --verbose asks for, to standard error."""
        if self.verbose:
            _say(_fitted(visible(text), self.error_style))

    def source(self, file: str, line: int) -> str | None:
        """A line of a project's YAML file; rows of CSV files are receivers' own and stay hidden."""
        if not file.endswith((".yaml", ".yml")) and not self.style.show_numbers:
            return None
        lines = _lines(self.project_folder, file)
        return mask_passwords(lines[line - 1]) if 0 < line <= len(lines) else None

    @property
    def project_folder(self) -> Path:
        """The folder of the root file."""
        return (self.folder / (self.root_file or "smsdeclare.yaml")).parent.resolve()

    def report(self, found: Sequence[Diagnostic]) -> None:
        """Findings as text, to standard error."""
        if found:
            from smsdeclare.formats import text  # noqa: PLC0415 - only where something was found

            _say(text.report(found, self.error_style, self.source), nl=False)


def _fitted(text: str, style: Style) -> str:
    if style.columns is None:
        return text
    from smsdeclare.formats.wrapping import fit  # noqa: PLC0415 - only on a terminal

    return fit(text, style)


def _say(text: str, *, nl: bool = True) -> None:
    """To standard error, colors only if that is a terminal; nobody's work ends because nobody listens."""
    with suppress(OSError):
        click.echo(text, err=True, nl=nl)


class _Duration(click.ParamType[timedelta]):
    """`45m`: a figure, and s, m, h or d."""

    name = "duration"
    _UNITS: ClassVar = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The time that is meant."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is no time such as 90s, 45m, 2h or 1d", param, ctx)
        return timedelta(**{self._UNITS[found[2]]: int(found[1])})

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """How help names it."""
        del param, ctx
        return "TIME"


DURATION = _Duration()


class Explained(click.Command):
    """A command whose help ends with examples: lines to be typed as they stand, and what they are for above them."""

    def __init__(self, *arguments: Any, examples: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = inspect.cleandoc(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the examples, each line as it is."""
        with formatter.section("Examples"):
            for line in self.examples.splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class ExplainedGroup(Explained, click.Group):
    """A group of commands whose help ends with examples."""


def agree(question: str, *, auto_approve: bool) -> None:
    """Ask before what can't be undone; raises Declined where the answer is no, InputError without a terminal."""
    if auto_approve:
        return
    if not confirmed(question, unasked=Diagnostic(code=codes.UNASKED, detail=question)):
        raise Declined(Diagnostic(code=codes.UNCHANGED, detail=""))


def confirmed(question: str, *, unasked: Diagnostic) -> bool:
    """Whether the answer is yes; raises InputError with `unasked` without a terminal."""
    if not is_terminal(sys.stdin):
        raise InputError(unasked)
    try:
        return click.confirm(question, default=False, err=True)
    except click.Abort:
        # What is said of it begins a line of its own.
        click.echo(err=True)
        raise


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits there; a stream that was closed before we began is None."""
    return stream is not None and stream.isatty()


def style_of(stream: TextIO | None, *, show_numbers: bool, no_color: bool) -> Style:
    """How much may be shown there; colors only on a terminal, and where nobody has switched them off."""
    plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(show_numbers=show_numbers, color=not plain and is_terminal(stream), columns=_columns(stream))


def _columns(stream: TextIO | None) -> int | None:
    """The width of a terminal; None for what is none or does not say, and in CI, where logs wrap by themselves."""
    if stream is None or not is_terminal(stream) or is_ci():
        return None
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return None
    return max(columns, _NARROWEST) if columns > 0 else None


@functools.lru_cache(maxsize=8)
def _lines(root: Path, file: str) -> list[str]:
    """The lines of a file; none where it can't be read."""
    from smsdeclare import files  # noqa: PLC0415 - only where a line is shown

    try:
        data = files.read_bytes(root / file, root=root, shown=file, limit=5_000_000)
    except InputError:
        return []
    return files.LINE_END.split(data.decode("utf-8-sig", "replace"))


def formatter(name: str) -> Format:
    """The format of this name: a module of `smsdeclare.formats`."""
    module: Any = importlib.import_module(f"smsdeclare.formats.{name}")
    format_: Format = module
    return format_


def shared_options(command: Command) -> Command:
    """Give a command the options that every command takes; it receives a Session as its first argument."""

    @click.option("-C", "--chdir", metavar="DIR", help="Work in this folder instead of the current one.")
    @click.option("-f", "--file", "root_file", metavar="ROOT", help="The root file [default: smsdeclare.yaml].")
    @click.option("--no-color", is_flag=True, help="Print no colors; NO_COLOR does the same.")
    @click.option("--show-numbers", is_flag=True, help="Show phone numbers, and receivers' own values in texts.")
    @click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
    @click.option("-v", "--verbose", is_flag=True, help="Say more.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        chdir: str | None,
        root_file: str | None,
        no_color: bool,
        show_numbers: bool,
        quiet: bool,
        verbose: bool,
        **options: Any,
    ) -> Any:
        _lines.cache_clear()
        if chdir:
            _enter(chdir)
        session = Session(
            folder=Path(),
            root_file=root_file,
            style=style_of(sys.stdout, show_numbers=show_numbers, no_color=no_color),
            error_style=style_of(sys.stderr, show_numbers=show_numbers, no_color=no_color),
            quiet=quiet,
            verbose=verbose,
            named_folder=Path(chdir or "", root_file or "smsdeclare.yaml").parent,
            place_options="".join(f" {name} {value}" for name, value in (("-C", chdir), ("-f", root_file)) if value),
        )
        Session.current = session
        return command(session, *args, **options)

    return wrapped  # type: ignore[return-value]  # click's decorators change the signature


def _enter(folder: str) -> None:
    """Go there for good, so that -C means the same for every file that a command reads or writes."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(Diagnostic(code=codes.NO_PROJECT, detail=f"{folder}: {error.strerror}")) from error


def format_option(*names: str) -> Callable[[Command], Command]:
    """`--format` with these choices, and `--json`, which is short for one of them."""

    def decorate(command: Command) -> Command:
        command = click.option("--json", "format_name", flag_value="json", help="Short for --format json.")(command)
        return click.option(
            "--format",
            "format_name",
            type=click.Choice(names),
            default="text",
            help="How to print it [default: text].",
        )(command)

    return decorate
