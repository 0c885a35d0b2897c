"""`smsdeclare init`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from smsdeclare import codes
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.redaction import visible

_ROOT = """\
# yaml-language-server: $schema=./smsdeclare.schema.json
# What this project sends. Look: smsdeclare plan. Send: smsdeclare apply.
version: 1
project: {project}
timezone: Europe/Paris

provider:
  name: sandbox          # pretends to send: no account, no network. For real SMS: ovh
  # service: sms-ab12345-1

variables:
  shop: {{default: "{project}"}}
"""
_MESSAGES = """\
# yaml-language-server: $schema=./smsdeclare.schema.json
receivers:
  customers:
    csv: data/customers.csv
    numberColumn: phone

options:
  transactional:
    noStopClause: true   # for texts that are no advertising
    priority: high

messages:
  order-shipped:
    text: "Bonjour {{ firstName }}, your parcel from {{ shop }} arrives tomorrow."
    to: customers
    options: transactional
"""
# Numbers of the French range that is kept for fiction.
_CUSTOMERS = """\
phone,firstName
+33639980001,Ana
+33639980002,Bo
"""
_IGNORED = """\
# The state remembers who got what. It holds phone numbers: never commit it in clear.
*.state
*.state-journal
*.outbox.jsonl
*.outbox.jsonl.lock
ovh.conf
"""


@click.command(
    cls=Explained,
    examples="""
        # A folder of its own, and what it would send
        smsdeclare init parcels
        smsdeclare plan -C parcels
    """,
)
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path), metavar="[DIR]")
@shared_options
def command(session: Session, folder: Path) -> None:
    """Write a project that works at once with the sandbox.

    Nothing that exists is overwritten.
    """
    from smsdeclare.schema import schema_path  # noqa: PLC0415 - only here

    place = session.folder / folder
    files = {
        "smsdeclare.yaml": _ROOT.format(project=_name(place)),
        "messages.sms.yaml": _MESSAGES,
        "data/customers.csv": _CUSTOMERS,
        "smsdeclare.schema.json": schema_path("definitions.v1").read_text(encoding="utf-8"),
        ".gitignore": _IGNORED,
    }
    taken = [name for name in files if name != ".gitignore" and os.path.lexists(place / name)]
    if taken:
        detail = f"{', '.join(taken)} already there; nothing was written"
        raise InputError(Diagnostic(code=codes.WOULD_OVERWRITE, detail=detail))
    try:
        for name, text in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                session.out(visible(f"wrote {folder / name}\n"))
    except OSError as error:
        raise InputError(Diagnostic(code=codes.CANT_WRITE, detail=f"{error.filename}: {error.strerror}")) from error
    where = "" if folder == Path() else f" -C {folder}"
    session.note(f"Now look at what it would send: smsdeclare plan{where}")


def _name(place: Path) -> str:
    """The folder's name as a project's name."""
    words = re.sub(r"[^a-z0-9]+", "-", place.resolve().name.lower()).strip("-")
    return words[:60] if words[:1].isalpha() else "my-project"
