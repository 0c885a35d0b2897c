"""`smsdeclare state`: migrate."""

from __future__ import annotations

import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes
from smsdeclare.cli import environment, opening
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.session import Explained, Session, agree, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, SmsdeclareError, StateError
from smsdeclare.formats.phrases import count
from smsdeclare.ledgers.naming import Numbers
from smsdeclare.records import Move

if TYPE_CHECKING:
    from collections.abc import Callable

    from smsdeclare.clock import Clock
    from smsdeclare.ledgers.copies import Contents
    from smsdeclare.ledgers.relational import RelationalLedger
    from smsdeclare.records import Binding

#: After these nobody knows whether the copy has arrived.
_IN_DOUBT = (codes.STATE_COMMIT_UNKNOWN, codes.STATE_UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One end of a move."""

    #: As people call it.
    place: str
    open: Callable[[], RelationalLedger]
    #: What a state there must be bound to, given the binding of the one that comes.
    binding: Callable[[Binding], Binding]


@click.command(
    cls=Explained,
    examples="""
        # From one file to another; without the second name, to what the files say by now
        smsdeclare state migrate smsdeclare.sandbox.state moved.state
    """,
)
@click.argument("source", metavar="FROM")
@click.argument("target", required=False, metavar="[TO]")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@shared_options
def migrate(session: Session, source: str, target: str | None, *, auto_approve: bool) -> None:
    """Move the state to another place.

    FROM and TO are each a state's file, or a root file whose `state` says where it is; TO is by default what the
    project's own files say, and must hold no state yet. The old one is marked before anything is copied and refuses
    from then on, saying where to. Broken off, it goes on where it was: run it again.
    """
    here, there = _side(session, source), _side(session, target)
    if here.place == there.place:
        raise InputError(Diagnostic(code=codes.USAGE, detail=f"FROM and TO are both the {here.place}"))
    question = f"Move the state from {here.place} to {there.place}?"
    contents = move(here, there, SystemClock(), partial(agree, question, auto_approve=auto_approve))
    unknown = f", {contents.in_doubt:,} unknown," if contents.in_doubt else ""
    session.words(f"Moved {count(contents.sends, 'send')}{unknown} from {here.place} to {there.place}.\n")
    session.note(f"The old one refuses from now on. What the files name as the state must be the {there.place}.")


def move(here: Side, there: Side, clock: Clock, ask: Callable[[], None]) -> Contents:
    """Move a state, or go on where it was broken off; what it holds.

    Raises StateError where there is none, or one where it is to go; Held where a run is at work.
    """
    with closing(here.open()) as source, closing(there.open()) as target:
        bound = source.binding
        if bound is None:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=here.place))
        mark = source.move
        if mark is not None and (mark.is_done or mark.to != there.place):
            source.check_not_moved()
        if target.binding is not None and (mark is None or target.lineage != source.lineage):
            raise StateError(Diagnostic(code=codes.MOVE_TAKEN, detail=there.place))
        if mark is None:
            ask()
            mark = Move(to=there.place, actor=environment.actor(), at=timestamp(clock.now()))
            with Holder(source, clock) as holder:
                holder.hold("")
                source.begin_move(mark)
        with tempfile.TemporaryDirectory(prefix="smsdeclare-") as folder:
            copy = Path(folder) / "copy.state"
            contents = source.pull(copy)
            if target.binding is None:
                _carry(copy, source, target, there, bound, clock)
        source.end_move(mark)
    return contents


def _carry(
    copy: Path, source: RelationalLedger, target: RelationalLedger, there: Side, bound: Binding, clock: Clock
) -> None:
    """Make the copy the state there; where it is sure that it did not become it, the source is freed again."""
    from smsdeclare.ledgers.sqlite import SqliteLedger  # noqa: PLC0415 - sqlite3 is loaded where it is used

    at = timestamp(clock.now())
    with closing(SqliteLedger(copy)) as unmarked:
        unmarked.undo_move(at)
    try:
        target.push(copy, there.binding(bound), at)
    except SmsdeclareError as error:
        if error.diagnostics[0].code not in _IN_DOUBT:
            with suppress(SmsdeclareError), closing(there.open()) as found:
                if found.binding is None:
                    source.undo_move(at)
        raise


def _side(session: Session, given: str | None) -> Side:
    """What FROM or TO means; the project's own files where it is not given."""
    numbers = Numbers(key=environment.numbers_key())
    if given is None or given.endswith((".yaml", ".yml")):
        wanted = opening.definitions(replace(session, root_file=given) if given else session)
        return Side(
            place=opening.state_place(wanted),
            open=partial(opening.ledger_as, wanted, numbers),
            binding=partial(opening.offline_binding, wanted),
        )
    from smsdeclare.ledgers.sqlite import SqliteLedger  # noqa: PLC0415 - as above

    path = session.folder / given
    return Side(place=f"file {path.name}", open=partial(SqliteLedger, path, numbers), binding=lambda bound: bound)
