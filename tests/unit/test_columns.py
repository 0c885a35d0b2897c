"""Sends in columns: what goes in comes out, however many there are and in whatever order they are asked for."""

import random
from hashlib import sha256

import pytest
import worlds

from smsdeclare.columns import NEAR


def number(place):
    return f"+336{place:08d}"


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 20_000], ids="{} texts".format)
def test_each_send_has_its_own_text(count):
    texts = {number(place): f"{place}: déjà\nvu € \U0001f4e6"[: 8 + place % 9] for place in range(count)}
    asked = list(texts)
    random.Random(1).shuffle(asked)
    sends = worlds.sends({each: texts[each] for each in asked})
    found = [(send.number, send.text.text) for send in sends]
    assert sorted(texts.items()) == found
    random.Random(2).shuffle(asked)
    for each in asked:
        text = sends[int(each.removeprefix("+336"))].text
        assert (texts[each], sha256(texts[each].encode()).hexdigest()) == (text.text, text.digest)
    assert [sends.digest(text) for text in sends.texts] == [send.text.digest for send in sends]


def test_equal_texts_are_one_however_far_apart_they_come():
    written = [f"text {place}" for place in range(NEAR + 100)]
    sends = worlds.sends({number(place): text for place, text in enumerate(written * 2)})
    assert written == [text.text for text in sends.each_text()]
    assert [*written, *written] == [send.text.text for send in sends]
