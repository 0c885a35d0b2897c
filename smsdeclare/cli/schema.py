"""`smsdeclare schema`."""

from __future__ import annotations

import click

from smsdeclare.cli.session import Session, shared_options
from smsdeclare.schema import schema_path


@click.command()
@shared_options
def command(session: Session) -> None:
    """Print the JSON schema of the files, for editors and for CI.

    \b
      smsdeclare schema > smsdeclare.schema.json
    """  # noqa: D301 - \b is click's mark for text to be left as it is
    session.out(schema_path("definitions.v1").read_text(encoding="utf-8"))
