"""One history: files that change, runs that break off, and what the provider's journal says in the end.

A run is the command's own (`smsdeclare.cli.run`); only the clock, the network and the ledger's boundaries are ours.
"""

import hashlib
import json
import sys
import zlib
from collections import Counter
from contextlib import closing, contextmanager
from copy import copy, deepcopy
from datetime import timedelta
from random import Random

import timed
import worlds
from crash.network import Adapter, Boundaries, Network
from ledgers import Read

from smsdeclare import planning
from smsdeclare.account import Facts
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.opening import SIGNATURE_WINDOW, Opened
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Session
from smsdeclare.clock import timestamp
from smsdeclare.define import define
from smsdeclare.errors import SmsdeclareError
from smsdeclare.format import Style
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.project import read
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.settle import Rules
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Sender, Service, Settings
from smsdeclare.states import FREE, IN_DOUBT, State

URL = "https://eu.api.ovh.com"
KEYS = ApplicationKeys(
    application_key=worlds.KEYS["OVH_APPLICATION_KEY"],
    application_secret=worlds.KEYS["OVH_APPLICATION_SECRET"],
    consumer_key=worlds.KEYS["OVH_CONSUMER_KEY"],
)
#: Those of the command away from loopback.
RULES = Rules(after=timedelta(minutes=30), trusts_absence=True)
#: A signature is taken for so long. Seconds.
WINDOW = 600.0
#: `expiresAt` of the message `limited`.
END = timed.START + timedelta(hours=1, minutes=20)
#: Who has this number is on the account's blacklist, and refused.
BLACKLISTED = worlds.number(100)
_HAS_ONE = frozenset({State.ACCEPTED, State.SCHEDULED, State.DELIVERED, State.FAILED})


class Scene:
    """A project before and after an edit; every message names itself and its revision in its text."""

    def __init__(self, folder, people, numbers=AS_KEPT):
        """`people` is how many receivers have a text, and so a POST, of their own."""
        self.folder = folder
        self.numbers = numbers
        self.before = self._define(folder / "before", self._old(people))
        self.after = self._define(folder / "after", self._new(people))

    @staticmethod
    def _define(folder, messages):
        used = {list_ for message in messages.values() for list_ in [message["to"]]}
        files = {
            "version": 1,
            "project": "test",
            "timezone": "UTC",
            "provider": {"name": "ovh", "endpoint": "ovh-eu", "service": worlds.SERVICE},
            "receivers": {name: {"numbers": _LISTS[name]} for name in sorted(used)},
            "messages": messages,
        }
        definitions = define(read(worlds.write(folder, {"smsdeclare.yaml": json.dumps(files)})))
        return definitions, planning.expand(definitions)

    @staticmethod
    def _old(people):
        return {
            "before": _message("before 1: Hello {{ name }}", "three"),
            "later": _message("later 1: Hello", "four", sendAt="2026-12-01 11:00"),
            "gone": _message("gone 1: Hello {{ name }}", "two", sendAt="2026-12-01 11:00"),
            "edited": _message("edited 1: Hello", "others", sendAt="2026-12-01 11:30"),
            "raised": _message("raised 1: Hello", "pair", sendAt="2026-12-01 12:00"),
        }

    @staticmethod
    def _new(people):
        _LISTS[f"people{people}"] = _people(200, people)
        return {
            "before": _message("before 1: Hello {{ name }}", "three"),
            "later": _message("later 1: Hello", "twoOfFour", sendAt="2026-12-01 11:00"),
            "edited": _message("edited 1: Hello again", "others", sendAt="2026-12-01 11:30"),
            "raised": _message("raised 2: Hello", "pair", revision=2),
            "limited": _message("limited 1: Hello {{ name }}", "hurried", expiresAt="2026-12-01 09:20"),
            "news": _message("news 1: Hello", "five"),
            "hello": _message("hello 1: Hello {{ name }}", f"people{people}"),
        }


def _people(start, count):
    return [{"number": worlds.number(start + place), "name": f"N{place}"} for place in range(count)]


def _message(text, to, **more):
    return {"text": text, "to": to, "options": {"sender": "SMSDECLARE", "noStopClause": True}, **more}


_LISTS = {
    "three": _people(0, 3),
    "four": _people(10, 4),
    "twoOfFour": _people(10, 2),
    "two": _people(20, 2),
    "others": _people(30, 4),
    "pair": _people(40, 2),
    "hurried": _people(50, 2),
    "five": _people(100, 5),
}


