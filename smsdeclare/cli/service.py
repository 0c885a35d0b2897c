"""`smsdeclare service`."""

from __future__ import annotations

import click

from smsdeclare.cli import opening
from smsdeclare.cli.session import Session, shared_options
from smsdeclare.formats import json as json_format
from smsdeclare.formats.text import accounts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@shared_options
def command(session: Session, *, as_json: bool) -> None:
    """Show the SMS accounts, their credits and their senders.

    What the credentials may not ask for is left out and said so.
    """
    provider = opening.real_or_sandbox(opening.definitions(session))
    found = provider.accounts()
    session.out(json_format.accounts(found) if as_json else accounts(found))
