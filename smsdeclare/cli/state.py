"""`smsdeclare state`: list, show and unlock."""

from __future__ import annotations

import json

import click

from smsdeclare import codes
from smsdeclare.cli import broken_files, opening, state_copies, state_erasing, state_lock, state_moving
from smsdeclare.cli.addressing import records_of
from smsdeclare.cli.rows import row_of
from smsdeclare.cli.session import Explained, ExplainedGroup, Session, format_option, formatter, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.formats.json import row_document
from smsdeclare.ledgers.upkeep import held_by
from smsdeclare.redaction import visible
from smsdeclare.states import State

_STATUSES = sorted({state.value for state in State} - {State.INTENDED.value})


@click.group(
    cls=ExplainedGroup,
    examples="""
        smsdeclare state list
        smsdeclare state show message.order-shipped
    """,
)
def command() -> None:
    """Look into the state, the record of what was sent; copy it, move it, erase who got what."""


command.add_command(state_copies.pull)
command.add_command(state_copies.push)
command.add_command(state_lock.lock)
command.add_command(state_moving.migrate)
command.add_command(state_erasing.prune)
command.add_command(state_erasing.forget)
command.add_command(state_erasing.hash_numbers)


@command.command(
    "list",
    cls=Explained,
    examples="""
        smsdeclare state list
        smsdeclare state list message.order-shipped@1 --status accepted
        # One send a line, for other programs
        smsdeclare state list --format lines > sends.jsonl
    """,
)
@click.argument("wanted", required=False, metavar="[ADDRESS]")
@click.option("--status", type=click.Choice(_STATUSES), help="Only sends of this status.")
@format_option("text", "json", "lines")
@shared_options
def list_sends(session: Session, wanted: str | None, *, status: str | None, format_name: str) -> None:
    """List the sends on record."""
    definitions = opening.definitions(session)
    ledger = opening.ledger(definitions)
    try:
        secret = ledger.secret or b""
        records = records_of(ledger, wanted)
        rows = (row_of(record, secret, show_numbers=session.style.show_numbers) for record in records)
        chosen = (row for row in rows if status in (None, row.status))
        if format_name == "lines":
            for row in chosen:
                session.out(json.dumps(row_document(row)) + "\n")
        else:
            session.out(formatter(format_name).sends(list(chosen), session.style))
    finally:
        ledger.close()


@command.command(
    "show",
    cls=Explained,
    examples="""
        smsdeclare state show message.order-shipped@1
        # One send, with its number in full
        smsdeclare state show message.order-shipped@1/+33639980001 --show-numbers --json
    """,
)
@click.argument("wanted", metavar="ADDRESS")
@format_option("text", "json")
@shared_options
def show_sends(session: Session, wanted: str, *, format_name: str) -> None:
    """Show what is on record of a message, a revision or one send."""
    definitions = opening.definitions(session)
    ledger = opening.ledger(definitions)
    try:
        secret = ledger.secret or b""
        rows = [
            row_of(record, secret, show_numbers=session.style.show_numbers) for record in records_of(ledger, wanted)
        ]
    finally:
        ledger.close()
    if not rows:
        raise InputError(Diagnostic(code=codes.ADDRESS_UNKNOWN, detail=wanted))
    session.out(formatter(format_name).sends(rows, session.style))


@command.command(
    "unlock",
    cls=Explained,
    examples="""
        smsdeclare state unlock
    """,
)
@shared_options
def unlock(session: Session) -> None:
    """Give back the lease of a run that will not finish.

    Nothing depends on it but good messages: a run that is still at work notices, and no SMS goes out twice either way.
    The lease of a run that has died on this machine is taken over by itself, any other after two minutes,
    or seven where the state is in Git.
    """
    ledger = broken_files.ledger(session)
    try:
        was = ledger.let_go(None, timestamp(SystemClock().now()))
    finally:
        ledger.close()
    if not was:
        session.words("Nobody held it.\n")
    for one in was:
        session.words(visible(f"Unlocked: it was held by {held_by(one).detail}\n"))
