from hypothesis import example, given
from hypothesis import strategies as st

from smsdeclare.encoding import DEFAULT_TABLE, EXTENSION_TABLE, forcing, measure, room, split

CHARACTERS = st.one_of(
    st.sampled_from(DEFAULT_TABLE),
    st.sampled_from(EXTENSION_TABLE),
    st.characters(exclude_categories=["Cs"]),
)
GSM = st.text(st.one_of(st.sampled_from("ab"), st.sampled_from("€{")), max_size=400)
TEXTS = st.one_of(st.text(CHARACTERS, max_size=60), GSM, st.text(st.sampled_from("aê😀€"), max_size=250))


def slow_units(text):
    """Each character's units, read off the standard once more: (encoding, units of each character)."""
    basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    basic += "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    extended = "\f^{}\\[~]|€"
    if all(character in basic or character in extended for character in text):
        return "gsm7", [2 if character in extended else 1 for character in text]
    return "unicode", [len(character.encode("utf-16-le")) // 2 for character in text]


def slow_measure(text):
    encoding, costs = slow_units(text)
    whole, limit = (160, 153) if encoding == "gsm7" else (70, 67)
    if sum(costs) <= whole:
        return encoding, sum(costs), 1
    room, parts = limit, 1
    for cost in costs:
        if cost > room:
            room, parts = limit, parts + 1
        room -= cost
    return encoding, sum(costs), parts


@given(TEXTS)
@example("a" * 152 + "€" + "a" * 152)
@example(("a" * 152 + "€") * 6)
@example(("ê" * 66 + "😀") * 6)
def test_measure_agrees_with_a_slow_walk(text):
    measured = measure(text)
    assert slow_measure(text) == (measured.encoding, measured.units, measured.parts)


@given(TEXTS, CHARACTERS)
@example("a" * 160, "a")
@example("a" * 70, "ê")
@example("a" * 152 + "€" + "a" * 151, "a")
def test_adding_a_character_never_lowers_the_parts(text, character):
    assert measure(text).parts <= measure(text + character).parts


@given(TEXTS)
@example(("a" * 152 + "€") * 3)
@example(("ê" * 66 + "😀") * 3)
def test_the_parts_are_the_text_and_none_is_too_long(text):
    parts = split(text)
    measured = measure(text)
    assert text == "".join(parts)
    assert measured.parts == len(parts)
    if len(parts) > 1:
        limit = 153 if measured.encoding == "gsm7" else 67
        _, costs = slow_units(text)
        at = 0
        for part in parts:
            assert 0 < sum(costs[at : at + len(part)]) <= limit
            at += len(part)


@given(TEXTS)
def test_a_text_is_unicode_exactly_where_something_forces_it(text):
    forced = forcing(text)
    assert ("unicode" if forced else "gsm7") == measure(text).encoding
    assert all(text.index(found.character) == found.index for found in forced)
    assert all(text.count(found.character) == found.count for found in forced)
    assert sorted(forced, key=lambda found: found.index) == forced


@given(TEXTS)
def test_the_last_part_takes_what_it_has_room_for_and_no_more(text):
    parts, left = measure(text).parts, room(text)
    assert left >= 0
    if text:
        # A single part may be filled up to its own limit, which is higher than that of one of several.
        assert parts == measure(text + "a" * left).parts
        assert parts < measure(text + "a" * (left + 1)).parts
