"""The state in a database: its schema by the files, its server by the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare import codes, document, files
from smsdeclare.cli import environment
from smsdeclare.clock import SystemClock
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.project import ROOT_NAME, YAML_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from smsdeclare.definitions import Definitions
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.ledgers.postgresql import PostgresqlLedger

#: A name that nobody has to quote; it leaves room for what marks the sandbox.
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,53}")
_LONGEST = 54


def schema_of(wanted: Definitions) -> str:
    """The schema of a project's state."""
    return _named(wanted.state.schema, wanted.project, is_sandbox=wanted.provider.name == "sandbox")


def schema_of_broken_files(folder: Path, root_file: str | None) -> str | None:
    """The schema that the root file names, whatever else is wrong in the project; None where it names none."""
    path = folder / (root_file or ROOT_NAME)
    try:
        text = files.read_bytes(path, root=folder, shown=path.name, limit=YAML_LIMIT)
        data = document.parse(text, file=path.name).data
        state, project, provider = data.get("state"), data.get("project"), data.get("provider")
        if state.get("backend") != "postgresql":
            return None
        return _named(state.get("schema"), project, is_sandbox=provider.get("name") == "sandbox")
    except (InputError, AttributeError, TypeError):
        return None


def open_schema(schema: str, numbers: Numbers) -> PostgresqlLedger:
    """The state in a schema of the database that the environment names; raises InputError or StateError."""
    url = environment.postgresql_url()
    try:
        from smsdeclare.ledgers.postgresql import PostgresqlLedger  # noqa: PLC0415 - an extra, loaded where it is used
    except ImportError as error:
        raise InputError(Diagnostic(code=codes.STATE_DRIVER, detail="")) from error
    return PostgresqlLedger(url, schema, SystemClock(), numbers)


def _named(given: str | None, project: str, *, is_sandbox: bool) -> str:
    """The schema's name; the sandbox always has one of its own, so that trying never mixes with sending."""
    plain = re.sub(r"[^a-z0-9_]", "_", f"smsdeclare_{project}".lower())[:_LONGEST]
    name = plain if given is None else given
    if not _SCHEMA.fullmatch(name):
        raise TypeError(name)
    return f"{name}_sandbox" if is_sandbox else name
