from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import timed
import worlds
from stores import Shelf

from smsdeclare import ahead
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.opening import Opened
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Session
from smsdeclare.errors import Held, StateError
from smsdeclare.events import JobDone
from smsdeclare.format import Style
from smsdeclare.lanes import OneLane
from smsdeclare.records import Stopped
from smsdeclare.simulator.settings import Settings

LIMIT = 5 * 60
PEOPLE = [worlds.number(place) for place in range(8)]
STOPPED = Stopped(reason="wrong text", actor="ana", at="2026-12-01T08:00:30Z")


class Slow(timed.Faulty):
    """Every POST takes its time, and what is to happen in it happens."""

    def __init__(self, simulator, time, seconds):
        super().__init__(simulator, time)
        self.time, self.seconds = time, seconds
        self.signed = []
        self.during = {}

    def send(self, request, **settings):
        if request.method == "POST":
            self.signed.append(int(request.headers["X-Ovh-Timestamp"]))
            self.during.pop(len(self.signed), lambda: None)()
            self.time.pass_(seconds=self.seconds)
        return super().send(request, **settings)


class World(timed.World):
    def __init__(self, folder, seconds=0, **settings):
        self.shelf = Shelf()
        self.seconds = seconds
        super().__init__(folder, **settings)

    def make_wire(self, script):
        return Slow(self.simulator, self.time, self.seconds)

    def _ledger(self, **more):
        return self.shelf.ledger(clock=self.time, **more)

    def start(self, *jobs, first=4, stores=""):
        ledger = self._ledger(script=stores)
        return ledger, ahead.apply(jobs, ledger, self.provider, self.time, plan_digest="sha256:plan", first=first)

    def apply(self, *jobs, **more):
        ledger, events = self.start(*jobs, **more)
        with closing(ledger):
            return list(events)

    def jobs_on_record(self):
        """Ordinal → when its request can't arrive any more, seconds after the start."""
        with closing(self._ledger()) as ledger:
            rows = ledger._connection.execute("SELECT ordinal, not_after FROM jobs").fetchall()
        return {ordinal: not_after - timed.START.timestamp() for ordinal, not_after in rows}

    def stores(self):
        return len(self.shelf.versions)


@pytest.fixture
def world(tmp_path):
    return lambda *given, **settings: World(tmp_path, *given, **settings)


def jobs(count, **more):
    return [timed.job(number, **more) for number in PEOPLE[:count]]


def test_a_window_is_on_record_with_a_limit_before_the_first_post_of_it(world):
    here, seen = world(), []
    here.wire.during[1] = lambda: seen.append(here.jobs_on_record())
    here.apply(*jobs(6))
    assert [dict.fromkeys((1, 2, 3, 4), LIMIT)] == seen
    assert PEOPLE[:6] == here.received


def test_nothing_is_signed_after_the_limit_and_what_is_left_is_claimed_anew(world):
    """Three POSTs fit into the five minutes; the fourth of the window goes out in the next."""
    here = world(120)
    here.apply(*jobs(6))
    assert PEOPLE[:6] == here.received
    limits = here.jobs_on_record()
    start = timed.START.timestamp()
    assert {1: LIMIT, 2: LIMIT, 3: LIMIT, 4: LIMIT} == {one: limits[one] for one in range(1, 5)}
    signed = [at - start for at in here.wire.signed]
    assert [0, 120, 240, 360, 480, 600] == signed
    # Those that went out later did so under later limits.
    assert all(any(at <= limit <= at + LIMIT for limit in limits.values()) for at in signed)
    assert dict.fromkeys(PEOPLE[:6], "accepted") == here.states


def test_what_a_dead_run_leaves_is_settled_after_the_limit_and_not_before(world):
    here = world()

    def die():
        raise KeyboardInterrupt

    here.wire.during[3] = die
    _, events = here.start(*jobs(4))
    with pytest.raises(KeyboardInterrupt):
        list(events)
    # As after a kill: what was stored at the end is gone.
    here.shelf.newest = list(here.shelf.versions)[1]
    assert dict.fromkeys(PEOPLE[:4], "intended") == here.states
    # Something surely sent is there to compare with.
    here.apply(timed.job(PEOPLE[7]))
    here.time.pass_(minutes=34)
    here.settle()
    assert {"accepted": 3, "intended": 2} == Counter(here.states.values())
    here.time.pass_(minutes=2)
    here.settle()
    assert {"accepted": 3, "notSent": 2} == Counter(here.states.values())
    here.apply(*jobs(4))
    assert [*PEOPLE[:4], PEOPLE[7]] == here.received


