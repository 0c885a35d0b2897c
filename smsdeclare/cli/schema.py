"""`smsdeclare schema`."""

from __future__ import annotations

import click

from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.schema import schema_path


@click.command(
    cls=Explained,
    examples="""
        smsdeclare schema > smsdeclare.schema.json
    """,
)
@shared_options
def command(session: Session) -> None:
    """Print the JSON schema of the files, for editors and for CI."""
    session.out(schema_path("definitions.v1").read_text(encoding="utf-8"))
