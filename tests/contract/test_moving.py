"""A state is moved between any two kinds of ledger; wherever that is broken off, never two of them send."""

import json
from contextlib import closing

import ledgers
import pytest
from contract.test_ledgers import KINDS
from ledgers import AT, HASHED, A, B, C

from smsdeclare import codes
from smsdeclare.cli.state_moving import Side, move
from smsdeclare.clock import SystemClock
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, SmsdeclareError, StateError
from smsdeclare.ledgers.naming import AS_KEPT, Numbers
from smsdeclare.records import Key, Lease, Move
from smsdeclare.states import State

STEPS = ("begin_move", "pull", "push", "end_move")


class Crash(BaseException):
    """Not an Exception: nothing may handle it, as nothing handles a kill."""


class Crashing:
    """A ledger before or after one of whose steps the process ends."""

    def __init__(self, ledger, when, step):
        self._ledger, self._when, self._step = ledger, when, step

    def __getattr__(self, name):
        found = getattr(self._ledger, name)
        if name != self._step:
            return found

        def call(*given, **more):
            if self._when == "before":
                raise Crash
            found(*given, **more)
            raise Crash

        return call


class Failing(Crashing):
    """A ledger of which a step fails with a code."""

    def __getattr__(self, name):
        if name == self._step:
            raise StateError(Diagnostic(code=self._when, detail=""))
        return getattr(self._ledger, name)


#: From each kind, and to each.
WAYS = list(zip(KINDS, (*KINDS[1:], KINDS[0]), strict=True))


def placed(kinds, request, folder):
    names = ("old", "new")
    for name in names:
        (folder / name).mkdir()
    return [ledgers.place(kind, request, folder / name) for kind, name in zip(kinds, names, strict=True)]


@pytest.fixture(params=WAYS, ids=" to ".join)
def any_places(request, tmp_path):
    return placed(request.param, request, tmp_path)


@pytest.fixture(params=[("sqlite", "postgresql"), ("postgresql", "sqlite")], ids=" to ".join)
def places(request, tmp_path):
    """Where each step is tried; a store of whole files takes its time."""
    return placed(request.param, request, tmp_path)


def sides(places, numbers=AS_KEPT, wrap=lambda ledger: ledger):
    return [
        Side(place=name, open=lambda place=place: wrap(ledgers.at(place, numbers)), binding=lambda bound: bound)
        for name, place in zip(("the old place", "the new place"), places, strict=True)
    ]


def run(places, **more):
    return move(*sides(places, **more), SystemClock(), lambda: None)


def fill(place, numbers=AS_KEPT):
    with closing(ledgers.opened(place, numbers)) as ledger:
        ledgers.send(ledger, State.ACCEPTED, A)
        ledgers.send(ledger, State.UNKNOWN, B)


def can_claim(place, number, numbers=AS_KEPT):
    """Whether a run would post from here."""
    with closing(ledgers.at(place, numbers)) as ledger:
        if ledger.binding is None:
            return False
        try:
            ledger.bind(ledgers.BINDING)
            return ledgers.claim(ledger, number) is not None
        except StateError as error:
            if error.diagnostics[0].code not in (codes.STATE_MOVED, codes.MOVE_UNFINISHED):
                raise
            return False


@pytest.mark.parametrize("numbers", [AS_KEPT, HASHED], ids=["with numbers", "without"])
def test_all_that_is_on_record_goes_along(any_places, numbers):
    old, new = any_places
    fill(old, numbers)
    before = ledgers.rows(old, "sends", "jobs", "completions")
    contents = run(any_places, numbers=numbers)
    assert (2, before) == (contents.sends, ledgers.rows(new, "sends", "jobs", "completions"))
    assert not can_claim(new, A, numbers)
    assert (False, True) == (can_claim(old, C, numbers), can_claim(new, C, numbers))
    with closing(ledgers.at(old, numbers)) as ledger, pytest.raises(StateError, match="to the new place") as caught:
        ledger.check_not_moved()
    assert codes.STATE_MOVED is caught.value.diagnostics[0].code
    assert '"moved"' in ledgers.meta(old)["features"]
    assert "moved" not in str(ledgers.meta(new))
    with pytest.raises(StateError, match="was moved"):
        run(any_places)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_broken_off_anywhere_it_never_leaves_two_that_send_and_goes_on_where_it_was(places, when, step):
    old, new = places
    fill(old)
    with pytest.raises(Crash):
        run(places, wrap=lambda ledger: Crashing(ledger, when, step))
    if (when, step) == ("before", "begin_move"):
        with closing(ledgers.at(old)) as ledger:
            ledger.check_not_moved()  # nothing has happened yet
    else:
        assert not can_claim(old, "+33639980007")
    can_claim(new, "+33639980008")
    with closing(ledgers.at(old)) as ledger:
        ledger.let_go(None, AT)
    if (when, step) == ("after", "end_move"):
        with pytest.raises(StateError, match="was moved"):
            run(places)
    else:
        run(places)
    assert (False, True) == (can_claim(old, C), can_claim(new, C))


