"""`smsdeclare refresh`."""

from __future__ import annotations

from contextlib import closing

import click

from smsdeclare.cli import opening
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.cli.signals import StopRequest


@click.command(
    cls=Explained,
    examples="""
        smsdeclare refresh
        # Where everything stands now
        smsdeclare status
    """,
)
@format_option("text", "json")
@shared_options
def command(session: Session, *, format_name: str) -> int:
    """Settle what is unknown, then read the delivery receipts of everything that was sent.

    Posts nothing. A run that is broken off goes on where it was. `smsdeclare status` shows what is known then.

    Exit codes: 0 done, 1 error, 4 some outcomes are not known yet, 130 interrupted.
    """
    definitions = opening.definitions(session)
    opened = opening.provider(definitions)
    with closing(opening.bound_ledger(definitions, opened)) as ledger:
        run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, opened.clock))
        with StopRequest() as stop:
            run.settle(stop)
            run.refresh(stop)
        applied = run.sum_up(title="Refresh")
    run.report(applied, format_name)
    return run.exit_code(applied)