class BrokenLedger(SqliteLedger):
    """A real ledger with a boundary before, in and after each of its writes."""

    def __init__(self, path, boundaries, numbers):
        self._boundaries = boundaries
        super().__init__(path, numbers)

    @contextmanager
    def _transaction(self):
        name = sys._getframe(2).f_code.co_name
        self._boundaries.cross(f"before {name}")
        with super()._transaction() as run:
            yield run
            self._boundaries.cross(f"in {name}")
        self._boundaries.cross(f"after {name}")

    def bind(self, binding):
        self._boundaries.cross("before bind")
        super().bind(binding)
        self._boundaries.cross("after bind")


class Time(timed.Time):
    """Starts between two seconds, since servers and tools count whole ones."""

    def __init__(self, fraction=0.0):
        super().__init__()
        self._fraction = fraction
        #: So long the machine slept with its lid closed, which its monotonic clock does not count.
        self.slept = 0.0

    def now(self):
        return super().now() + timedelta(seconds=self._fraction)

    def monotonic(self):
        return self.elapsed - self.slept

    def suspend(self, seconds):
        self.elapsed += seconds
        self.slept += seconds


class History:
    """A state, a provider that keeps a journal, and runs that may break off."""

    def __init__(self, scene, state, seed=0, *, stale=0.0, rules=RULES, **settings):
        self.scene = scene
        self.state = state
        for left in state.parent.glob(f"*{state.name}*"):
            left.unlink()
        self.rules = rules
        self.chance = Random(seed)
        self.time = Time(self.chance.random())
        service = Service(name=worlds.SERVICE, senders=(Sender(name="SMSDECLARE"),), blacklist=(BLACKLISTED,))
        self.simulator = Simulator(Settings(origin=URL, services=(service,), signature_window=WINDOW, **settings))
        self.network = Network(self.simulator, self.time, self.chance, stale)
        self.definitions, self.expanded = scene.before
        #: The digest of the last plan that was carried out, or begun.
        self.digest = None

    def fork(self, name):
        """The same world a second time: what a kill at this moment leaves, on disk and at the provider."""
        other = copy(self)
        parts = (self.time, self.chance, self.simulator, self.network)
        settings = self.simulator.settings
        other.time, other.chance, other.simulator, other.network = deepcopy(parts, {id(settings): settings})
        other.state = self.state.with_name(f"{name}.state")
        for suffix in ("", "-journal"):
            found, copied = (path.with_name(path.name + suffix) for path in (self.state, other.state))
            copied.unlink(missing_ok=True)
            if found.exists():
                copied.write_bytes(found.read_bytes())
        return other

    def edit(self):
        """The files as they are after the edit."""
        self.definitions, self.expanded = self.scene.after

    def revert(self):
        """The files as they were."""
        self.definitions, self.expanded = self.scene.before

    # — runs —

    def apply(self, boundaries=None, *, approved=None, stop=lambda: False, wait=timedelta()):
        """`smsdeclare apply --auto-approve`, or with a digest that is approved; the exit code."""
        with self._run(boundaries) as (run, holder):
            ledger, opened = run.ledger, run.opened

            def work_out(digest):
                return planning.work_out(
                    self.definitions,
                    self.expanded,
                    ledger,
                    opened.binding,
                    account=Facts(credits_left=opened.provider.credits_left()),
                    now=opened.provider.now(),
                    approved=digest,
                    margin=SIGNATURE_WINDOW,
                )

            try:
                with holder:
                    run.settle(stop)
                    draft = work_out(approved)
                    if approved not in (None, draft.plan.digest):
                        return 7
                    self.digest = draft.plan.digest
                    if not run.interrupted:
                        run.carry_out(draft, SIGNATURE_WINDOW, work_out, stop)
                        for _ in run.until_known(wait, stop):
                            run.carry_out(work_out(draft.plan.digest), SIGNATURE_WINDOW, work_out, stop)
                    return run.exit_code(run.sum_up(draft.plan.digest))
            except SmsdeclareError as error:
                return error.exit_code

    def settle(self, boundaries=None):
        """`smsdeclare settle`; the exit code."""
        return self._look(boundaries)

    def refresh(self, boundaries=None):
        """`smsdeclare refresh`; the exit code."""
        return self._look(boundaries, Run.refresh)

    def _look(self, boundaries, *more):
        with self._run(boundaries) as (run, _):
            try:
                for look in (Run.settle, *more):
                    look(run, lambda: False)
                return run.exit_code(run.sum_up())
            except SmsdeclareError as error:
                return error.exit_code

    @contextmanager
    def _run(self, boundaries):
        boundaries = boundaries or Boundaries()
        provider = OvhProvider(
            url=f"{URL}/1.0",
            credentials=KEYS,
            service=worlds.SERVICE,
            clock=self.time,
            adapter=Adapter(self.network, boundaries),
            holds_advertising=True,
        )
        opened = Opened(provider=provider, binding=timed.BINDING, clock=self.time, outbox=None, rules=self.rules)
        session = Session(folder=self.scene.folder, root_file=None, style=Style(), quiet=True, verbose=False)
        with closing(BrokenLedger(self.state, boundaries, self.scene.numbers)) as ledger:
            holder = Holder(ledger, self.time)
            yield Run(session=session, opened=opened, ledger=ledger, holder=holder), holder

    def unlock(self):
        """`smsdeclare state unlock`, or a lease whose process is seen to have ended."""
        if self.state.exists():
            with closing(SqliteLedger(self.state)) as ledger:
                ledger.let_go(None, timestamp(self.time.now()))

    def begin(self):
        """A first run, which leaves SMS that wait at the provider and two unknown ones; then the edit."""
        self.network.script("POST", "ald")
        assert 4 == self.apply()
        self.time.pass_(minutes=40)
        self.edit()

    def run_until_quiet(self, approved=None):
        """Without faults, until long after the last SMS went out; the last exit code."""
        for method in ("POST", "DELETE", "GET"):
            self.network.script(method, "")
        self.apply(approved=approved)
        for minutes in (1, 45, 45):
            self.time.pass_(minutes=minutes)
            self.apply(approved=approved)
        self.time.elapsed = max(self.time.elapsed, timedelta(hours=5).total_seconds())
        for _ in range(3):
            self.time.pass_(minutes=45)
            code = self.apply(approved=approved)
        self.network.arrive()
        return code

    # — the witness —

    @property
    def states(self):
        """(message, revision, number) → where it stands on record."""
        with closing(Read(SqliteLedger(self.state, self.scene.numbers))) as ledger:
            return {(one.message, one.revision, one.number): one.state for one in ledger.records()}

    @property
    def trusts_absence(self):
        """Whether absence may still count."""
        with closing(SqliteLedger(self.state)) as ledger:
            return ledger.trusts_absence

    @property
    def received(self):
        """(message, revision, number) → how many SMS were not taken back in time."""
        return Counter((*_named(line["message"]), line["receiver"]) for line in self.simulator.history.alive())

    @property
    def wanted(self):
        """What the files ask for."""
        return {(one.message.name, one.message.revision, send.number) for one in self.expanded for send in one.sends}

    def doubled(self):
        """Who had two SMS that went out, or were about to, at any moment."""
        keys, alive = {}, Counter()
        for line in self.simulator.journal:
            if "cancelled" in line:
                alive[keys[line["cancelled"]]] -= 1
                continue
            key = keys[line["id"]] = (*_named(line["message"]), line["receiver"])
            alive[key] += 1
            if alive[key] > 1:
                yield f"{key}: {alive[key]} SMS at once"

    def wrongs(self, code):
        """Whatever is not right in the end: doubled, lost in silence, or on record as what did not happen."""
        yield from self.doubled()
        states, received, wanted = self.states, self.received, self.wanted
        for key in sorted(wanted | set(states) | set(received)):
            if not self._fits(key, states, received[key], is_wanted=key in wanted):
                yield f"{key}: {received[key]} SMS, on record as {states.get(key)}"
        for line in self.simulator.history.alive():
            if _named(line["message"])[0] == "limited" and line["createdAt"] > END.timestamp():
                yield f"{line['receiver']}: sent after its end"
        expected = 4 if set(states.values()) & IN_DOUBT else 0
        if code != expected:
            yield f"exit code {code}, expected {expected}"

    @staticmethod
    def _fits(key, states, count, *, is_wanted):
        message, revision, number = key
        state = states.get(key)
        if state is None:
            # Nobody knows about a lower revision, so this one waits.
            lower = [states.get((message, one, number)) for one in range(1, revision)]
            return count == 0 and (not is_wanted or bool(set(lower) & IN_DOUBT))
        if state in IN_DOUBT:
            return True
        return count == (1 if state in _HAS_ONE else 0) and not (is_wanted and state in FREE)

    def fingerprint(self, *, in_writes):
        """Equal for worlds in which whatever comes next comes out alike."""
        files = [self.state, *([self.state.with_name(f"{self.state.name}-journal")] if in_writes else [])]
        content = b"".join(one.read_bytes() for one in files if one.exists())
        journal, under_way = len(self.simulator.history), self.network.under_way
        return hashlib.sha1(content).digest(), journal, under_way, int(self.time.elapsed / 60)

    @property
    def unknown(self):
        """How many nobody knows about in the end."""
        return sum(state in IN_DOUBT for state in self.states.values())


def _named(text):
    name, revision = text.split(":")[0].split(" ")
    return name, int(revision)


def seed_of(*what):
    """One seed for one history, the same everywhere."""
    return zlib.crc32(repr(what).encode())