def test_what_the_night_would_hold_longer_than_is_on_record_is_claimed_anew(world):
    """The window is claimed before 20:00, when advertising goes out at once; later it would be held until morning."""
    here = world(120, holds_advertising=True)
    here.time.pass_(hours=10, minutes=57)
    here.apply(*jobs(4, noStopClause=False))
    assert PEOPLE[:4] == here.received
    limits = sorted(here.jobs_on_record().values())
    assert limits[-1] - limits[0] > timedelta(hours=8).total_seconds()


def test_a_time_that_comes_while_its_job_waits_is_not_posted_as_one_to_come(world):
    here = world(120)
    soon = timed.START + timedelta(minutes=3)
    here.apply(*jobs(4, send_at=soon))
    assert PEOPLE[:4] == here.received
    assert {"scheduled": 2, "accepted": 2} == Counter(here.states.values())


def test_a_stop_is_seen_while_a_window_is_posted(world):
    here = world(11)

    def stop():
        with closing(here._ledger()) as other:
            other.stop(STOPPED)

    here.wire.during[2] = stop
    with pytest.raises(Held, match="wrong text"):
        here.apply(*jobs(6))
    assert PEOPLE[:2] == here.received
    # What was claimed and not posted is free.
    assert {"accepted": 2, "notSent": 2} == Counter(here.states.values())


def test_nothing_is_told_before_it_is_on_record(world):
    here = world()
    ledger, events = here.start(*jobs(6))
    with closing(ledger):
        for event in events:
            assert isinstance(event, JobDone)
            assert "accepted" == here.states[event.claim.numbers[0]]
    assert PEOPLE[:6] == here.received


def test_what_can_not_be_stored_is_told_by_one_error_and_settled_later(world):
    here = world()
    with pytest.raises(StateError) as caught:
        here.apply(*jobs(6), stores="a" + "n" * 9)
    assert "SMS591" == caught.value.diagnostics[0].code.id
    assert PEOPLE[:4] == here.received
    assert dict.fromkeys(PEOPLE[:4], "intended") == here.states
    here.time.pass_(minutes=1)
    here.settle()
    assert dict.fromkeys(PEOPLE[:4], "accepted") == here.states


def test_what_was_stored_is_told_although_a_stop_overtook_another_write(world):
    """The miss of B waits for the next store, and by then somebody has stopped it; A and C are on record."""
    here = world(9)
    a, b, c = jobs(3)
    b = b._replace(times=b.times._replace(expires_at=timed.START + timedelta(seconds=5)))

    def stop():
        with closing(here._ledger()) as other:
            other.stop(STOPPED)

    here.wire.during[2] = stop
    ledger, events = here.start(a, b, c)
    told = []
    with closing(ledger), pytest.raises(Held, match="wrong text"):
        told.extend(event for event in events if isinstance(event, JobDone))
    assert [PEOPLE[0], PEOPLE[2]] == [number for event in told for number in event.claim.numbers]
    assert {PEOPLE[0]: "accepted", PEOPLE[1]: "notSent", PEOPLE[2]: "accepted"} == here.states


def test_the_lease_is_kept_however_late_a_slow_run_is_told_what_it_did(world):
    """One POST a minute: what came of a window is told after five, and the lease would be over two later."""
    here, seen = world(60), []
    opened = Opened(provider=here.provider, binding=timed.BINDING, clock=here.time, outbox=None, rules=timed.RULES)
    session = Session(folder=Path(), root_file=None, style=Style(), quiet=True, verbose=False)

    def look():
        with closing(here._ledger()) as other:
            (lease,) = other.leases
            seen.append(datetime.fromisoformat(lease.until) > here.time.now())

    here.wire.during = dict.fromkeys(range(1, 13), look)
    with closing(here._ledger()) as ledger:
        holder = Holder(ledger, here.time)
        holder.hold("sha256:plan")
        run = Run(session=session, opened=opened, ledger=ledger, holder=holder)
        several = [timed.job(worlds.number(place)) for place in range(12)]
        run._take_all(run._post(several, "sha256:plan", timedelta(), lambda: False, OneLane()), lambda: False)
    assert [True] * 12 == seen


def test_whoever_leaves_the_run_early_frees_what_was_not_posted(world):
    here = world()
    ledger, events = here.start(*jobs(8))
    next(events)
    events.close()
    ledger.close()
    assert {"accepted", "notSent"} == set(here.states.values())
    assert here.received == sorted(number for number, state in here.states.items() if state == "accepted")


@pytest.mark.parametrize(("seconds", "posts", "most"), [(1.0, 500, 12), (0.02, 1000, 7)])
def test_windows_grow_as_far_as_they_are_posted_in_a_minute(world, seconds, posts, most):
    (account, *_) = Settings().services
    here = world(seconds, services=(replace(account, credits=1000.0),))
    here.apply(*[timed.job(worlds.number(place)) for place in range(posts)], first=25)
    assert posts == len(here.received)
    assert here.stores() <= most
