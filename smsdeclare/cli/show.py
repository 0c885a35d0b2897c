"""`smsdeclare show`."""

from __future__ import annotations

from pathlib import Path

import click

from smsdeclare.cli import saved_plan
from smsdeclare.cli.session import Explained, Session, format_option, formatter, shared_options


@click.command(
    cls=Explained,
    examples="""
        smsdeclare show plan.json
        # As a comment for a pull request
        smsdeclare show plan.json --format markdown > plan.md
    """,
)
@click.argument("planfile", type=click.Path(path_type=Path))
@format_option("text", "json", "markdown", "github")
@shared_options
def command(session: Session, planfile: Path, *, format_name: str) -> None:
    """Show a saved plan, whether it is still current or not."""
    plan = saved_plan.read(session.folder / planfile)
    session.out(formatter(format_name).plan(plan, session.style))
