import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare import codes, phone
from smsdeclare.phone import NotANumber, Number, parse


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+33639980001", None),
        ("0033639980001", None),
        ("+33 6 39 98 00 01", None),
        ("+33 (0)6 39 98 00 01", None),
        ("+33(0)639980001", None),
        ("0033 (0)6 39 98 00 01", None),
        ("(+33) 6 39 98 00 01", None),
        ("+33\u00a06\u202f39.98-00/01", None),
        ("  +33639980001\n", None),
        ("+330639980001", None),
        ("06.39.98.00.01", "FR"),
        ("06 39 98 00 01", "FR"),
        ("(06) 39-98-00-01", "FR"),
        ("639980001", "FR"),
        ("33639980001", "FR"),
        ("+33639980001", "BE"),
        ("0033639980001", "US"),
    ],
)
def test_every_spelling_is_one_number(text, country):
    assert Number("+33639980001", "FR") == parse(text, country)


@pytest.mark.parametrize("text", ["+33639980000", "+33639989999", "+33700000000"])
def test_ranges_the_library_does_not_know_are_numbers(text):
    assert not phonenumbers.is_valid_number(phonenumbers.parse(text))
    assert Number(text, "FR") == parse(text)


@pytest.mark.parametrize("region", ["BE", "CH", "DE", "ES", "GB", "IT", "LU", "MA", "PT", "US"])
def test_mobile_numbers_of_other_countries_are_numbers(region):
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    assert Number(e164, region) == parse(e164)
    assert Number(e164, region) == parse(national, region)


@pytest.mark.parametrize(
    ("region", "line"),
    [
        ("FR", "FIXED_LINE"),
        ("FR", "TOLL_FREE"),
        ("FR", "PREMIUM_RATE"),
        ("FR", "SHARED_COST"),
        ("DE", "UAN"),
        ("DE", "VOICEMAIL"),
        ("DE", "PAGER"),
    ],
)
def test_lines_that_take_no_sms_are_refused(region, line):
    kind = getattr(phonenumbers.PhoneNumberType, line)
    example = phonenumbers.example_number_for_type(region, kind)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    with pytest.raises(NotANumber) as caught:
        parse(e164)
    assert codes.NO_SMS_LINE == caught.value.code


