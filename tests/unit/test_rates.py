"""What OVHcloud's rules say, and where they leave room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.rates import bill, credits_of, stop_clause

ADVERTISING = {"sender": "ACME"}


@pytest.mark.parametrize(
    ("length", "options", "parts", "exact"),
    [
        pytest.param(160, {"noStopClause": True}, 1, True, id="no clause"),
        pytest.param(161, {"noStopClause": True}, 2, True, id="no clause, two parts"),
        pytest.param(149, ADVERTISING, 1, True, id="the clause just fits"),
        pytest.param(150, ADVERTISING, 2, True, id="the clause makes a second part"),
        pytest.param(295, ADVERTISING, 2, True, id="both models say two"),
        pytest.param(296, ADVERTISING, 3, False, id="the models begin to disagree"),
        pytest.param(302, ADVERTISING, 3, False, id="the models disagree still"),
        pytest.param(303, ADVERTISING, 3, True, id="both models say three"),
        pytest.param(149, {}, 1, True, id="short number, one part either way"),
        pytest.param(150, {}, 2, False, id="short number, the clause is not sure"),
        pytest.param(150, {"sender": "ACME", "senderForResponse": True}, 2, False, id="the short number wins"),
        pytest.param(150, {"sender": "+33639980001"}, 2, False, id="a numeric sender"),
    ],
)
def test_parts_with_the_stop_clause(length, options, parts, exact):
    assert (parts, exact) == (bill("a" * length, options).parts, bill("a" * length, options).exact)


@given(st.text(min_size=1, max_size=400), st.sampled_from([{}, ADVERTISING, {"sender": "+33639980001"}]))
def test_the_clause_never_makes_a_text_cheaper(text, options):
    assert bill(text, options).parts >= bill(text, {"noStopClause": True}).parts


def test_only_rates_that_are_known_count_as_exact():
    assert ((2.0, True), (2.0, False), (1.0, False)) == (credits_of(2, "FR"), credits_of(2, "BE"), credits_of(1, None))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"noStopClause": True, "sender": "ACME"}, "none"),
        (ADVERTISING, "added"),
        ({}, "possible"),
        ({"sender": "+33639980001"}, "possible"),
        ({"sender": "ACME", "senderForResponse": True}, "possible"),
    ],
)
def test_whether_a_stop_clause_is_added(options, expected):
    assert expected == stop_clause(options)
