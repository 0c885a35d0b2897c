"""The same histories on every kind of state: broken off at each boundary, and with each answer of the store lost."""

import uuid
from contextlib import suppress
from typing import NamedTuple

import ledgers
import worlds
from crash import breaking
from crash.breaking import Countdown, Crash, CrashingAdapter, CrashingLedger, Unhurried
from stores import Shelf, sealed

from smsdeclare import ahead
from smsdeclare.errors import SmsdeclareError
from smsdeclare.events import JobDone
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.postgresql import PostgresqlLedger
from smsdeclare.ledgers.sqlite import SqliteLedger

RECEIVERS = [worlds.number(place) for place in range(5)]
#: What becomes of POSTs. Two faults in a row at most: a run ends after three doubts in a row.
SCRIPTS = {letter: f"{letter}a{letter}{letter}a" for letter in "ald5tx"} | {"9": "a9"}


class _File:
    """A state in a file; what a store of it comes to is always known."""

    losses = ()

    def __init__(self, folder, numbers, _):
        self._path = folder / "test.state"
        self._path.unlink(missing_ok=True)
        self._numbers = numbers

    def ledger(self):
        return SqliteLedger(self._path, self._numbers)

    def watched(self, countdown, _):
        return CrashingLedger(self.ledger(), countdown)


class _Postgresql:
    """A schema of its own; the line to it is cut at a commit, before it arrives or before its answer does."""

    losses = ("before", "after")
    _given = 0

    def __init__(self, _, numbers, line):
        self._cluster, self._proxy = line
        self._numbers, self._schema = numbers, f"t{uuid.uuid4().hex[:12]}"

    def ledger(self, url=None):
        return PostgresqlLedger(url or self._cluster.url(), self._schema, Unhurried(), self._numbers)

    def watched(self, countdown, losses):
        self._given, self._proxy.cuts = len(losses), list(losses)
        return CrashingLedger(self.ledger(self._proxy.url), countdown)

    @property
    def stores(self):
        return self._given - len(self._proxy.cuts)


class Git:
    """A state that is stored whole; a store is lost, comes to nobody's knowledge, or another run is faster."""

    losses = tuple("uno")

    def __init__(self, _, numbers, __):
        self._numbers = numbers
        self.shelf = sealed() if numbers.are_hashed else Shelf()

    def ledger(self):
        return self.shelf.ledger(self._numbers)

    def watched(self, countdown, losses):
        return self.shelf.ledger(self._numbers, cross=countdown.cross, script=losses)

    @property
    def stores(self):
        return len(self.shelf.versions)


#: Name → kind of state, and how it keeps numbers; the one in Git without numbers is encrypted as well.
KINDS = {
    f"{name}{how}": (kind, numbers)
    for name, kind in (("file", _File), ("postgresql", _Postgresql), ("git", Git))
    for how, numbers in (("", AS_KEPT), ("-hashed", ledgers.HASHED))
}


class World(breaking.World):
    """One history on a state of some kind."""

    def __init__(self, folder, server, script, state):
        super().__init__(folder, server, script, RECEIVERS)
        self.state = state

    def ledger(self):
        return self.state.ledger()

    def run(self, countdown, losses=()):
        """One run as the command makes it, of which the state may lose some; the jobs that came to an outcome."""
        told = []
        with suppress(SmsdeclareError):
            ledger, adapter = self.state.watched(countdown, losses), CrashingAdapter(countdown)
            try:
                draft, clock = self.draft(ledger), Unhurried()
                ledger.bind(self.binding)
                events = ahead.apply(
                    draft.jobs, ledger, self.provider(clock, adapter), clock, plan_digest=draft.plan.digest, first=2
                )
                told.extend(event for event in events if isinstance(event, JobDone))
            finally:
                ledger.close()
                adapter.close()
        return told


class Tally(NamedTuple):
    """What histories came to."""

    boundaries: int
    histories: int
    wrongs: list


class Everywhere:
    """Histories on one kind of state. `line`: a server and a proxy before it, for those that need one."""

    def __init__(self, folder, server, name, line=None):
        self._folder, self._server, self._line = folder, server, line
        self._kind, self._numbers = KINDS[name]

    def history(self, script=""):
        return World(self._folder, self._server, script, self._kind(self._folder, self._numbers, self._line))

    def crashes(self, letter, every=1):
        """Broken off at each boundary, and repeated until it is quiet."""
        countdown, script = Countdown(), SCRIPTS[letter]
        self.history(script).run(countdown)
        tally = Tally(len(countdown.passed), 0, [])
        for place, name in list(enumerate(countdown.passed))[::every]:
            here = self.history(script)
            with suppress(Crash):
                here.run(Countdown(place))
                raise AssertionError(f"{name} was not reached")
            tally = self._judged(here, tally, f"{place} {name}")
        return tally

    def losses(self, every=1, first=0):
        """Each store, from a first one on, fails in each way that its kind knows."""
        tally = Tally(0, 0, [])
        if not self._kind.losses:
            return tally
        whole = self.history()
        whole.run(Countdown(), "a" * 100)
        stores = whole.state.stores
        for letter in self._kind.losses:
            for place in range(first, stores, every):
                here = self.history()
                if letter == "o":
                    here.state.shelf.other = lambda here=here: here.run(Countdown())
                here.run(Countdown(), [*("a" * place), letter])
                tally = self._judged(here, tally, f"{letter} at store {place}")
        return tally

    @staticmethod
    def _judged(here, tally, name):
        here.run_until_quiet()
        wrongs = [f"{name}: {wrong}" for wrong in here.wrongs()]
        return tally._replace(histories=tally.histories + 1, wrongs=tally.wrongs + wrongs)
