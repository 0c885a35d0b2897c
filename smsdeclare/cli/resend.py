"""`smsdeclare resend`."""

from __future__ import annotations

import click

from smsdeclare import codes
from smsdeclare.cli import opening
from smsdeclare.cli.addressing import records_of
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.records import Key
from smsdeclare.states import ENDED, State

_STATUSES = sorted(state.value for state in (*ENDED, State.CANCELLED))


@click.command(
    cls=Explained,
    examples="""
        # Everybody of a message whom it did not reach
        smsdeclare resend message.order-shipped@1 --status failed --reason "wrong sender"
        # One receiver
        smsdeclare resend message.order-shipped@1/+33639980001 --reason "asked for it again"
        # Then look, and send
        smsdeclare plan
    """,
)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays on record.")
@click.option(
    "--status",
    type=click.Choice(sorted(state.value for state in (*ENDED, State.CANCELLED))),
    help="Only sends of this status.",
)
@shared_options
def command(session: Session, addresses: tuple[str, ...], *, reason: str, status: str | None) -> None:
    """Let the next plan send these once more.

    Nothing is sent by this command itself. Refused for sends that are unknown or that the provider still holds. What
    `smsdeclare stop --cancel` took back is posted again only after this.
    """
    if not reason.strip():
        raise InputError(Diagnostic(code=codes.USAGE, detail="the reason is empty"))
    ledger = opening.ledger(opening.definitions(session))
    try:
        found = {
            Key(record.message, record.revision, record.number): record
            for address in addresses
            for record in records_of(ledger, address)
        }
        keys = [key for key, record in found.items() if status in (None, record.state.value)]
        if not keys:
            named = ", ".join(addresses)
            if found:
                raise InputError(Diagnostic(code=codes.NONE_OF_STATUS, detail=f"{named} has none that is {status}"))
            raise InputError(Diagnostic(code=codes.ADDRESS_UNKNOWN, detail=named))
        freed = ledger.resend(keys, reason, timestamp(SystemClock().now()))
    finally:
        ledger.close()
    session.words(
        f"{freed:,} {'send is' if freed == 1 else 'sends are'} free to be sent once more. Look: smsdeclare plan\n"
    )
