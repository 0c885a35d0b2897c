"""What is to be done for each send, for every state that it can be in."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import worlds

from smsdeclare import codes
from smsdeclare.canonical import sha256_hex
from smsdeclare.compare import compare
from smsdeclare.decisions import Action
from smsdeclare.definitions import Times
from smsdeclare.records import Known
from smsdeclare.states import State

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
A, B, C = "+33639980001", "+33639980002", "+33639980003"


class Recorded:
    """A ledger that knows what it is told: revision → rows."""

    has_hashes = False

    def __init__(self, **by_revision):
        self._rows = {int(name.removeprefix("r")): rows for name, rows in by_revision.items()}

    def revisions(self, message):
        return sorted(self._rows)

    def known(self, message, revision):
        return iter(sorted(self._rows[revision]))

    def names(self, number):
        return (number,)


def send(number, text="Hello"):
    return number, text


def known(number, state, text="Hello", resends=0, plan="sha256:earlier", **more):
    return Known(number, state, resends, sha256_hex(text.encode()), plan, **more)


def decide(sends, ledger, revision=1, approved=None):
    message = SimpleNamespace(name="hello", revision=revision, options={}, times=Times())
    expanded = SimpleNamespace(message=message, sends=worlds.sends(dict(sends)))
    return list(compare(expanded, ledger, NOW, approved))


@pytest.mark.parametrize(
    ("state", "action", "free"),
    [
        (State.INTENDED, Action.SETTLE, False),
        (State.UNKNOWN, Action.SETTLE, False),
        (State.CANCELLING, Action.SETTLE, False),
        (State.NOT_SENT, Action.SEND, True),
        (State.CANCELLED, Action.SEND, True),
        (State.ACCEPTED, Action.KEEP, False),
        (State.SCHEDULED, Action.KEEP, False),
        (State.REJECTED, Action.KEEP, False),
        (State.MISSED, Action.KEEP, False),
        (State.DELIVERED, Action.KEEP, False),
        (State.FAILED, Action.KEEP, False),
    ],
)
def test_only_what_is_proved_not_sent_is_sent_again(state, action, free):
    (decision,) = decide([send(A)], Recorded(r1=[known(A, state)]))
    assert (action, free) == (decision.action, decision.is_free)


def test_every_state_has_a_row_in_the_table_above():
    assert 11 == len(State)


def test_who_is_not_on_record_is_sent_to():
    decisions = decide([send(A), send(B), send(C)], Recorded(r1=[known(B, State.ACCEPTED)]))
    assert [Action.SEND, Action.KEEP, Action.SEND] == [decision.action for decision in decisions]


def test_an_edited_text_changes_nothing_but_is_counted():
    (decision,) = decide([send(A, "Hello again")], Recorded(r1=[known(A, State.ACCEPTED)]))
    assert (Action.KEEP, True) == (decision.action, decision.edited)


def test_a_higher_revision_sends_to_all_again():
    (decision,) = decide([send(A)], Recorded(r1=[known(A, State.ACCEPTED)]), revision=2)
    assert Action.SEND == decision.action


@pytest.mark.parametrize("state", [State.INTENDED, State.UNKNOWN, State.CANCELLING])
def test_who_is_unknown_at_a_lower_revision_waits(state):
    (decision,) = decide([send(A)], Recorded(r1=[known(A, state)]), revision=2)
    assert (Action.SETTLE, False) == (decision.action, decision.is_free)


def test_who_has_a_lower_revision_scheduled_gets_nothing_before_it_is_taken_back():
    held = known(A, State.SCHEDULED, send_at="2026-12-01T08:00:01Z")
    (decision,) = decide([send(A)], Recorded(r1=[held]), revision=2)
    assert (Action.SEND, held.send_at, False) == (decision.action, decision.held_until, decision.is_free)


def test_a_lower_revision_whose_time_has_passed_holds_nobody_up():
    """Nobody has read its receipt yet, so it stands on record as scheduled for ever."""
    out = known(A, State.SCHEDULED, send_at="2026-12-01T08:00:00Z")
    (decision,) = decide([send(A)], Recorded(r1=[out]), revision=2)
    assert (Action.SEND, None, True) == (decision.action, decision.held_until, decision.is_free)


def test_a_lowered_revision_sends_nothing_to_who_had_the_higher_one():
    decisions = decide([send(A), send(B)], Recorded(r2=[known(A, State.ACCEPTED)]), revision=1)
    assert [(Action.KEEP, True), (Action.SEND, False)] == [(one.action, one.superseded) for one in decisions]


def test_a_higher_revision_that_was_proved_not_sent_supersedes_nothing():
    (decision,) = decide([send(A)], Recorded(r2=[known(A, State.NOT_SENT)]), revision=1)
    assert Action.SEND == decision.action


@pytest.mark.parametrize("state", list(State))
def test_what_was_claimed_under_the_approved_plan_counts_as_a_send_of_that_plan(state):
    (decision,) = decide([send(A)], Recorded(r1=[known(A, state, plan="sha256:now")]), approved="sha256:now")
    assert Action.SEND == decision.action
    assert (state in (State.NOT_SENT, State.CANCELLED)) == decision.is_free


def test_an_approved_plan_waits_as_well_for_a_lower_revision_in_doubt():
    ledger = Recorded(r1=[known(A, State.UNKNOWN)], r2=[known(A, State.NOT_SENT, plan="sha256:now")])
    (decision,) = decide([send(A)], ledger, revision=2, approved="sha256:now")
    assert (Action.SEND, False, True) == (decision.action, decision.is_free, decision.is_doubtful)


def test_how_often_it_was_freed_goes_along():
    (decision,) = decide([send(A)], Recorded(r1=[known(A, State.NOT_SENT, resends=2)]))
    assert 2 == decision.resends


def test_who_had_a_higher_revision_that_is_to_be_resent_gets_no_lower_one():
    (decision,) = decide([send(A)], Recorded(r2=[known(A, State.NOT_SENT, resends=1)]), revision=1)
    assert (Action.KEEP, True) == (decision.action, decision.superseded)


def test_many_that_stand_alike_are_one_group():
    texts = {worlds.number(place): "Hello" for place in range(5)}
    recorded = Recorded(r1=[known(worlds.number(place), State.ACCEPTED) for place in (1, 3)])
    message = SimpleNamespace(name="hello", revision=1, options={}, times=Times())
    found = compare(SimpleNamespace(message=message, sends=worlds.sends(texts)), recorded, NOW)
    assert [(Action.SEND, 3, 3.0), (Action.KEEP, 2, 2.0)] == [
        (group.verdict.action, group.size, group.credits) for group in found.groups
    ]
    assert [worlds.number(1), worlds.number(3)] == list(found.of(found.groups[1:]).numbers)
    assert texts.keys() == set(found.of(found.groups).numbers)
    assert [] == list(found.of([]).numbers)


def test_who_is_left_out_is_a_group_of_its_own():
    message = SimpleNamespace(name="hello", revision=1, options={}, times=Times())
    expanded = SimpleNamespace(message=message, sends=worlds.sends({A: "Hello", B: "Hello"}))
    found = compare(expanded, Recorded(), NOW, left_out={B: codes.BLACKLISTED})
    assert [None, codes.BLACKLISTED] == [group.verdict.left_out for group in found.groups]
    assert [B] == list(found.of(found.groups[1:]).numbers)
