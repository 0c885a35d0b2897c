"""A number in any spelling → E.164, its country, whether it can take an SMS."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import codes

if TYPE_CHECKING:
    from smsdeclare.codes import Code

#: What people write between digits; NBSP and narrow NBSP are what French typography puts there.
_SEPARATORS = str.maketrans("", "", " \u00a0\u202f.-/()")
_DIGITS = re.compile(r"[0-9]+")
#: `+33 (0)6 …`: the zero is dialled inside the country only.
_TRUNK_ZERO = re.compile(r"(?<=[0-9])[ \u00a0\u202f]*\(0\)")
#: ITU-T E.164: at most 15 digits, and no country prefix begins with 0.
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
#: Without a country this is a short number such as 36639, which no prefix reaches from abroad. Digits.
_SHORT = 6

#: Country → its prefix, the digit dialled in front inside the country, and the rest of a mobile number.
#: phonenumbers takes 20 to 30 µs for a number, half a minute for a million; these take 1 to 4 µs. A pattern
#: may stand here only if phonenumbers reads every number of it alike: a test compares them.
_MOBILES = {"FR": ("33", "0", "[67][0-9]{8}"), "BE": ("32", "0", "4[5-9][0-9]{7}")}
#: What this matches is E.164 as it stands; its group is the country.
MOBILE = re.compile("|".join(rf"(?P<{c}>\+{prefix}{rest})" for c, (prefix, _, rest) in _MOBILES.items()))
_NATIONAL = {c: re.compile(trunk + rest) for c, (_, trunk, rest) in _MOBILES.items()}


class Number(NamedTuple):
    """A number that may take an SMS. A tuple, since there may be a million."""

    #: `+`, then at most 15 digits.
    e164: str
    #: ISO 3166 alpha-2; None where the prefix is shared or belongs to no country.
    country: str | None


class NotANumber(ValueError):
    """The text is no number an SMS can be sent to. `detail` never repeats the text, which may be personal."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        #: NOT_A_NUMBER, NO_COUNTRY or NO_SMS_LINE.
        self.code = code
        self.detail = detail


def is_country(code: str) -> bool:
    """Whether `code` is the ISO 3166 alpha-2 code of a place that has phone numbers."""
    import phonenumbers  # noqa: PLC0415 - 33 ms, only where a country is named

    return code in phonenumbers.SUPPORTED_REGIONS


def countries_of(e164: str) -> tuple[str, ...]:
    """Every country or territory that has the number's prefix; none where it belongs to none."""
    import phonenumbers  # noqa: PLC0415 - as above

    digits = e164.removeprefix("+")
    prefixes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    found = next((prefixes[int(digits[:end])] for end in (1, 2, 3) if int(digits[:end]) in prefixes), ())
    return tuple(country for country in found if country != "001")


def parse(text: str, default_country: str | None = None) -> Number:
    """`text` in E.164, with its country. Raises NotANumber.

    National numbers are read as of `default_country` (ISO 3166 alpha-2). Digits may be grouped with spaces,
    `.`, `-`, `/` and parentheses; `00` in front is always `+`. A number counts if its length is possible in
    its country: phonenumbers' list of ranges in use lags behind the operators, and leaves out ranges kept for
    fiction such as +33 6 39 98.
    """
    text = text.strip()
    if mobile := MOBILE.fullmatch(text):
        return Number(text, mobile.lastgroup)
    international, digits = _digits(text)
    if international:
        if mobile := MOBILE.fullmatch(f"+{digits}"):
            return Number(mobile.group(), mobile.lastgroup)
        return _look_up(f"+{digits}", None)
    if default_country is None:
        if len(digits) <= _SHORT:
            raise NotANumber(codes.NOT_A_NUMBER, "it is too short")
        raise NotANumber(codes.NO_COUNTRY, "it has no country prefix, so its country would be a guess")
    national = _NATIONAL.get(default_country)
    if national and national.fullmatch(digits):
        prefix, trunk, _ = _MOBILES[default_country]
        return Number(f"+{prefix}{digits.removeprefix(trunk)}", default_country)
    return _look_up(digits, default_country)


