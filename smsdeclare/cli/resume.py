"""`smsdeclare resume`."""

from __future__ import annotations

import click

from smsdeclare.cli import broken_files
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.clock import SystemClock, timestamp


@click.command(
    cls=Explained,
    examples="""
        smsdeclare resume
        # What is left to send
        smsdeclare plan
    """,
)
@shared_options
def command(session: Session) -> None:
    """End a stop: runs may post again."""
    ledger = broken_files.ledger(session)
    try:
        was = ledger.stopped
        ledger.resume(timestamp(SystemClock().now()))
    finally:
        ledger.close()
    session.words("Resumed. Runs may post again.\n" if was else "It was not stopped.\n")
