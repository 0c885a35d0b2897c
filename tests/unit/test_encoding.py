import json
from pathlib import Path

import pytest

from smsdeclare.encoding import (
    DEFAULT_TABLE,
    EXTENSION_TABLE,
    Forcing,
    Measure,
    forcing,
    is_gsm,
    measure,
    room,
    split,
    with_stop_clause,
)

VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "parts-vectors.json").read_text(encoding="utf-8"))
ENCODINGS = {"gsm7": "gsm7", "ucs2": "unicode"}


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n}-{v['encoding']}" for n, v in enumerate(VECTORS)])
def test_other_peoples_vectors_come_out_alike(vector):
    expected = Measure(encoding=ENCODINGS[vector["encoding"]], units=vector["units"], parts=vector["segments"])
    assert expected == measure(vector["message"])


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n}-{v['encoding']}" for n, v in enumerate(VECTORS)])
def test_other_peoples_vectors_split_into_as_many_parts(vector):
    parts = split(vector["message"])
    assert (vector["segments"], vector["message"]) == (len(parts), "".join(parts))


def test_the_tables_have_the_characters_of_the_standard():
    assert (127, 10) == (len(set(DEFAULT_TABLE)), len(set(EXTENSION_TABLE)))
    assert not set(DEFAULT_TABLE) & set(EXTENSION_TABLE)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        pytest.param("", "gsm7", 0, 1, id="empty"),
        pytest.param("a" * 160, "gsm7", 160, 1, id="one full part"),
        pytest.param("a" * 161, "gsm7", 161, 2, id="one septet too many"),
        pytest.param("a" * 306, "gsm7", 306, 2, id="two full parts"),
        pytest.param("a" * 307, "gsm7", 307, 3, id="two full parts and one septet"),
        pytest.param("€" * 80, "gsm7", 160, 1, id="an extension character counts two"),
        pytest.param("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3, id="an escape pair is not torn"),
        pytest.param("a" * 151 + "€" + "a" * 153, "gsm7", 306, 2, id="an escape pair that fits"),
        pytest.param("ê" * 70, "unicode", 70, 1, id="one full Unicode part"),
        pytest.param("ê" * 71, "unicode", 71, 2, id="one code unit too many"),
        pytest.param("ê" * 66 + "😀" + "ê" * 66, "unicode", 134, 3, id="a surrogate pair is not torn"),
        pytest.param("ê" * 65 + "😀" + "ê" * 67, "unicode", 134, 2, id="a surrogate pair that fits"),
        pytest.param("ê" + "€" * 69, "unicode", 70, 1, id="the euro sign is one code unit in Unicode"),
        pytest.param("a\x1bb", "unicode", 3, 1, id="the escape is no character of its own"),
    ],
)
def test_text_is_measured(text, encoding, units, parts):
    assert Measure(encoding=encoding, units=units, parts=parts) == measure(text)


@pytest.mark.parametrize("character", list("êâçîïôûœëÀÈÙÊÂ«»’—–…°²µ\u00a0`😀\t"))
def test_a_character_outside_the_alphabet_makes_the_text_unicode(character):
    assert "unicode" == measure(f"abc{character}").encoding


@pytest.mark.parametrize("character", list(DEFAULT_TABLE + EXTENSION_TABLE))
def test_a_character_of_the_alphabet_keeps_the_text_gsm(character):
    assert "gsm7" == measure(character).encoding
    assert is_gsm(character)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        pytest.param("a" * 160, [160], id="whole"),
        pytest.param("a" * 161, [153, 8], id="cut after 153"),
        pytest.param("a" * 152 + "€" + "a" * 10, [152, 11], id="an escape pair moves to the next part"),
        pytest.param("ê" * 66 + "😀" + "ê" * 5, [66, 6], id="a surrogate pair moves to the next part"),
    ],
)
def test_text_is_split_where_a_phone_would(text, lengths):
    assert lengths == [len(part) for part in split(text)]


def test_the_characters_to_blame_come_in_order_with_their_count():
    expected = [
        Forcing(character="ç", index=1, count=2),
        Forcing(character="’", index=5, count=1),
    ]
    assert expected == forcing("açbéc’ç€")


def test_nothing_is_to_blame_in_a_gsm_text():
    assert [] == forcing("Ça va {très} bien, 5 €")


def test_the_stop_clause_is_a_line_feed_and_ten_characters():
    text = with_stop_clause("Bonjour")
    assert text.startswith("Bonjour\nSTOP ")
    assert 11 == len(text) - len("Bonjour")
    assert "gsm7" == measure(text).encoding


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("a" * 160, 0, id="one full part"),
        pytest.param("a" * 161, 145, id="a second part"),
        pytest.param("€" * 79, 2, id="an extension character counts two"),
        pytest.param("ê" * 69, 1, id="Unicode"),
        pytest.param("ê" + "a" * 70, 63, id="a last part that would be no Unicode by itself"),
        pytest.param("ê" * 66 + "😀", 2, id="a surrogate pair counts two"),
        pytest.param("ê" * 67 + "😀" * 2, 63, id="a surrogate pair in the last part"),
    ],
)
def test_what_the_last_part_has_left(text, left):
    assert left == room(text)
