"""`smsdeclare version`."""

from __future__ import annotations

import json
import platform

import click

from smsdeclare import __version__
from smsdeclare.cli.session import Session, shared_options


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@shared_options
def command(session: Session, *, as_json: bool) -> None:
    """Print the version."""
    if as_json:
        facts = {"formatVersion": "1.0", "version": __version__, "python": platform.python_version()}
        session.out(json.dumps(facts) + "\n")
    else:
        session.out(f"smsdeclare {__version__}\n")
