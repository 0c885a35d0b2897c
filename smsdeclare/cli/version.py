"""`smsdeclare version`."""

from __future__ import annotations

import click

from smsdeclare import __version__
from smsdeclare.cli.session import Explained, Session, format_option, shared_options


@click.command(
    cls=Explained,
    examples="""
        smsdeclare version
        smsdeclare version --json
    """,
)
@format_option("text", "json")
@shared_options
def command(session: Session, *, format_name: str) -> None:
    """Print the version."""
    if format_name == "json":
        import json  # noqa: PLC0415 - only for the document
        import platform  # noqa: PLC0415 - as above

        facts = {"formatVersion": "1.0", "version": __version__, "python": platform.python_version()}
        session.out(json.dumps(facts) + "\n")
    else:
        session.out(f"smsdeclare {__version__}\n")
