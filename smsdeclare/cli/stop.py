"""`smsdeclare stop`."""

from __future__ import annotations

import getpass
import socket

import click

from smsdeclare import codes
from smsdeclare.cli import opening
from smsdeclare.cli.session import Session, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.records import Stopped
from smsdeclare.redaction import visible


@click.command()
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody who runs into the stop reads it.")
@shared_options
def command(session: Session, *, reason: str) -> None:
    """The panic button: no run posts another job until `smsdeclare resume`.

    Needs the state, not valid files. A run that is at work stops before its next POST.
    """
    if not reason.strip():
        raise InputError(Diagnostic(code=codes.USAGE, detail="the reason is empty"))
    ledger = opening.ledger_without_files(session)
    try:
        ledger.stop(Stopped(reason=reason.strip(), actor=_actor(), at=timestamp(SystemClock().now())))
        bound = ledger.binding
    finally:
        ledger.close()
    what = f"{bound.project} ({bound.provider}, {bound.service})" if bound else "the state"
    session.out(visible(f"Stopped: {what}. Nothing more is posted until: smsdeclare resume\n"))


def _actor() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user} on {socket.gethostname()}"
