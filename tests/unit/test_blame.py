"""Where the characters come from that force Unicode."""

import pytest
import worlds

from smsdeclare.preview import preview_all

#: The line of the text; receivers stand on lines from 0.
TEXT = 6


def culprits(text, people, **variables):
    definitions = worlds.definitions(text, people, variables, noStopClause=True)
    (found,) = preview_all(definitions, definitions.messages)
    return found.culprits


def places(text, own, **variables):
    """Character → where it comes from."""
    return {
        one.character: [(place.source, place.name, place.span and place.span.line) for place in one.places]
        for one in culprits(text, [{}, own] if not own else [own], **variables)
    }


@pytest.mark.parametrize(
    ("text", "own", "variables", "expected"),
    [
        pytest.param("ê", {}, {}, {"ê": [("text", None, TEXT)]}, id="the text"),
        pytest.param("{{ 'ê' }}", {}, {}, {"ê": [("text", None, TEXT)]}, id="the text, within a tag"),
        pytest.param("{{ 'à'|upper }}", {}, {}, {"À": [("text", None, TEXT)]}, id="a filter of the text"),
        pytest.param("{{ n }}", {"n": "Zoë"}, {}, {"ë": [("value", "n", 0)]}, id="a value"),
        pytest.param("{{ row['n'] }}", {"n": "Zoë"}, {}, {"ë": [("value", "n", 0)]}, id="a column"),
        pytest.param("{{ row['ô'] }}", {"ô": "ô"}, {}, {"ô": [("value", "ô", 0)]}, id="a column of that name"),
        pytest.param("a{# ê #}{{ n }}", {"n": "ê"}, {}, {"ê": [("value", "n", 0)]}, id="a comment is not the text"),
        pytest.param("{{ n|upper }}", {"n": "à"}, {}, {"À": [("value", "n", 0)]}, id="a filter over a value"),
        pytest.param("{{ n|lower }}", {"n": "Ç"}, {}, {"ç": [("value", "n", 0)]}, id="small letters"),
        pytest.param("{{ n|title }}", {"n": "ǆ"}, {}, {"ǅ": [("value", "n", 0)]}, id="a title"),
        pytest.param(
            "{% if n == 'é' %}ê{% endif %}",
            {"n": "é"},
            {"n": "ê"},
            {"ê": [("text", None, TEXT)]},
            id="a variable that a value stands before",
        ),
        pytest.param("{{ n }}{{ m }}", {"m": "`"}, {"n": "a"}, {"`": [("value", "m", 0)]}, id="the one that has it"),
        pytest.param("{{ n }}", {}, {"n": "ê"}, {"ê": [("variable", "n", None)]}, id="a variable"),
        pytest.param("{{ n }}", {"n": "ê"}, {"n": "ô"}, {"ê": [("value", "n", 0)]}, id="a value before a variable"),
        pytest.param(
            "ê{{ n }}", {"n": "ê"}, {}, {"ê": [("text", None, TEXT), ("value", "n", 0)]}, id="the text and a value"
        ),
        pytest.param("ê{{ n }}", {}, {"n": "ê"}, {"ê": [("text", None, TEXT)]}, id="the text before a variable"),
        pytest.param(
            "{{ m }}{{ n }}",
            {"n": "ê"},
            {"m": "ê"},
            {"ê": [("variable", "m", None), ("value", "n", 0)]},
            id="a variable and a value",
        ),
        pytest.param(
            "ê{{ n }}{{ m }}",
            {"n": "ô"},
            {"m": "’"},
            {"ê": [("text", None, TEXT)], "ô": [("value", "n", 0)], "’": [("variable", "m", None)]},
            id="each from elsewhere",
        ),
        pytest.param("{% if n == 'é' %}’{% endif %}", {"n": "é"}, {}, {"’": [("text", None, TEXT)]}, id="a condition"),
        pytest.param(
            "{% if n == 'ê' %}ê{% endif %}", {"n": "ê"}, {}, {"ê": [("value", "n", 0)]}, id="a condition on the same"
        ),
    ],
)
def test_every_character_points_at_where_to_mend_it(text, own, variables, expected):
    assert expected == places(text, own, **variables)


def test_a_text_in_the_gsm_alphabet_has_no_culprit():
    assert () == culprits("{{ n|lower }} €", [{"n": "É"}, {"n": "à"}])


def test_receivers_are_counted_and_only_the_first_rows_are_named():
    (found,) = culprits("{{ n }}", [{"n": "a"}, *[{"n": "ê"}] * 5])
    assert (5, 5, [1, 2, 3]) == (found.receivers, found.by_value, [place.span.line for place in found.places])
    assert ("latin small letter e with circumflex", "e") == (found.name, found.look_alike)


def test_a_character_of_the_text_for_some_and_of_values_for_others_names_both():
    text = "{% if m is defined %}ê{% endif %}{{ n }}"
    (found,) = culprits(text, [{"n": "ê"}, {"n": "a", "m": "1"}])
    assert (2, 1, ["text", "value"]) == (found.receivers, found.by_value, [place.source for place in found.places])


def test_the_most_frequent_comes_first_and_no_value_can_be_read_off_the_order():
    found = culprits("{{ n }}", [{"n": "ôîê’"}, {"n": "’"}])
    assert ["’", "ê", "î", "ô"] == [one.character for one in found]


def test_ten_characters_are_named_and_the_rest_is_counted():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 14)))
    definitions = worlds.definitions(text, [{}], noStopClause=True)
    (found,) = preview_all(definitions, definitions.messages)
    assert (10, 4) == (len(found.culprits), found.more_characters)
