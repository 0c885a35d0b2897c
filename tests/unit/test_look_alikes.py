"""What reads nearly the same in the GSM alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.encoding import DEFAULT_TABLE, EXTENSION_TABLE, is_gsm, measure
from smsdeclare.look_alikes import Swap, look_alike, to_gsm


@pytest.mark.parametrize(
    ("character", "replacement"),
    [
        ("’", "'"),
        ("“", '"'),
        ("«", '"'),
        ("—", "-"),
        ("–", "-"),
        ("…", "..."),
        ("\u00a0", " "),
        ("\u202f", " "),
        ("\u200b", ""),
        ("ê", "e"),
        ("ç", "c"),
        ("À", "A"),
        ("œ", "oe"),
        ("`", "'"),
        ("²", "2"),
        ("™", "TM"),
        ("😀", None),
        ("\u0301", None),
        ("漢", None),
    ],
)
def test_a_character_has_a_look_alike_or_none(character, replacement):
    assert replacement == look_alike(character)


@pytest.mark.parametrize("character", list(DEFAULT_TABLE + EXTENSION_TABLE))
def test_what_is_in_the_alphabet_needs_none(character):
    assert look_alike(character) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Ça va à l’été…", "Ça va à l'été...", id="typography goes, the accents of the alphabet stay"),
        pytest.param("« Garçon – forêt »", '" Garcon - foret "', id="accents outside the alphabet go"),
        pytest.param("a\u00a0b\u202fc\u200bd", "a b cd", id="spaces become one, what is not seen is left out"),
        pytest.param("Ame\u0301lie, c\u0327a", "Amélie, ca", id="letters and their accents are joined where that does"),
        pytest.param("n’oublie pas 🎉 漢", "n'oublie pas 🎉 漢", id="what has no look-alike stays"),
        pytest.param("\u0301a", "\u0301a", id="nor has an accent without a letter"),
        pytest.param("5 € {ok} [1]", "5 € {ok} [1]", id="what is in the alphabet is left alone"),
    ],
)
def test_a_text_is_written_with_look_alikes(text, expected):
    assert expected == to_gsm(text)[0]


def test_what_was_replaced_is_counted():
    assert (Swap("’", "'", 2), Swap("ç", "c", 1), Swap("c\u0327", "c", 1)) == to_gsm("l’eau, l’arçon, c\u0327")[1]


@given(st.text(st.sampled_from("aeç’€…\u0301\u0327\u00a0êÇ😀漢\n")))
def test_writing_it_so_twice_changes_nothing_and_never_costs_an_encoding(text):
    once, swaps = to_gsm(text)
    assert (once, ()) == to_gsm(once)
    assert (once == text) == (not swaps)
    assert not is_gsm(text) or once == text
    assert measure(text).encoding == "unicode" or measure(once).encoding == "gsm7"
