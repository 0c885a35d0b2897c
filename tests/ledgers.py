"""Small histories of a ledger, for tests that need a past; its place is a path, a `Schema` or a `Repository`."""

import os
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

import psycopg
import worlds
from psycopg.rows import dict_row

from smsdeclare.clock import SystemClock
from smsdeclare.ledgers.git import GitLedger, in_clear
from smsdeclare.ledgers.git_branch import FILE, Branch
from smsdeclare.ledgers.git_command import Git
from smsdeclare.ledgers.naming import AS_KEPT, Numbers
from smsdeclare.ledgers.postgresql import PostgresqlLedger
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.records import Binding, Intent, Outcome

BINDING = Binding(project="shop", provider="ovh", endpoint="ovh-eu", service=worlds.SERVICE)
AT = "2026-12-01T08:00:00Z"
A, B, C = (worlds.number(place) for place in (1, 2, 3))
#: How a state keeps no number.
HASHED = Numbers(are_hashed=True, key=b"k" * 32)
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

    def ledger(self, numbers=AS_KEPT):
        return PostgresqlLedger(self.cluster.url(), self.name, SystemClock(), numbers)

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


class Repository:
    """A branch of a bare repository, as far as a test asks for what a path has."""

    name = "test-state"

    def __init__(self, parent):
        self.parent = parent
        self.path = parent / "remote.git"
        self.git("init", "--quiet", "--bare", "--template=", self.path)
        # A few processes less for each push.
        with (self.path / "config").open("a") as stream:
            stream.write("[receive]\n\tautogc = false\n\tunpackLimit = 100000\n[gc]\n\tauto = 0\n")

    def git(self, *arguments, check=True, **more):
        """Run git in it, as somebody else would; what it says."""
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ("git", *(("-C", self.path) if self.path.is_dir() else ()), *arguments)
        return subprocess.run(command, check=check, capture_output=True, env=environment, **more).stdout

    def ledger(self, numbers=AS_KEPT, *, remote=None, clock=None, kind=Branch, environment=None, **more):
        clock = clock or SystemClock()
        around = {"PATH": os.environ["PATH"], "HOME": str(self.parent), **(environment or {})}
        branch = kind(Git(self.parent, remote or str(self.path), around), self.name, clock)
        return GitLedger(branch, clock, **{"seal": in_clear, "unseal": in_clear, "numbers": numbers, **more})

    @contextmanager
    def reading(self):
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        connection.deserialize(self.read_bytes())
        yield connection
        connection.close()

    def stores(self):
        """How many versions there were."""
        return int(self.git("rev-list", "--count", self.name))

    def is_file(self):
        return True

    def read_bytes(self):
        return self.git("cat-file", "blob", f"{self.name}:{FILE}")


def place(kind, request, folder):
    """Where a ledger of this kind may be; nothing is there yet."""
    if kind == "git":
        return Repository(folder)
    return folder / "test.state" if kind == "sqlite" else Schema(request.getfixturevalue("postgresql"), folder)


def at(place, numbers=AS_KEPT):
    """The ledger at this place."""
    return SqliteLedger(place, numbers) if isinstance(place, Path) else place.ledger(numbers)


def opened(place, numbers=AS_KEPT):
    """The ledger at this place, bound."""
    ledger = at(place, numbers)
    ledger.bind(BINDING)
    return ledger


class Read:
    """A ledger that keeps hashes, to whom knows the first numbers: a test written for numbers holds for it."""

    #: Methods that take what stands on record; all others take numbers as they are.
    _BY_RECORD = ("settle", "late", "resolve", "take_back", "end_take_back", "receive", "resend")

    def __init__(self, ledger):
        self._ledger = ledger

    def __getattr__(self, name):
        found = getattr(self._ledger, name)
        if not callable(found) or name in ("names", "claim", "claim_all"):
            return found

        def call(*given, **more):
            if name in self._BY_RECORD:
                given, more = self._put(given, self._to_hash()), self._put(more, self._to_hash())
            return self.read(found(*given, **more))

        return call

    def read(self, value):
        """The value with numbers in place of hashes."""
        return self._put(value, {name: number for number, name in self._to_hash().items()})

    def _to_hash(self):
        if not self._ledger.has_hashes:
            return {}
        return {number: self._ledger.names(number)[0] for number in map(worlds.number, range(250))}

    def _put(self, value, instead):  # noqa: PLR0911 - one for each kind of value
        """The value with one kind of name in place of the other, in its order."""
        if isinstance(value, str):
            return instead.get(value, value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{one.name: self._put(getattr(value, one.name), instead) for one in fields(value)})
        if isinstance(value, Mapping):
            return {self._put(name, instead): self._put(one, instead) for name, one in sorted(value.items())}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self._put(one, instead) for one in value))
        if isinstance(value, (tuple, set, frozenset)):
            return type(value)(self._put(one, instead) for one in value)
        if isinstance(value, (list, Iterator)):
            found = sorted((self._put(one, instead) for one in value), key=_order)
            return found if isinstance(value, list) else iter(found)
        return value


def _order(value):
    """That in which a ledger without hashes lists."""
    return tuple(str(getattr(value, name, "")) for name in ("message", "revision", "ordinal", "number"))


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
    if isinstance(place, Repository):
        ledger = place.ledger()
        for statement in statements:
            ledger._connection.execute(*((statement,) if isinstance(statement, str) else statement))
        ledger._is_ahead = True
        ledger._stored(lambda: None)
        ledger.close()
        return
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
