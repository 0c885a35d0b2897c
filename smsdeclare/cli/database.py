"""The state in a database: its schema by the files, its server by the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.cli import environment
from smsdeclare.clock import SystemClock
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.definitions import Definitions
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.ledgers.postgresql import PostgresqlLedger

#: A name that nobody has to quote; it leaves room for what marks the sandbox.
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,53}")
_LONGEST = 54


def schema_of(wanted: Definitions) -> str:
    """The schema of a project's state."""
    return _named(wanted.state.schema, wanted.project, is_sandbox=wanted.provider.name == "sandbox")


def schema_of_broken_files(written: Mapping[str, Any]) -> str | None:
    """The schema that a root file names, whatever else is wrong in it; None where it names none."""
    state: Any = written.get("state")
    project: Any = written.get("project")
    provider: Any = written.get("provider")
    try:
        return _named(state.get("schema"), project, is_sandbox=provider.get("name") == "sandbox")
    except (AttributeError, TypeError):
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
