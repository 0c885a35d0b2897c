"""The digest, and the plan as a document."""

import json
from array import array
from types import SimpleNamespace

import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.compare import Withdrawal
from smsdeclare.decisions import Action, Decisions, Verdict
from smsdeclare.plan import (
    Change,
    Plan,
    SkippedRow,
    Summary,
    Violation,
    Warned,
    digest,
    from_json,
    lines,
    lines_of,
    to_json,
)
from smsdeclare.records import Known
from smsdeclare.states import State

MESSAGE = SimpleNamespace(name="hello", revision=1, options={"noStopClause": True}, times=SimpleNamespace(written={}))


HI = sha256_hex(b"Hi")
NEWLINE = b"\n"


def decision(number="+33639980001", text="Hi", resends=0, action=Action.SEND, state=None):
    return Decisions(worlds.sends({number: text}), [Verdict(action, resends, state)], array("I", [0]))


def line(message, decisions):
    (only,) = lines_of(message, decisions)
    return only


def test_a_line_is_the_canonical_form_of_what_is_approved():
    options = {"sender": 'A"C\\ME', "validityPeriod": 60, "noStopClause": False}
    times = SimpleNamespace(written={"sendAt": "2026-12-01 09:00", "expiresAt": "d\u00e9but"})
    message = SimpleNamespace(name="hello", revision=12, options=options, times=times)
    found = decision("+33639980001", action=Action.REPLACE, resends=3)
    approved = ["hello", 12, "+33639980001", 3, "replace", HI, options, times.written]
    assert canonical(approved) == line(message, found)


def test_the_digest_is_over_the_lines():
    """Known by heart, so that an approval given to one version holds for the next."""
    text = b"3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8"
    assert b'["hello",1,"+33639980001",0,"send","%b",{"noStopClause":true},{}]' % text == line(MESSAGE, decision())
    assert "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" == digest([])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((MESSAGE, decision(number="+33639980002")), id="receiver"),
        pytest.param((MESSAGE, decision(text="e")), id="text"),
        pytest.param((MESSAGE, decision(resends=1)), id="freed by resend"),
        pytest.param((MESSAGE, decision(action=Action.REPLACE)), id="action"),
        pytest.param(
            (SimpleNamespace(name="hello", revision=2, options=MESSAGE.options, times=MESSAGE.times), decision()),
            id="revision",
        ),
        pytest.param(
            (SimpleNamespace(name="other", revision=1, options=MESSAGE.options, times=MESSAGE.times), decision()),
            id="message",
        ),
        pytest.param(
            (
                SimpleNamespace(
                    name="hello", revision=1, options=MESSAGE.options, times=SimpleNamespace(written={"sendAt": "x"})
                ),
                decision(),
            ),
            id="times as written",
        ),
        pytest.param(
            (SimpleNamespace(name="hello", revision=1, options={}, times=MESSAGE.times), decision()), id="options"
        ),
    ],
)
def test_everything_that_an_approval_is_given_to_changes_the_digest(other):
    assert digest([line(MESSAGE, decision())]) != digest([line(*other)])


def test_what_is_kept_has_no_line():
    assert [] == list(lines_of(MESSAGE, decision(action=Action.KEEP)))


@pytest.mark.parametrize("state", [None, State.NOT_SENT, State.ACCEPTED, State.UNKNOWN])
def test_where_it_stands_on_record_does_not(state):
    assert digest([line(MESSAGE, decision())]) == digest([line(MESSAGE, decision(state=state))])


numbers = st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True)
names = st.one_of(numbers, st.from_regex("#[0-9a-f]{2}", fullmatch=True))


@given(st.sets(numbers, min_size=1, max_size=9), st.sets(names, max_size=9))
def test_the_lines_are_ordered_by_number_whoever_is_written_to_or_taken_back(wanted, held):
    sends = worlds.sends(dict.fromkeys(wanted, "Hi"))
    decisions = Decisions(sends, [Verdict(Action.SEND, 0, None)], array("I", bytes(4 * len(wanted))))
    withdrawn = [Withdrawal("hello", 1, Known(one, State.SCHEDULED, 0, HI, "sha256:x")) for one in held]
    found = [json.loads(line) for line in lines({("hello", 1): lines_of(MESSAGE, decisions)}, withdrawn)]
    expected = [(one, "send") for one in wanted] + [(one, "cancel") for one in held]
    assert sorted(expected, key=lambda one: (one[0], one[1])) == [(line[2], line[4]) for line in found]


@given(st.lists(st.binary(max_size=3), max_size=250))
def test_a_digest_is_over_each_line_and_a_line_feed(found):
    assert f"sha256:{sha256_hex(b''.join(line + NEWLINE for line in found))}" == digest(found)


words = st.text(max_size=20)
counts = st.integers(0, 10**6)
figures = st.floats(0, 1e9, allow_nan=False)
changes = st.builds(
    Change,
    address=words,
    action=st.sampled_from(list(Action)),
    receivers=counts,
    send_at=st.none() | words,
    posts=counts,
    encoding=st.sampled_from(["gsm7", "unicode", "mixed"]),
    encodings=st.fixed_dictionaries({"gsm7": counts, "unicode": counts}),
    parts=st.fixed_dictionaries({"min": counts, "max": counts}),
    credits=figures,
    credits_exact=st.booleans(),
    sample=words,
    edited_since_sent=counts,
    reason=words,
    normalized=st.none(),
)
plans = st.builds(
    Plan,
    project=words,
    provider=words,
    endpoint=words,
    service=words,
    digest=words,
    created_at=words,
    changes=st.lists(changes, max_size=3).map(tuple),
    skipped=st.lists(
        st.builds(SkippedRow, address=words, ref=st.none(), file=words, line=counts, code=words, reason=words),
        max_size=2,
    ).map(tuple),
    warnings=st.lists(
        st.builds(Warned, code=words, message=words, file=st.none() | words, line=st.none() | counts, column=st.none()),
        max_size=2,
    ).map(tuple),
    violations=st.lists(
        st.builds(
            Violation, rule=words, limit=figures, actual=figures, address=st.none(), file=st.none(), line=st.none()
        ),
        max_size=2,
    ).map(tuple),
    summary=st.builds(Summary, send=counts, credits=figures, credits_left=st.none() | figures),
    variables=st.dictionaries(words, words, max_size=2),
    targets=st.lists(words, max_size=2).map(tuple),
)


@given(plans)
def test_a_plan_read_back_is_the_plan(plan):
    assert plan == from_json(to_json(plan))