def _digits(text: str) -> tuple[bool, str]:
    """Whether a country prefix comes first, and all digits, without `+` or `00`."""
    if not text:
        raise NotANumber(codes.NOT_A_NUMBER, "it is empty")
    bare = text.removeprefix("(")
    plus = bare.startswith("+")
    if plus or bare.startswith("00"):
        bare = _TRUNK_ZERO.sub("", bare, count=1)
    digits = bare.removeprefix("+").translate(_SEPARATORS)
    if not _DIGITS.fullmatch(digits):
        raise NotANumber(codes.NOT_A_NUMBER, _what_is_wrong(digits))
    if not plus and digits.startswith("00"):
        return True, digits[2:]
    return plus, digits


def _what_is_wrong(rest: str) -> str:
    """Why `rest`, stripped of separators, is not all digits; names no character that stands in a number."""
    strange = next((character for character in rest if character not in "0123456789"), "")
    if not strange:
        return "it holds no digits"
    if strange == "+":
        return "a `+` stands elsewhere than in front"
    if unicodedata.category(strange).startswith("N"):
        return "it holds digits that only look like 0 to 9; type them anew"
    if strange.isalpha():
        return "it holds letters; leave out extensions and labels"
    if not strange.isprintable():
        return f"it holds an invisible character, U+{ord(strange):04X}"
    return f"it holds the character U+{ord(strange):04X}"


def _look_up(number: str, region: str | None) -> Number:
    """The number by phonenumbers' tables: slow, and for every country."""
    # Here, since the tables take 33 ms to import and most commands read no number that needs them.
    import phonenumbers  # noqa: PLC0415

    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise NotANumber(codes.NO_COUNTRY, f"`{region}` is no country code with two capital letters")
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as problem:
        kind = phonenumbers.NumberParseException
        if problem.error_type == kind.INVALID_COUNTRY_CODE:
            raise NotANumber(codes.NOT_A_NUMBER, "no country has its prefix") from None
        length = "long" if problem.error_type == kind.TOO_LONG else "short"
        raise NotANumber(codes.NOT_A_NUMBER, f"it is too {length}") from None
    _check_length(found, phonenumbers)
    e164: str = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    if not _E164.fullmatch(e164):
        raise NotANumber(codes.NOT_A_NUMBER, "it is too long")
    lines = phonenumbers.PhoneNumberType
    fixed = {
        lines.FIXED_LINE: "fixed line",
        lines.TOLL_FREE: "freephone",
        lines.PREMIUM_RATE: "premium-rate",
        lines.SHARED_COST: "shared-cost",
        lines.UAN: "company",
        lines.VOICEMAIL: "voicemail",
        lines.PAGER: "pager",
    }
    line = phonenumbers.number_type(found)
    if line in fixed:
        raise NotANumber(codes.NO_SMS_LINE, f"it is a {fixed[line]} number")
    country = phonenumbers.region_code_for_number(found)
    # 001 is the library's word for prefixes that belong to no country, such as satellite networks.
    return Number(e164, None if country == "001" else country)


def _check_length(found: Any, phonenumbers: Any) -> None:
    """Raise NotANumber unless the length is one that numbers of this country have.

    `is_possible_number` would also let through numbers that can be dialled from the same town only.
    """
    result = phonenumbers.ValidationResult
    match phonenumbers.is_possible_number_with_reason(found):
        case result.IS_POSSIBLE:
            return
        case result.TOO_LONG:
            reason = "it is too long for its country"
        case result.TOO_SHORT:
            reason = "it is too short for its country"
        case result.IS_POSSIBLE_LOCAL_ONLY:
            reason = "it lacks the area code"
        case _:
            reason = "its length is none that numbers of its country have"
    raise NotANumber(codes.NOT_A_NUMBER, reason)
