"""Which rows cost more, and why."""

import pytest
import worlds

from smsdeclare import sends
from smsdeclare.costs import surcharge_phrase

#: 90 characters and a name: one part in GSM, two in Unicode.
TEXT = "Bonjour {{ n }}, " + "a" * 80
PLAIN = {"n": "Ana"}


def found(people, text=TEXT, *, normalizes=False, **variables):
    """Line, column, characters, parts, and parts instead of each row that costs more; people stand on lines from 0."""
    definitions = worlds.definitions(text, people, variables, noStopClause=True, normalizes=normalizes)
    (message,) = definitions.messages
    return [
        (row.span.line, row.name, "".join(row.characters), row.parts, row.instead)
        for row in sends.expand(definitions, message).surcharges
    ]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        pytest.param([PLAIN, {"n": "Léo"}], [], id="plain rows, and an accent of the alphabet"),
        pytest.param([PLAIN, {"n": "Françoise"}], [(1, "n", "ç", 2, 1)], id="an accent outside it"),
        pytest.param([PLAIN, {"n": "Bo 🎉"}], [(1, "n", "🎉", 2, 1)], id="an emoji"),
        pytest.param([PLAIN, {"n": "L’Hôte"}], [(1, "n", "’ô", 2, 1)], id="two characters"),
        pytest.param([PLAIN, PLAIN, {"n": "x" * 90}], [(2, "n", "", 2, 1)], id="a long value"),
        pytest.param([PLAIN, {"n": "ç" * 30}], [(1, "n", "ç", 2, 1)], id="many of one character"),
        pytest.param([{"n": "ç"}, {"n": "ê"}], [(0, "n", "ç", 2, 1), (1, "n", "ê", 2, 1)], id="every row"),
        pytest.param([{"n": "x" * 90}, {"n": "y" * 90}], [], id="long as most are"),
        pytest.param([{"n": "x" * 90}, PLAIN], [(0, "n", "", 2, 1)], id="half of them, the cheaper half is usual"),
        pytest.param([PLAIN, {"n": "ç" + "x" * 90}], [(1, "n", "ç", 3, 2)], id="characters and length"),
    ],
)
def test_rows_that_cost_more_are_found(people, expected):
    assert expected == found(people)


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        pytest.param("{{ n }} ’" + "a" * 80, "ç", [], id="the text itself is in Unicode"),
        pytest.param("{{ n|upper }}" + "a" * 80, "à", [(1, "n", "À", 2, 1)], id="a filter makes it so"),
        pytest.param("{{ n }}", "ç", [], id="Unicode, and one part still"),
        pytest.param("{% if n == 'ç' %}ê{% else %}a{% endif %}" + "a" * 80, "ç", [], id="a condition"),
    ],
)
def test_a_row_is_named_only_where_mending_it_helps(text, own, expected):
    assert expected == found([PLAIN, {"n": own}], text)


def test_what_is_normalized_costs_no_more():
    people = [PLAIN, {"n": "Françoise"}, {"n": "Bo 🎉"}]
    assert [(2, "n", "🎉", 2, 1)] == found(people, normalizes=True)


def test_a_row_without_values_of_its_own_has_no_column():
    assert [(2, None, "", 2, 1)] == found([{"n": "a"}, {"n": "b"}, {}], "{{ n|default(long) }}", long="x" * 170)


def test_the_words_tell_no_value():
    definitions = worlds.definitions(TEXT, [PLAIN, {"n": "Françoise"}, {"n": "x" * 90}], noStopClause=True)
    rows = sends.expand(definitions, definitions.messages[0]).surcharges
    assert [
        "2 parts instead of 1, 1.5 credits more: `ç` U+00E7 (`c` would do) in n forces Unicode",
        "2 parts instead of 1, 1.5 credits more: the text is long, most of all by n",
    ] == [surcharge_phrase(row, 1.5) for row in rows]
