"""Small histories of a ledger, for tests that need a past; its place is a path or a `Schema`."""

import sqlite3
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import worlds
from psycopg.rows import dict_row

from smsdeclare.clock import SystemClock
from smsdeclare.ledgers.postgresql import PostgresqlLedger
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.records import Binding, Intent, Outcome

BINDING = Binding(project="shop", provider="ovh", endpoint="ovh-eu", service=worlds.SERVICE)
AT = "2026-12-01T08:00:00Z"
A, B, C = (worlds.number(place) for place in (1, 2, 3))
TABLES = ("meta", "sends", "jobs", "completions", "events")


@dataclass(frozen=True)
class Request:
    not_after: int = 1_700_000_000
    body_digest: str = "b" * 64


def intent(*numbers, message="hello", revision=1, at=AT):
    return Intent(
        message=message,
        revision=revision,
        numbers=tuple(sorted(numbers)),
        text_digest="t" * 64,
        template_digest="w" * 64,
        options="{}",
        plan_digest="sha256:plan",
        claimed_at=at,
    )


def claim(ledger, *numbers, epoch=None, **more):
    """Claim what is free of these; None where nothing is."""
    epoch = ledger.epoch if epoch is None else epoch
    claimed = ledger.claim(intent(*numbers, **more), lambda claim: Request(), epoch=epoch)
    return claimed and claimed[0]


def send(ledger, state, *numbers, **more):
    """Claim these, and record this state for what was free; None where nothing was."""
    claimed = claim(ledger, *numbers, **more)
    if claimed:
        ledger.record(claimed, Outcome(states=dict.fromkeys(claimed.numbers, state), at=AT))
    return claimed


class Schema:
    """A schema of a PostgreSQL server, as far as a test asks for what a path has."""

    def __init__(self, cluster, parent):
        self.cluster = cluster
        self.parent = parent
        self.name = f"t{uuid.uuid4().hex[:12]}"

    def ledger(self):
        return PostgresqlLedger(self.cluster.url(), self.name, SystemClock())

    @contextmanager
    def reading(self):
        with psycopg.connect(self.cluster.url(), row_factory=dict_row) as connection:
            connection.execute(f'SET search_path = "{self.name}"')
            yield connection

    def is_file(self):
        return True

    def read_bytes(self):
        """All that is in it."""
        return repr(rows(self)).encode()


def place(kind, request, folder):
    """Where a ledger of this kind may be; nothing is there yet."""
    return folder / "test.state" if kind == "sqlite" else Schema(request.getfixturevalue("postgresql"), folder)


def at(place):
    """The ledger at this place."""
    return SqliteLedger(place) if isinstance(place, Path) else place.ledger()


def opened(place):
    """The ledger at this place, bound."""
    ledger = at(place)
    ledger.bind(BINDING)
    return ledger


@contextmanager
def reading(place):
    """What runs queries behind the ledger's back; each row is a mapping."""
    if isinstance(place, Path):
        connection = sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        yield connection
        connection.close()
    else:
        with place.reading() as connection:
            yield connection


def change(place, *statements):
    """Change a ledger behind its back; counts as one write."""
    statements = (*statements, "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'serial'")
    if not isinstance(place, Path):
        with place.reading() as connection:
            for statement in statements:
                connection.execute(statement)
        return
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements:
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.execute("COMMIT")
    connection.close()


def rows(place, *tables):
    """All rows of these tables, or of all: what was written, whatever its pages look like."""
    with reading(place) as connection:
        return {
            table: sorted(
                (tuple(sorted(dict(row).items())) for row in connection.execute(f"SELECT * FROM {table}")), key=repr
            )
            for table in tables or TABLES
        }


def meta(place):
    """The facts about the ledger."""
    return {dict(row)["name"]: dict(row)["value"] for row in rows(place, "meta")["meta"]}


def states(place):
    """Message, revision and number → state."""
    ledger = at(place)
    found = {(one.message, one.revision, one.number): one.state for one in ledger.records()}
    ledger.close()
    return found
