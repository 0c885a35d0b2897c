"""Where a history keeps its state: in a real file, or as a branch in Git does, in versions that are stored whole."""

import sqlite3
from contextlib import contextmanager
from random import Random

from stores import Shelf

from smsdeclare.ledgers.sqlite import SqliteLedger


class WatchedLedger(SqliteLedger):
    """The real ledger with a boundary before, in and after each of its writes."""

    def __init__(self, path, cross):
        self._cross = cross
        super().__init__(path)

    def _read_meta(self):
        """What is done first on each connection."""
        # These crashes end a process and not the machine: what was written is there. It is much faster so.
        self._connection.execute("PRAGMA journal_mode = MEMORY")
        self._connection.execute("PRAGMA synchronous = OFF")
        return super()._read_meta()

    def _create(self, binding):
        self._cross("before a write")
        super()._create(binding)
        self._cross("after a write")

    @contextmanager
    def _transaction(self):
        self._cross("before a write")
        with super()._transaction() as run:
            yield run
            self._cross("in a write")
        self._cross("after a write")


class InFile:
    """A file of its own."""

    def __init__(self, folder, clock, seed):
        del clock, seed
        self._path = folder / "test.state"
        self._path.unlink(missing_ok=True)
        #: One connection for all looks at it.
        self._reader = None

    @property
    def exists(self):
        return self._path.exists()

    def ledger(self):
        return SqliteLedger(self._path)

    def watched(self, cross):
        """As one run has it, which `cross` may break off."""
        return WatchedLedger(self._path, cross)

    def rows(self, query):
        """What a query finds in it, past the ledger."""
        if self._reader is None:
            self._reader = sqlite3.connect(self._path)
        return self._reader.execute(query).fetchall()

    def close(self):
        if self._reader is not None:
            self._reader.close()


#: What a boundary of a shelf is called in every history.
_NAMES = {"before store": "before a write", "after store": "after a write"}


class OnShelf:
    """A ledger that is stored whole, with windows of jobs. With a seed, of ten stores one is lost, or its answer is."""

    def __init__(self, folder, clock, seed):
        del folder
        self._shelf, self._clock = Shelf(), clock
        self._chance = None if seed is None else Random(seed)

    @property
    def exists(self):
        return self._shelf.newest is not None

    def ledger(self):
        return self._shelf.ledger(clock=self._clock)

    def watched(self, cross):
        script = self._chance.choices("aun", (18, 1, 1), k=60) if self._chance else ""
        return self._shelf.ledger(clock=self._clock, cross=lambda name: cross(_NAMES.get(name, name)), script=script)

    def rows(self, query):
        (_, content), _ = self._shelf.versions[self._shelf.newest]
        connection = sqlite3.connect(":memory:")
        connection.deserialize(content)
        found = connection.execute(query).fetchall()
        connection.close()
        return found

    def close(self):
        pass


#: Name → how a state is kept.
KINDS = {"file": InFile, "git": OnShelf}
