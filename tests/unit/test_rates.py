"""What OVHcloud's rules say, and where they leave room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.rates import Bills, Rate, Rates, bill, credits_of, sender_types, stop_clause
from smsdeclare.simulator import text as simulator
from smsdeclare.simulator.settings import Settings

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


@given(
    # About as long, so that some are equally long and differ in which characters take two units.
    st.lists(
        st.sampled_from(["a€", "aê", "aê😀"]).flatmap(lambda of: st.text(of, min_size=67, max_size=70)), max_size=20
    ),
    st.sampled_from([{}, ADVERTISING, {"noStopClause": True}]),
)
def test_bills_of_many_texts_are_those_of_each(texts, options):
    together = Bills(options)
    assert [bill(text, options) for text in texts] == [together.of(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "options", "parts", "fewest"),
    [
        pytest.param("a" * 152 + "€" + "a" * 152, {"noStopClause": True}, 3, 2, id="an escape at the end of a part"),
        pytest.param("a" * 152 + "€" + "a" * 151, {"noStopClause": True}, 2, 2, id="there is room for it"),
        pytest.param("ê" * 66 + "😀" + "ê" * 66, {"noStopClause": True}, 3, 2, id="a surrogate pair"),
        pytest.param("a" * 152 + "€" + "a" * 141, ADVERTISING, 3, 2, id="with the clause"),
    ],
)
def test_whether_a_pair_of_units_is_torn_is_not_sure(text, options, parts, fewest):
    found = bill(text, options)
    assert (parts, fewest, parts == fewest) == (found.parts, found.fewest, found.exact)


@given(
    st.text(st.sampled_from("a€ê😀"), min_size=1, max_size=1200),
    st.sampled_from([ADVERTISING, {"noStopClause": True}]),
)
def test_the_figures_lie_within_all_readings_of_the_rules(text, options):
    """Of how the clause counts, and of whether a pair of units is torn."""
    found = bill(text, options)
    simulated = {
        simulator.measure(text, Settings(stop_limit=limit, whole_characters=whole), stop=options is ADVERTISING).parts
        for limit in (295, 302)
        for whole in (True, False)
    }
    assert found.fewest <= min(simulated)
    assert max(simulated) <= found.parts
    assert not found.exact or simulated == {found.parts}


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        pytest.param("FR", Rate(1.0, exact=True), id="France, by the FAQ"),
        pytest.param("BE", Rate(2.1, exact=False), id="1.35 as read in France"),
        pytest.param("GB", Rate(1.6, exact=False), id="1.05 as read in France, 0.5 in Britain's guide"),
        pytest.param("IE", Rate(1.1, exact=False), id="0.7 as read in France, 0.8 in Ireland's guide"),
        pytest.param("GG", Rate(1.6, exact=False), id="no destination of its own: Britain's prefix"),
    ],
)
def test_where_nobody_is_asked_a_cautious_figure_counts(country, expected):
    """Above all that is published, by whatever country of billing."""
    assert expected == Rates().of("+447700900123", country)


def test_what_the_provider_answered_wins():
    rates = Rates({"FR": Rate(1.2, exact=True), "GB": Rate(0.4, exact=True)})
    assert Rate(1.2, exact=True) == rates.of("+33639980001", "FR")
    assert Rate(0.4, exact=True) == rates.of("+447700900123", "GB")


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        pytest.param("+447700900123", None, Rate(0.4, exact=True), id="one destination has the prefix"),
        pytest.param("+447781000000", "GG", Rate(0.4, exact=False), id="a place that shares another's prefix"),
        pytest.param("+15555550123", None, Rate(8.4, exact=False), id="several have it, the highest counts"),
        pytest.param("+88213000000", None, Rate(21.0, exact=False), id="none has it: the highest of all"),
    ],
)
def test_a_number_of_no_destination_goes_by_its_prefix(number, country, expected):
    rates = Rates({place: Rate(each, exact=True) for place, each in {"GB": 0.4, "US": 2.0, "JM": 3.0}.items()})
    assert expected == rates.of(number, country)


def test_credits_are_parts_at_a_rate():
    assert 0.3 == credits_of(3, Rate(0.1, exact=True))


def test_the_count_of_the_provider_settles_a_doubt_where_the_rules_allow_it():
    doubtful = bill("a" * 296, ADVERTISING)
    assert (2, True) == (doubtful.settled(2).parts, doubtful.settled(2).exact)
    assert (3, True) == (doubtful.settled(3).parts, doubtful.settled(3).exact)
    assert doubtful == doubtful.settled(1) == doubtful.settled(4)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("shortcode",)),
        ({"sender": "ACME"}, ("alpha",)),
        ({"sender": "ACME", "senderForResponse": True}, ("shortcode",)),
        ({"sender": "+33639980001"}, ("numeric", "virtual")),
    ],
)
def test_what_a_sender_may_be_taken_for(options, expected):
    assert expected == sender_types(options)


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
