"""`smsdeclare state lock`: show."""

from __future__ import annotations

from contextlib import closing

import click

from smsdeclare.cli import broken_files
from smsdeclare.cli.lease import is_over
from smsdeclare.cli.session import Explained, ExplainedGroup, Session, format_option, shared_options
from smsdeclare.clock import SystemClock
from smsdeclare.formats import json, phrases


@click.group(
    cls=ExplainedGroup,
    examples="""
        smsdeclare state lock show
    """,
)
def lock() -> None:
    """Look at who is at work on the state."""


@lock.command(
    cls=Explained,
    examples="""
        smsdeclare state lock show
        # For a job that waits for its turn
        smsdeclare state lock show --json
    """,
)
@format_option("text", "json")
@shared_options
def show(session: Session, *, format_name: str) -> None:
    """Show who holds the lease on the state: since when, where, in which CI run, and until when.

    A lease that has run out, or whose process on this machine has ended, keeps nobody out. Like unlock, it needs no
    valid files.
    """
    clock = SystemClock()
    with closing(broken_files.ledger(session)) as ledger:
        leases = [(one, is_over(one, clock)) for one in ledger.leases]
    if format_name == "json":
        session.out(json.leases(leases))
    else:
        session.words(phrases.leases(leases))
