"""`smsdeclare service`."""

from __future__ import annotations

import click

from smsdeclare.cli import opening
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.formats import json as json_format
from smsdeclare.formats.text import accounts


@click.command(
    cls=Explained,
    examples="""
        smsdeclare service
        smsdeclare service --json
    """,
)
@format_option("text", "json")
@shared_options
def command(session: Session, *, format_name: str) -> None:
    """Show the SMS accounts, their credits and their senders.

    What the credentials may not ask for is left out and said so.
    """
    provider = opening.real_or_sandbox(opening.definitions(session))
    found = provider.accounts()
    session.out(json_format.accounts(found) if format_name == "json" else accounts(found, session.style))
