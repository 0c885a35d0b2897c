"""`smsdeclare stop`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from smsdeclare import codes
from smsdeclare.cli import broken_files, environment, opening
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.cli.signals import StopRequest
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.records import Stopped
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from smsdeclare.ledgers.relational import RelationalLedger


@click.command(
    cls=Explained,
    examples="""
        smsdeclare stop --reason "wrong price in the text"
        # Take back as well what the provider still holds
        smsdeclare stop --cancel --reason "wrong price in the text"
        # Looking still works
        smsdeclare status
    """,
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody who runs into the stop reads it.")
@click.option("--cancel", is_flag=True, help="Also take back everything that the provider still holds.")
@shared_options
def command(session: Session, *, reason: str, cancel: bool) -> int:
    """The panic button: no run posts another job until `smsdeclare resume`.

    Needs the state, not valid files. A run that is at work stops before its next POST. What --cancel takes back is
    posted again only after `smsdeclare resend`, not by `resume` alone. It can't take back what goes out within ten
    minutes, nor what is unknown; it may be run again, and goes on where it was.

    Exit codes: 0 done, 1 error, 4 something is unknown or not yet seen gone, 130 interrupted.
    """
    if not reason.strip():
        raise InputError(Diagnostic(code=codes.USAGE, detail="the reason is empty"))
    with closing(broken_files.ledger(session)) as ledger:
        ledger.stop(Stopped(reason=reason.strip(), actor=environment.actor(), at=timestamp(SystemClock().now())))
        bound = ledger.binding
        what = f"{bound.project} ({bound.provider}, {bound.service})" if bound else "the state"
        session.words(visible(f"Stopped: {what}. Nothing more is posted until: smsdeclare resume\n"))
        return _take_back(session, ledger) if cancel else 0


def _take_back(session: Session, ledger: RelationalLedger) -> int:
    opened = opening.provider(broken_files.definitions_of_state(session, ledger))
    run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, opened.clock))
    with StopRequest() as stop:
        # First what can't wait: settling takes minutes, and what goes out within ten can't be taken back.
        run.take_back_everything(stop)
        run.settle(stop)
    session.report(run.errors)
    applied = run.sum_up()
    left = sum(len(job.states) for job in ledger.posted_held())
    if run.taken_back:
        session.note("What was taken back is posted again only after: smsdeclare resend")
    told = f"{len(run.taken_back):,} taken back."
    if left:
        is_late = run.failure is None and not run.interrupted
        told += f" {left:,} left as they are{': out by now, or within ten minutes' if is_late else ''}."
    if applied.unknown:
        told += f" {len(applied.unknown):,} not known; `smsdeclare settle` asks again."
    session.words(f"{told}\n")
    return run.exit_code(applied)