@pytest.mark.parametrize(
    ("text", "country", "code", "detail"),
    [
        pytest.param("", "FR", codes.NOT_A_NUMBER, "it is empty", id="empty"),
        pytest.param(" \t ", "FR", codes.NOT_A_NUMBER, "it is empty", id="blank"),
        pytest.param("0639980001", None, codes.NO_COUNTRY, "country", id="national without a country"),
        pytest.param("33639980001", None, codes.NO_COUNTRY, "country", id="a prefix without its plus"),
        pytest.param("0639980001", "XX", codes.NO_COUNTRY, "`XX`", id="a country that is none"),
        pytest.param("36639", None, codes.NOT_A_NUMBER, "short", id="short number"),
        pytest.param("36639", "FR", codes.NOT_A_NUMBER, "short", id="short number in a country"),
        pytest.param("+3336639", None, codes.NOT_A_NUMBER, "short", id="short number with a prefix"),
        pytest.param("+336399800012", None, codes.NOT_A_NUMBER, "long", id="one digit too many"),
        pytest.param("+" + "1" * 300, None, codes.NOT_A_NUMBER, "long", id="far too long"),
        pytest.param("+12530000", None, codes.NOT_A_NUMBER, "area code", id="without its area code"),
        pytest.param("+999639980001", None, codes.NOT_A_NUMBER, "no country", id="a prefix nobody has"),
        pytest.param("+0033639980001", None, codes.NOT_A_NUMBER, "no country", id="plus and zeros"),
        pytest.param("+33639980001 poste 3", None, codes.NOT_A_NUMBER, "letters", id="extension"),
        pytest.param("+33639980001x3", None, codes.NOT_A_NUMBER, "letters", id="short extension"),
        pytest.param("tel:+33639980001", None, codes.NOT_A_NUMBER, "letters", id="URL"),
        pytest.param("+33639980001;ext=3", None, codes.NOT_A_NUMBER, "U+003B", id="RFC 3966"),
        pytest.param("+336399800О1", None, codes.NOT_A_NUMBER, "letters", id="Cyrillic O"),
        pytest.param("+33６39980001", None, codes.NOT_A_NUMBER, "look like", id="full-width digit"),
        pytest.param("+33٦39980001", None, codes.NOT_A_NUMBER, "look like", id="Arabic digit"),
        pytest.param("+3363998²0001", None, codes.NOT_A_NUMBER, "look like", id="superscript digit"),
        pytest.param("+33639\u200b980001", None, codes.NOT_A_NUMBER, "U+200B", id="zero-width space"),
        pytest.param("\u202a+33639980001", None, codes.NOT_A_NUMBER, "U+202A", id="direction mark"),
        pytest.param("++33639980001", None, codes.NOT_A_NUMBER, "`+`", id="two pluses"),
        pytest.param("+33+639980001", None, codes.NOT_A_NUMBER, "`+`", id="a plus in the middle"),
        pytest.param("＋33639980001", None, codes.NOT_A_NUMBER, "U+FF0B", id="full-width plus"),
        pytest.param("+33639980001,+33639980002", None, codes.NOT_A_NUMBER, "U+002C", id="two numbers"),
        pytest.param("+", None, codes.NOT_A_NUMBER, "no digits", id="a plus alone"),
        pytest.param("00", None, codes.NOT_A_NUMBER, "short", id="zeros alone"),
        pytest.param("()", None, codes.NOT_A_NUMBER, "no digits", id="separators alone"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(text, country, code, detail):
    with pytest.raises(NotANumber) as caught:
        parse(text, country)
    assert code == caught.value.code
    assert detail in caught.value.detail
    assert not text.strip() or text.strip() not in str(caught.value)


def test_a_zero_in_parentheses_is_left_out_where_the_library_would_keep_it():
    example = phonenumbers.example_number_for_type("IT", phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert Number(e164, "IT") == parse(e164.replace("+39", "+39 (0)"))


def test_a_prefix_of_no_country_has_no_country():
    assert Number("+882161234567", None) == parse("+882161234567")


def test_a_leading_zero_that_belongs_to_the_number_stays():
    example = phonenumbers.example_number_for_type("IT", phonenumbers.PhoneNumberType.FIXED_LINE)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert e164.startswith("+390")
    with pytest.raises(NotANumber) as caught:
        parse(e164)
    assert codes.NO_SMS_LINE == caught.value.code


@pytest.mark.parametrize("country", list(phone._MOBILES))
def test_the_fast_path_holds_nothing_the_library_reads_otherwise(country):
    prefix, trunk, _ = phone._MOBILES[country]
    length = len(next(n for n in ("639980001", "470123456") if phone._NATIONAL[country].fullmatch(trunk + n)))
    seen = 0
    for head in range(10_000):
        number = f"{head:04}".ljust(length, "0")
        if phone._NATIONAL[country].fullmatch(trunk + number):
            seen += 1
            expected = Number(f"+{prefix}{number}", country)
            assert expected == phone._look_up(f"+{prefix}{number}", None)
            assert expected == phone._look_up(f"{trunk}{number}", country)
    assert seen > 100


@given(st.from_regex(phone.MOBILE, fullmatch=True))
def test_fast_and_slow_path_agree(text):
    assert phone._look_up(text, None) == parse(text)


@given(st.text(st.sampled_from("+0123456789 .-/()x\u200b٣"), max_size=25), st.sampled_from([None, "FR", "US"]))
def test_any_text_is_a_number_or_is_refused(text, country):
    outcome = number_or_problem(text, country)
    if isinstance(outcome, NotANumber):
        assert outcome.code in (codes.NOT_A_NUMBER, codes.NO_COUNTRY, codes.NO_SMS_LINE)
    else:
        assert phone._E164.fullmatch(outcome.e164)
        assert outcome == parse(outcome.e164)


def number_or_problem(text, country):
    try:
        return parse(text, country)
    except NotANumber as problem:
        return problem


def test_the_library_is_loaded_only_where_it_is_needed():
    script = (
        "import sys; from smsdeclare.phone import parse; parse('06 39 98 00 01', 'FR');"
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
