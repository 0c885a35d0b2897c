"""What phones would show: counted and split is the real text, shown is no more than may be."""

import pytest
import worlds
from hypothesis import example, given
from hypothesis import strategies as st

from smsdeclare.encoding import STOP_CLAUSE, measure
from smsdeclare.errors import InputError
from smsdeclare.preview import Cost, preview_all

QUIET = {"noStopClause": True}


def preview(text, people, is_meant=None, **more):
    definitions = worlds.definitions(text, people, **{**QUIET, **more})
    (found,) = preview_all(definitions, definitions.messages, is_meant)
    return found


# — counts —


def test_receivers_are_counted_by_what_their_sms_comes_to():
    found = preview("{{ n }}", [{"n": "ê" * 71}, {"n": "a"}, {"n": "b"}, {"n": "a" * 161}, {"n": "ê"}])
    assert {
        Cost("gsm7", 1, 1.0, exact=True): 2,
        Cost("unicode", 1, 1.0, exact=True): 1,
        Cost("gsm7", 2, 2.0, exact=True): 1,
        Cost("unicode", 2, 2.0, exact=True): 1,
    } == found.costs
    assert (5, 7.0, True, 2) == (found.receivers, found.credits, found.is_exact, found.in_unicode)
    assert [1.0, 1.0, 2.0, 2.0] == [cost.credits for cost in found.costs]


def test_a_rate_that_is_not_known_leaves_the_sum_in_doubt():
    found = preview("Hi", [{}], country="BE")
    assert (2.1, False, False) == (found.credits, found.is_exact, found.example.cost.exact)


def test_nobody_is_no_example():
    found = preview("Hi", [])
    assert (0, 0.0, None, {}) == (found.receivers, found.credits, found.example, found.costs)


def test_a_clause_whose_parts_are_not_known_for_sure_leaves_the_sum_in_doubt():
    found = preview("a" * 296, [{}], noStopClause=False, sender="ACME")
    assert (3.0, False) == (found.credits, found.is_exact)


# — the example —


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        pytest.param(["a", "b" * 161, "ê"], 1, id="the most parts"),
        pytest.param(["a" * 160, "ê"], 1, id="then Unicode"),
        pytest.param(["a", "bb", "c"], 1, id="then the longest"),
        pytest.param(["a", "b"], 0, id="then the first"),
    ],
)
def test_the_example_is_a_receiver_whose_text_takes_most(values, chosen):
    found = preview("{{ n }}", [{"n": value} for value in values])
    assert (worlds.number(chosen), values[chosen], chosen) == (
        found.example.number,
        found.example.text,
        found.example.span.line,
    )


def test_one_receiver_is_looked_at_alone_and_broken_texts_of_others_do_not_matter():
    people = [{}, {"n": "Ana"}, {}]
    found = preview("{{ n }}", people, lambda message, number: (message.name, number) == ("hello", worlds.number(1)))
    assert (1, "Ana", worlds.number(1)) == (found.receivers, found.example.text, found.example.number)


def test_holes_are_reported_for_everybody_who_has_one():
    with pytest.raises(InputError) as failure:
        preview("{{ n }}", [{}, {"n": "Ana"}, {}])
    assert [0, 2] == [found.span.line for found in failure.value.diagnostics]


def test_an_example_says_how_full_its_last_part_is():
    found = preview("a" * 150 + "{{ n }}", [{"n": "€"}]).example
    assert (152, 8, 1) == (found.units, found.room, found.parts_without_clause)


@pytest.mark.parametrize(
    ("options", "clause", "stop"),
    [
        pytest.param({"noStopClause": True}, "", "none", id="switched off"),
        pytest.param({"noStopClause": False, "sender": "ACME"}, STOP_CLAUSE, "added", id="the sender is a name"),
        pytest.param({"noStopClause": False, "sender": "+33639980001"}, STOP_CLAUSE, "possible", id="a number"),
        pytest.param({"noStopClause": False}, STOP_CLAUSE, "possible", id="no sender"),
    ],
)
def test_a_stop_clause_that_is_counted_is_shown(options, clause, stop):
    found = preview("a" * 155, [{}], **options)
    assert (stop, "a" * 155 + clause) == (found.stop_clause, "".join(found.example.parts))
    assert (1, 2 if clause else 1) == (found.example.parts_without_clause, len(found.example.parts))


# — own values —


