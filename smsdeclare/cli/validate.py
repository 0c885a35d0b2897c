"""`smsdeclare validate`."""

from __future__ import annotations

import click

from smsdeclare.cli import opening
from smsdeclare.cli.session import Explained, Session, format_option, formatter, shared_options
from smsdeclare.diagnostics import by_place


@click.command(
    cls=Explained,
    examples="""
        smsdeclare validate
        # Annotations at the lines, in GitHub Actions
        smsdeclare validate --format github
    """,
)
@format_option("text", "json", "github")
@shared_options
def command(session: Session, *, format_name: str) -> int:
    """Check the files: schema and meaning, offline.

    Reads every file of the project, every CSV file and renders every text, so that what passes here can be planned.
    """
    _, found = opening.judged(session)
    valid = not any(finding.is_error for finding in found)
    session.out(formatter(format_name).findings(by_place(found), session.style, session.source, valid=valid))
    return 0 if valid else 1
