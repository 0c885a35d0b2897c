"""Small histories of a ledger in SQLite, for tests that need a past."""

import sqlite3
from dataclasses import dataclass

import worlds

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


def opened(path):
    """The ledger in this file, bound."""
    ledger = SqliteLedger(path)
    ledger.bind(BINDING)
    return ledger


def change(path, *statements):
    """Change a file behind the ledger's back; counts as one write."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements:
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'serial'")
    connection.execute("COMMIT")
    connection.close()


def rows(path, *tables):
    """All rows of these tables, or of all: what the file says, whatever its pages look like."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    found = {
        table: sorted(
            (tuple(sorted(dict(row).items())) for row in connection.execute(f"SELECT * FROM {table}")), key=repr
        )
        for table in tables or TABLES
    }
    connection.close()
    return found


def meta(path):
    """The facts about the file."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    found = dict(connection.execute("SELECT name, value FROM meta"))
    connection.close()
    return found


def states(path):
    """Message, revision and number → state."""
    ledger = SqliteLedger(path)
    found = {(one.message, one.revision, one.number): one.state for one in ledger.records()}
    ledger.close()
    return found
