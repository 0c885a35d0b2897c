"""`smsdeclare resume`."""

from __future__ import annotations

import click

from smsdeclare.cli import opening
from smsdeclare.cli.session import Session, shared_options
from smsdeclare.clock import SystemClock, timestamp


@click.command()
@shared_options
def command(session: Session) -> None:
    """End a stop: runs may post again."""
    ledger = opening.ledger_without_files(session)
    try:
        was = ledger.stopped
        ledger.resume(timestamp(SystemClock().now()))
    finally:
        ledger.close()
    session.out("Resumed. Runs may post again.\n" if was else "It was not stopped.\n")
