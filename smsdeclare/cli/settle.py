"""`smsdeclare settle`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from smsdeclare.cli import opening
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import DURATION, Explained, Session, format_option, shared_options
from smsdeclare.cli.signals import StopRequest

if TYPE_CHECKING:
    from datetime import timedelta


@click.command(
    cls=Explained,
    examples="""
        smsdeclare settle
        # Go on until nothing is unknown, for three quarters of an hour at most
        smsdeclare settle --wait 45m
    """,
)
@click.option("--wait", type=DURATION, default="0s", help="Go on for so long, until nothing is unknown, such as 45m.")
@format_option("text", "json")
@shared_options
def command(session: Session, *, wait: timedelta, format_name: str) -> int:
    """Ask the provider about every POST that was never answered, and record what is found.

    Posts nothing. Whose SMS is found counts as sent. Who has none after `settle.after` is free to be posted by the next
    apply. Works while sending is stopped, and while another run is at work.

    Exit codes: 0 nothing is unknown, 1 error, 4 some outcomes are not known yet, 130 interrupted.
    """
    definitions = opening.definitions(session)
    opened = opening.provider(definitions)
    with closing(opening.bound_ledger(definitions, opened)) as ledger:
        run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, opened.clock))
        with StopRequest() as stop:
            run.settle(stop)
            for _ in run.until_known(wait, stop):
                pass
        applied = run.sum_up(title="Settle")
    run.report(applied, format_name)
    return run.exit_code(applied)
