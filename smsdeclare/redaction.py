"""What may be shown: numbers and passwords masked, control and direction characters made visible."""

from __future__ import annotations

import re

#: What people write between the digits of a number.
_BETWEEN = r"[ .()/\u00a0\u202f-]{0,2}"
#: Here no number goes on.
_ENDS = rf"(?!{_BETWEEN}[0-9])"
_DAY, _MONTH = "(?:0[1-9]|[12][0-9]|3[01])", "(?:0[1-9]|1[0-2])"
#: What has many digits and is no number: digests, refs, the URL of an API, and dates with or without a time of day.
_KEPT = (
    r"sha256:[0-9a-f]+|[0-9a-f]{32,}"
    r"|@[1-9][0-9]{0,8}#[0-9a-z]{8}(?![0-9a-z])"
    rf"|https?://(?:[a-z.-]+|(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}|\[[0-9a-f:]+\]){_ENDS}"
    rf"(?::[0-9]{{1,5}}(?:/1\.0)?{_ENDS})?"
    rf"|(?<![0-9])(?:19|20)[0-9]{{2}}-{_MONTH}-{_DAY}(?:[T ][0-9]{{2}}:[0-9]{{2}})?(?![0-9-])"
    rf"|(?<![0-9]){_DAY}(?P<mark>[./-]){_MONTH}(?P=mark)(?:19|20)[0-9]{{2}}(?: [0-9]{{2}}[:h](?:[0-9]{{2}})?)?{_ENDS}"
)
#: Seven or more digits, whatever stands around.
_NUMBER = rf"\+?[0-9](?:{_BETWEEN}[0-9]){{6,}}"
_MANY_DIGITS = re.compile(f"(?P<kept>{_KEPT})|{_NUMBER}")
#: C0 but newline, DEL, C1, bidirectional controls, line and paragraph separators, zero-width and surrogates.
_INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
#: A URL up to the last `@` before its path: what stands behind the user's name is a password.
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^\s/:@]*:)(?P<secret>[^\s'\"]+)@")
_BULLET = "•"


def mask_number(number: str) -> str:
    """An E.164 number as outputs show it: `+33639980001` becomes `+336•••••01`."""
    return f"{number[:4]}{_BULLET * 5}{number[-2:]}"


def mask_passwords(text: str) -> str:
    """`text` with the password of every URL masked, sign by sign, so that columns stay."""
    return _PASSWORD.sub(lambda match: f"{match['user']}{_BULLET * len(match['secret'])}@", text)


def mask_text(text: str) -> str:
    """`text` with every run of digits that may be a number masked, digit by digit, so that columns stay."""

    def mask(match: re.Match[str]) -> str:
        found = match.group()
        if match["kept"]:
            return found
        shown = len(found) - 2
        return "".join(
            _BULLET if character.isdigit() and 4 <= place < shown else character
            for place, character in enumerate(found)
        )

    return _MANY_DIGITS.sub(mask, mask_passwords(text))


def visible(text: str, *, newline: str = "\n") -> str:
    r"""`text` with what a terminal or a reader would not see written as an escape: `\x1b`, `\u202e`.

    `newline` is what stands for a line break; pass a backslash and an n where one record must stay one line.
    """

    def escape(match: re.Match[str]) -> str:
        point = ord(match.group())
        return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"

    escaped = _INVISIBLE.sub(escape, text)
    return escaped if newline == "\n" else escaped.replace("\n", newline)
