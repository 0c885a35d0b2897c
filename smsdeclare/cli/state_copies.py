"""`smsdeclare state`: pull and push."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes
from smsdeclare.cli import broken_files, opening
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.session import Explained, Session, is_terminal, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.ledgers.copies import Contents, Pushed


@click.command(
    cls=Explained,
    examples="""
        smsdeclare state pull --out backup.state
        # Through a pipe, for what encrypts it or takes it elsewhere
        smsdeclare state pull | gzip > backup.state.gz
    """,
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file; it must not exist.")
@shared_options
def pull(session: Session, *, out: Path | None) -> None:
    """Copy the state, whole and consistent, even while a run is at work.

    Without --out the bytes go to standard output, but never to a terminal. The copy is not encrypted and, unless the
    state keeps hashes, holds the phone number of everybody on record: keep it as safe as the state. Like stop, it needs
    no valid files.
    """
    if out is None and (sys.stdout is None or is_terminal(sys.stdout)):
        detail = "a copy is not text to be read; give it a file with --out, or a pipe"
        raise InputError(Diagnostic(code=codes.USAGE, detail=detail))
    with closing(broken_files.ledger(session)) as ledger:
        if out is None:
            with _private_file() as path:
                contents = ledger.pull(path)
                _pour(path)
        else:
            contents = ledger.pull(session.folder / out)
    numbers = "no phone numbers" if contents.keeps_hashes_alone else "phone numbers in clear"
    session.note(f"Copied {_count(contents)} to {out or 'standard output'}. It holds {numbers}.")


@click.command(
    cls=Explained,
    examples="""
        smsdeclare state pull --out backup.state
        smsdeclare state push backup.state
    """,
)
@click.argument("copy", type=click.Path(path_type=Path), metavar="FILE")
@shared_options
def push(session: Session, copy: Path) -> None:
    """Put a copy in the place of the state: to restore it, or to move it. `-` reads standard input.

    Where a state exists, the copy must have gone on from it: nothing that is on record may be missing, and nothing
    unknown. So nobody is forgotten. A run that planned before stops. Where there is none, the copy becomes the state,
    and what was sent after the copy was made is not on record.
    """
    definitions = opening.definitions(session)
    clock = SystemClock()
    # Only looked at: a lease is a write, and would make the state newer than its copy.
    with closing(opening.ledger(definitions)) as ledger, Holder(ledger, clock), _given(session, copy) as path:
        wanted = opening.offline_binding(definitions, ledger.binding)
        pushed = ledger.push(path, wanted, timestamp(clock.now()))
        stopped = ledger.stopped
    _tell(session, pushed)
    if stopped:
        session.note(f"Sending is stopped by {stopped.actor}: {session.style.masked(stopped.reason)}")


@contextmanager
def _given(session: Session, copy: Path) -> Iterator[Path]:
    """The file of a copy; standard input, whole, becomes one."""
    if copy != Path("-"):
        yield session.folder / copy
        return
    with _private_file() as path:
        _fill(path)
        yield path


def _tell(session: Session, pushed: Pushed) -> None:
    if not pushed.is_changed:
        session.words("Nothing to do: the state is what the copy is.\n")
    elif pushed.before:
        session.words(f"The state has {_count(pushed.copy)} now; before, it had {_count(pushed.before)}.\n")
    else:
        session.words(f"The state is restored: {_count(pushed.copy)}.\n")
        latest = f"its last POST is of {pushed.copy.latest}" if pushed.copy.latest else "it has no POST"
        session.report([Diagnostic(code=codes.RESTORED, detail=latest)])


def _count(contents: Contents) -> str:
    unknown = f", {contents.in_doubt:,} unknown" if contents.in_doubt else ""
    return f"{contents.sends:,} {'send' if contents.sends == 1 else 'sends'}{unknown} (serial {contents.serial})"


@contextmanager
def _private_file() -> Iterator[Path]:
    """A name in a folder that nobody else may enter, gone afterwards with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="smsdeclare-") as folder:
        yield Path(folder) / "copy.state"


def _pour(path: Path) -> None:
    """The file to standard output, to its last byte."""
    try:
        with path.open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        detail = f"standard output: {error.strerror}"
        raise InputError(Diagnostic(code=codes.CANT_WRITE, detail=detail)) from error


def _fill(path: Path) -> None:
    """Standard input, whole, to the file."""
    if sys.stdin is None or is_terminal(sys.stdin):
        raise InputError(Diagnostic(code=codes.USAGE, detail="`-` reads a copy from standard input; give it a pipe"))
    try:
        with path.open("xb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target)
    except OSError as error:
        detail = f"standard input: {error.strerror}"
        raise InputError(Diagnostic(code=codes.FILE_UNREADABLE, detail=detail)) from error