def veiled(text, **own):
    return preview(text, [own]).example.veiled


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        pytest.param("a" * 150 + "{{ n }}bbb", {"n": "1234567890"}, ("a" * 150 + "‹n›", "bbb"), id="within a value"),
        pytest.param("a" * 153 + "{{ n }}", {"n": "1234567890"}, ("a" * 153, "‹n›"), id="before a value"),
        pytest.param("{{ n }}{{ m }}" + "a" * 160, {"n": "12", "m": "3"}, ("‹n›‹m›" + "a" * 150, "a" * 10), id="two"),
        pytest.param("{{ n|upper }}" + "a" * 160, {"n": "12"}, ("‹N›" + "a" * 151, "a" * 9), id="in capitals"),
        pytest.param("{{ row['n'] }}" + "a" * 160, {"n": "12"}, ("‹n›" + "a" * 151, "a" * 9), id="a column"),
        pytest.param("‹n›" + "a" * 70, {}, ("‹n›" + "a" * 64, "a" * 6), id="quotes of the text's own"),
        pytest.param("{{ n }}", {"n": "x" * 400}, ("‹n›", "", ""), id="longer than two parts"),
        pytest.param("{{ n }}", {"n": "x" * 160}, ("‹n›",), id="one part"),
        pytest.param("{{ n }}{{ n }}" + "a" * 160, {"n": "12"}, None, id="a value beside itself"),
        pytest.param("{{ n|length }}" + "a" * 160, {"n": "12"}, None, id="a filter that counts"),
        pytest.param("{{ n|truncate(9) }}" + "a" * 160, {"n": "1" * 20}, None, id="a filter that cuts"),
        pytest.param("{{ n|length }}", {"n": "12"}, ("{{ n|length }}",), id="one part, as written"),
        pytest.param("a" * 161 + "{{ n|replace('é', 'ee') }}", {"n": "é"}, None, id="a filter that makes it longer"),
        pytest.param("a" * 161 + "{{ 'x' * (n|length - 2) }}", {"n": "12"}, None, id="a length that adds something"),
        pytest.param("{{ n|int(7) }}" + "a" * 160, {"n": "5"}, None, id="a filter with a default"),
        pytest.param("{{ n|int + 1 }}" + "a" * 160, {"n": "12"}, None, id="a filter that wants a figure"),
        pytest.param("{% if n == '12' %}b{% endif %}" + "a" * 160, {"n": "12"}, None, id="a condition"),
        pytest.param("\U000f0000{{ n }}" + "a" * 160, {"n": "\U000f0000"}, None, id="a text with our own mark"),
    ],
)
def test_the_parts_are_cut_where_those_of_the_real_text_are(text, own, expected):
    assert expected == veiled(text, **own)


def test_a_text_without_own_values_is_shown_as_it_goes_out():
    found = preview("‹{{ shop }}›" + "a" * 70, [{"n": "Ana"}], variables={"shop": "Deli"}).example
    assert (found.text, found.parts) == (found.sample, found.veiled)
    assert found.text.startswith("‹Deli›a")


@pytest.mark.parametrize("value", ["12", "Zoé", "x" * 300])
@pytest.mark.parametrize(
    "text",
    [
        "{{ n }}",
        "{{ n|first }}",
        "{{ n|length }}",
        "{% if n|length == 3 %}{{ n }}{% else %}-{% endif %}",
        "{{ n|title }}",
    ],
)
def test_no_own_value_is_shown_where_it_is_hidden(text, value):
    found = preview("a" * 200 + text, [{"n": value}]).example
    assert value not in "".join(found.veiled or found.sample)
    assert found.text.startswith("a" * 200)


#: Texts of letters, values of figures: so no value can stand in a text by chance.
PIECES = st.lists(st.one_of(st.text("ab €’\n", min_size=1, max_size=90), st.sampled_from(["{{ n }}", "{{ m }}"])))
VALUES = st.text("0123456789", min_size=1, max_size=170)


@given(
    PIECES, VALUES, VALUES, st.sampled_from([QUIET, {"noStopClause": False, "sender": "ACME"}, {"noStopClause": False}])
)
@example(["a" * 150, "{{ n }}", "b"], "1234567", "8", QUIET)
@example(["’" * 66, "{{ n }}", "b", "{{ m }}"], "1234567", "8", QUIET)
def test_parts_are_the_text_that_goes_out_and_their_veil_is_cut_at_the_same_places(pieces, n, m, options):
    text = "a" + "".join(pieces) + "a"
    found = preview(text, [{"n": n, "m": m}], **options).example
    whole = text.replace("{{ n }}", n).replace("{{ m }}", m) + found.clause
    assert whole == "".join(found.parts)
    assert measure(whole).parts == len(found.parts) == found.cost.parts
    if found.veiled is None:
        assert "{{ n }}{{ n }}" in text or "{{ m }}{{ m }}" in text
        return
    assert not set("0123456789") & set("".join(found.veiled).removesuffix(found.clause))
    assert len(found.parts) == len(found.veiled)
    real = seen = ""
    for part, shown in zip(found.parts, found.veiled, strict=True):
        real += part
        seen += shown.replace("‹n›", n).replace("‹m›", m)
        # A value that is cut stands before the cut as a whole.
        assert seen.startswith(real)
        assert len(seen) - len(real) < max(len(n), len(m))
    assert seen == real
