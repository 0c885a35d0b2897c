"""The simulator's own count of parts."""

import pytest

from smsdeclare.simulator.settings import Settings
from smsdeclare.simulator.text import STOP_CLAUSE, holds_contact, measure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ("7bits", 0, 1, 160), id="empty"),
        pytest.param("a" * 160, ("7bits", 160, 1, 160), id="one full 7-bit part"),
        pytest.param("a" * 161, ("7bits", 161, 2, 153), id="two 7-bit parts"),
        pytest.param("a" * 306, ("7bits", 306, 2, 153), id="two full 7-bit parts"),
        pytest.param("a" * 307, ("7bits", 307, 3, 153), id="three 7-bit parts"),
        pytest.param("€" * 80, ("7bits", 160, 1, 160), id="extension characters take two units"),
        pytest.param("€" * 81, ("7bits", 162, 2, 153), id="81 extension characters"),
        pytest.param("[]{}~|\\^\f\nÇÉàé", ("7bits", 23, 1, 160), id="what stands in the tables"),
        pytest.param("ê", ("unicode", 1, 1, 70), id="ê is not in GSM 03.38"),
        pytest.param("ç", ("unicode", 1, 1, 70), id="nor is the small ç"),
        pytest.param("\x1b", ("unicode", 1, 1, 70), id="nor the escape itself"),
        pytest.param("\x00", ("unicode", 1, 1, 70), id="nor NUL"),
        pytest.param("ê" * 70, ("unicode", 70, 1, 70), id="one full unicode part"),
        pytest.param("ê" * 71, ("unicode", 71, 2, 67), id="two unicode parts"),
        pytest.param("ê" * 134, ("unicode", 134, 2, 67), id="two full unicode parts"),
        pytest.param("ê" * 135, ("unicode", 135, 3, 67), id="three unicode parts"),
        pytest.param("👋" * 35, ("unicode", 70, 1, 70), id="an emoji takes two units"),
        pytest.param("\ud800", ("unicode", 1, 1, 70), id="half a surrogate pair"),
    ],
)
def test_a_text_is_measured(text, expected):
    size = measure(text, Settings(), stop=False)
    assert expected == (size.encoding, size.units, size.parts, size.per_part)


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [
        pytest.param("a" * 152 + "€" + "a" * 152, True, 3, id="the escape pair moves on as a whole"),
        pytest.param("a" * 152 + "€" + "a" * 152, False, 2, id="the escape pair is torn"),
        pytest.param("ê" * 66 + "👋" + "ê" * 66, True, 3, id="the surrogate pair moves on as a whole"),
        pytest.param("ê" * 66 + "👋" + "ê" * 66, False, 2, id="the surrogate pair is torn"),
    ],
)
def test_a_pair_at_a_border_follows_the_setting(text, whole, expected):
    assert expected == measure(text, Settings(whole_characters=whole), stop=False).parts


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        pytest.param("a" * 149, 295, 1, id="149 and the clause fill one part"),
        pytest.param("a" * 150, 295, 2, id="150 do not"),
        pytest.param("a" * 295, 295, 2, id="295 fit in two"),
        pytest.param("a" * 296, 295, 3, id="296 do not"),
        pytest.param("a" * 149, 302, 1, id="302: 149 fill one part"),
        pytest.param("a" * 150, 302, 2, id="302: 150 do not"),
        pytest.param("a" * 302, 302, 2, id="302: 302 fit in two"),
        pytest.param("a" * 303, 302, 3, id="302: 303 do not"),
        pytest.param("ê" * 59, 295, 1, id="59 unicode"),
        pytest.param("ê" * 60, 295, 2, id="60 unicode"),
        pytest.param("ê" * 126, 302, 2, id="302: 59 and 67 unicode"),
        pytest.param("ê" * 127, 302, 3, id="302: one more"),
    ],
)
def test_the_stop_clause_costs_11_characters(text, limit, expected):
    assert expected == measure(text, Settings(stop_limit=limit), stop=True).parts


def test_the_clause_has_the_documented_length():
    assert len(STOP_CLAUSE) == 11


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("see https://example.org/a", True, id="URL"),
        pytest.param("see www.example", True, id="www"),
        pytest.param("see example.org today", True, id="bare domain"),
        pytest.param("write to team@example.org", True, id="e-mail"),
        pytest.param("call +33639980001", True, id="international number"),
        pytest.param("call 06 39 98 00 01", True, id="national number"),
        pytest.param("Your code is 123456", False, id="code"),
        pytest.param("On 2026-12-01 at 09:00, 3.50 EUR", False, id="date and sum"),
        pytest.param("Done.Next step tomorrow", False, id="missing space after a full stop"),
    ],
)
def test_contact_information_is_found(text, expected):
    assert expected == holds_contact(text)