def test_a_run_that_planned_before_posts_nothing_from_the_old_place(places):
    old, _ = places
    fill(old)
    with closing(ledgers.at(old)) as planned:
        epoch = planned.epoch
        run(places)
        with pytest.raises(SmsdeclareError):
            ledgers.claim(planned, C, epoch=epoch)


def test_a_run_that_is_at_work_is_left_to_finish(places):
    old, _ = places
    fill(old)
    until = "2999-01-01T00:00:00Z"
    with closing(ledgers.at(old)) as ledger:
        lease = Lease(holder="x", actor="x", host="elsewhere", pid=1, ci=None, since=AT, until=until)
        ledger.hold(lease, lambda one: False)
    before = ledgers.rows(old)
    with pytest.raises(Held):
        run(places)
    assert before == ledgers.rows(old)


def test_another_state_is_never_overwritten(places):
    old, new = places
    fill(old)
    fill(new)
    before = ledgers.rows(old), ledgers.rows(new)
    with pytest.raises(StateError, match="already"):
        run(places)
    assert before == (ledgers.rows(old), ledgers.rows(new))


def test_what_is_being_moved_goes_nowhere_else(places, tmp_path):
    fill(places[0])
    with pytest.raises(Crash):
        run(places, wrap=lambda ledger: Crashing(ledger, "before", "pull"))
    here, _ = sides(places)
    third = Side(place="a third place", open=lambda: ledgers.at(tmp_path / "third.state"), binding=lambda bound: bound)
    with pytest.raises(StateError, match="being moved"):
        move(here, third, SystemClock(), lambda: None)
    assert not (tmp_path / "third.state").exists()


@pytest.mark.parametrize(
    ("code", "goes_on"),
    [
        pytest.param(codes.STATE_FORBIDDEN, True, id="the copy was refused"),
        pytest.param(codes.STATE_COMMIT_UNKNOWN, False, id="nobody knows whether it arrived"),
        pytest.param(codes.STATE_UNREACHABLE, False, id="the connection was lost"),
    ],
)
def test_only_where_the_copy_surely_did_not_arrive_the_old_state_goes_on(places, code, goes_on):
    old, _ = places
    fill(old)
    with pytest.raises(StateError):
        run(places, wrap=lambda ledger: Failing(ledger, code, "push"))
    assert goes_on == can_claim(old, C)


def test_a_mark_that_can_not_be_read_refuses(tmp_path):
    place = tmp_path / "test.state"
    fill(place)
    ledgers.change(place, "INSERT INTO meta (name, value) VALUES ('moved', 'x')")
    assert not can_claim(place, C)


@pytest.fixture
def two(places):
    """One state, opened twice, with a send; who erases has the key."""
    keyed = Numbers(key=HASHED.key)
    with closing(ledgers.opened(places[0], keyed)) as first, closing(ledgers.at(places[0], keyed)) as second:
        ledgers.send(first, State.ACCEPTED, A)
        yield first, second


MARK = Move(to="there", actor="x", at=AT)
SEND = Key("hello", 1, A)


def test_what_a_version_must_understand_is_not_forgotten_by_who_opened_it_before(two, places):
    first, second = two
    first.erase([SEND], AT, "forget")
    second.begin_move(MARK)
    assert ["hashes", "moved"] == json.loads(ledgers.meta(places[0])["features"])


def test_nothing_is_erased_where_it_was_moved_meanwhile(two):
    """What is erased here would live on there."""
    first, second = two
    first.begin_move(MARK)
    with pytest.raises(StateError) as caught:
        second.erase([SEND], AT, "forget")
    assert codes.MOVE_UNFINISHED is caught.value.diagnostics[0].code
    assert [A] == [one.number for one in first.records()]
