"""`smsdeclare resolve`."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from smsdeclare import codes
from smsdeclare.cli import environment, opening
from smsdeclare.cli.addressing import records_of
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.cli.signals import StopRequest
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.states import IN_DOUBT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.definitions import Definitions
    from smsdeclare.ledger import Ledger
    from smsdeclare.ledgers.relational import RelationalLedger
    from smsdeclare.records import Posted


@click.command(
    cls=Explained,
    examples="""
        # One receiver
        smsdeclare resolve message.order-shipped@1/+33639980001 --sent --reason "listed as sent"
        # All that is unknown of a message, well after it was posted
        smsdeclare resolve message.order-shipped@1 --not-sent --reason "in no list of the provider"
    """,
)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--sent", "is_sent", is_flag=True, help="They were sent.")
@click.option("--not-sent", "is_not_sent", is_flag=True, help="They were not, and never will be.")
@click.option("--reason", required=True, metavar="TEXT", help="How you know; it stays on record, with your name.")
@shared_options
def command(session: Session, addresses: tuple[str, ...], *, is_sent: bool, is_not_sent: bool, reason: str) -> None:
    """Say what became of unknown sends: of a message, or of one receiver.

    For what `smsdeclare settle` can't find out. --not-sent frees them for the next apply, so a wrong word sends an SMS
    twice. It is refused as long as the request could still arrive; then it looks at the provider once more, says what
    it found, and leaves out what that settled.
    """
    if is_sent is is_not_sent:
        detail = "say --sent or --not-sent, one of them"
        raise InputError(Diagnostic(code=codes.USAGE, detail=detail))
    if not reason.strip():
        raise InputError(Diagnostic(code=codes.USAGE, detail="the reason is empty"))
    definitions = opening.definitions(session)
    with closing(opening.ledger(definitions)) as ledger:
        jobs = _unknown(ledger, addresses)
        if not jobs:
            raise InputError(Diagnostic(code=codes.NOTHING_UNKNOWN, detail=", ".join(addresses)))
        if is_not_sent:
            _look(session, definitions, ledger, jobs)
            jobs = _unknown(ledger, addresses)
        by = {"actor": environment.actor(), "reason": reason.strip(), "ci": environment.ci_job() or ""}
        count = ledger.resolve(jobs, sent=is_sent, by=by, at=timestamp(SystemClock().now())) if jobs else 0
    what = "sent" if is_sent else "not sent, and free to be posted by the next apply"
    session.words(f"{count:,} {'send is' if count == 1 else 'sends are'} recorded as {what}.\n")


def _unknown(ledger: Ledger, addresses: Sequence[str]) -> list[Posted]:
    """The jobs in doubt, each with those of its sends that the addresses name."""
    wanted = {
        (record.message, record.revision, record.number)
        for address in addresses
        for record in records_of(ledger, address)
        if record.state in IN_DOUBT
    }
    found = []
    for job in ledger.posted_in_doubt():
        mine = {one: state for one, state in job.states.items() if (job.message, job.revision, one) in wanted}
        if mine:
            found.append(job._replace(states=mine))
    return found


def _look(session: Session, definitions: Definitions, ledger: RelationalLedger, jobs: Sequence[Posted]) -> None:
    """Look at the provider and tell; raises InputError where nothing can follow from what it does not list."""
    opened = opening.provider(definitions)
    after = opened.rules.after
    now = opened.provider.time()
    last = max(datetime.fromtimestamp(job.not_after, tz=UTC) for job in jobs) + after
    if now < last:
        raise InputError(Diagnostic(code=codes.TOO_EARLY, detail=f"not before {timestamp(last)}"))
    session.note("Looking at the provider's lists of what it holds and what it sent:")
    run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, opened.clock))
    with StopRequest() as stop:
        run.settle(stop)
    session.report(run.errors)
