"""`smsdeclare login`."""

from __future__ import annotations

import click

from smsdeclare import codes
from smsdeclare.cli import opening
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.providers import endpoints


@click.command(
    cls=Explained,
    examples="""
        # Open the link, log in, put the three keys into the environment
        smsdeclare login --url
    """,
)
@click.option("--url", is_flag=True, help="Print the link that makes credentials with the least rights.")
@shared_options
def command(session: Session, *, url: bool) -> None:
    """Get OVHcloud credentials with the least rights."""
    if not url:
        raise InputError(Diagnostic(code=codes.USAGE, detail="only `login --url` is there yet"))
    definitions = opening.definitions(session)
    place = opening.place(definitions)
    session.out(endpoints.login_link(place, definitions.provider.service) + "\n")
    session.note(
        "Never put the keys into a file that Git keeps: OVH_APPLICATION_KEY and so on belong in the environment."
    )
