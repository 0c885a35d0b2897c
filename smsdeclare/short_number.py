"""What the short number does not carry: contact information, and SMS abroad."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.definitions import Message
    from smsdeclare.receivers import Receiver

#: OVHcloud's guides: French numbers only, without the overseas departments, which have prefixes of their own.
_COUNTRY = "FR"
#: How many receivers are named one by one; the rest is counted.
_SHOWN = 20
#: What OVHcloud refuses with "cannot send contact information with shortcode". Its guides say URLs, one plugin e-mail
#: addresses and phone numbers as well; where exactly it draws the line is not known.
_CONTACTS = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}")),
    (
        "a URL",
        re.compile(
            r"\b(?:https?://|www\.)\S|\b[\w-]+(?:\.[\w-]+)*\.(?:com|fr|net|org|eu|io|be|de|es|it|co|me|link|ly|info|app|shop)\b",
            re.IGNORECASE,
        ),
    ),
    ("a phone number", re.compile(r"(?<!\w)(?:(?:\+|00)[1-9]|0[1-9])(?:[ .\-\u00a0\u202f]?[0-9]){8,12}(?!\w)")),
)


def contact_in(text: str) -> str | None:
    """What contact information a text holds, in words; None where it holds none."""
    return next((kind for kind, pattern in _CONTACTS if pattern.search(text)), None)


class ShortNumber:
    """Looks at the receivers and texts of a message without a sender: what its short number does not carry.

    Without a sender OVHcloud takes the short number by its guides; that it always does is not known, so that is no
    more than a warning.
    """

    def __init__(self, message: Message) -> None:
        self._message = message
        self._is_asked = message.options.get("senderForResponse") is True
        self._contact = contact_in(message.text)
        self._texts: set[str] = set()
        self._rows: list[tuple[Receiver, str]] = []
        self._abroad: list[Receiver] = []

    def look(self, receiver: Receiver, text: str) -> None:
        """One receiver, and the text that goes there."""
        if self._is_asked and receiver.country != _COUNTRY:
            self._abroad.append(receiver)
        if self._contact is None and text not in self._texts:
            self._texts.add(text)
            if kind := contact_in(text):
                self._rows.append((receiver, kind))

    def findings(self) -> Iterator[Diagnostic]:
        """What was found: errors where the short number is asked for, else warnings."""
        code = codes.SHORT_NUMBER_CONTACT if self._is_asked else codes.SHORT_NUMBER_DOUBT
        where = self._message.address
        if self._contact:
            yield Diagnostic(code=code, detail=f"{where}: {self._contact}", span=self._message.text_span)
        for receiver, kind in self._rows[:_SHOWN]:
            yield Diagnostic(code=code, detail=f"{where}: {kind} in this receiver's text", span=receiver.span)
        for receiver in self._abroad[:_SHOWN]:
            country = receiver.country or "not known"
            detail = f"{where}: the country is {country}"
            yield Diagnostic(code=codes.SHORT_NUMBER_ABROAD, detail=detail, span=receiver.span)
        for rows, each in ((self._rows, code), (self._abroad, codes.SHORT_NUMBER_ABROAD)):
            if len(rows) > _SHOWN:
                detail = f"{where}: and {len(rows) - _SHOWN:,} more receivers"
                yield Diagnostic(code=each, detail=detail, span=self._message.to_span)
