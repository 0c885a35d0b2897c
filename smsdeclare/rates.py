"""Parts and country → credits; what the STOP clause adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from smsdeclare.encoding import Encoding, measure, with_stop_clause

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Credits for one part. France by OVHcloud's FAQ; other destinations depend on the country of billing.
_KNOWN: Mapping[str, float] = {"FR": 1.0}
_ASSUMED = 1.0

#: What becomes of a text: no clause, a clause for sure, or one that OVHcloud's rules leave open and the bill counts.
StopClause = Literal["none", "added", "possible"]


class Bill(NamedTuple):
    """What one text counts as at the provider."""

    encoding: Encoding
    #: The STOP clause included.
    parts: int
    #: False where OVHcloud's published rules leave room; `parts` is then the larger figure.
    exact: bool


def bill(text: str, options: Mapping[str, Any]) -> Bill:
    """How many parts the provider will make of `text`.

    How the clause counts in long texts is not known: OVHcloud's control panel adds 11 to the length, its http2sms
    guide takes them off the first part.
    """
    plain = measure(text)
    clause = stop_clause(options)
    if clause == "none":
        return Bill(plain.encoding, plain.parts, exact=True)
    added = measure(with_stop_clause(text)).parts
    first, following = (149, 153) if plain.encoding == "gsm7" else (59, 70)
    taken = 1 if plain.units <= first else 1 - (first - plain.units) // following
    if clause == "added":
        return Bill(plain.encoding, max(added, taken), exact=added == taken)
    parts = max(plain.parts, added, taken)
    return Bill(plain.encoding, parts, exact=parts == plain.parts)


def stop_clause(options: Mapping[str, Any]) -> StopClause:
    """Whether OVHcloud adds its STOP clause.

    It adds a line feed and ten characters to advertising texts (`noStopClause` not true) from an alphanumeric sender.
    Whether other senders get it is not known.
    """
    if options.get("noStopClause") is True:
        return "none"
    return "added" if _is_alphanumeric(options) else "possible"


def credits_of(parts: int, country: str | None) -> tuple[float, bool]:
    """Credits that one SMS takes, and whether the rate is known for sure."""
    rate = _KNOWN.get(country or "")
    return (parts * _ASSUMED, False) if rate is None else (parts * rate, True)


def _is_alphanumeric(options: Mapping[str, Any]) -> bool:
    """Whether the sender that counts is a name; `senderForResponse` wins over `sender`."""
    sender = options.get("sender")
    return options.get("senderForResponse") is not True and sender is not None and any(c.isalpha() for c in sender)
