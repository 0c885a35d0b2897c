"""Parts and country → credits; what the STOP clause adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from smsdeclare.encoding import EXTENSION_TABLE, Encoding, is_gsm, least_parts, measure, with_stop_clause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smsdeclare.encoding import Measure

#: The destinations that OVHcloud names (`sms.CountryEnum` of its API): ISO 3166 alpha-2.
_DESTINATIONS = (
    "AD AE AF AG AI AL AM AN AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF "
    "CG CH CI CK CL CM CN CO CR CU CV CY CZ DE DK DM DZ EC EE EG ES ET FI FJ FK FO FR GA GB GD GE GF GH GI GL "
    "GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IN IO IQ IR IS IT JM JO JP KE KG KH KM KN KR KW KY KZ "
    "LA LB LC LI LK LR LS LT LU LV LY MA MD ME MG MK ML MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL "
    "NO NP NZ OM PA PE PF PG PH PK PL PS PT PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR ST SV "
    "SY SZ TC TD TG TH TJ TL TM TN TO TR TT TW TZ UA UG US UY UZ VC VE VG VI VN VU WS YE YT ZA ZM ZW "
)
DESTINATIONS = frozenset(_DESTINATIONS.split())


class Rate(NamedTuple):
    """Credits that one part takes."""

    credits: float
    #: False where it is assumed, or where published figures differ; `credits` is then the larger figure.
    exact: bool


class _Published(NamedTuple):
    """A figure in one of OVHcloud's guides."""

    credits: float
    #: The country that the account is billed in; None: in any.
    billed_in: str | None
    #: The day of the guide.
    day: str


#: What OVHcloud's guides say, for where it can't be asked. Rates depend on the country of billing, and on the day. The
#: FAQ and the guide to credits give France 1; that guide's British edition is of 2023, its Irish one of 2020.
PUBLISHED: Mapping[str, tuple[_Published, ...]] = {
    "FR": (_Published(1.0, None, "2026-03-27"),),
    "GB": (_Published(0.5, "GB", "2023-02-09"),),
    "IE": (_Published(0.8, "IE", "2020-06-04"),),
    "IN": (_Published(0.4, "GB", "2023-02-09"), _Published(0.1, "IE", "2020-06-04")),
}
#: Where nothing is known. It is no upper bound.
_ASSUMED = Rate(1.0, exact=False)


class Rates:
    """Credits a part for any destination: as the provider answered, else as published, else assumed."""

    def __init__(self, answered: Mapping[str, Rate] | None = None, billed_in: str | None = None) -> None:
        self._answered = answered or {}
        self._billed_in = billed_in
        self._found: dict[str, Rate] = {}

    def of(self, number: str, country: str | None) -> Rate:
        """The rate for a number (E.164) of a country; without one, of all that share its prefix the highest."""
        if country is None:
            return self._highest(sharing(number))
        found = self._found.get(country)
        if found is None:
            found = (
                self._one(country) if country in DESTINATIONS else self._highest(sharing(number))._replace(exact=False)
            )
            self._found[country] = found
        return found

    def is_known(self, country: str) -> bool:
        """Whether the provider has answered for it."""
        return country in self._answered

    def _one(self, country: str) -> Rate:
        if country in self._answered:
            return self._answered[country]
        found = [one for one in PUBLISHED.get(country, ()) if one.billed_in in (None, self._billed_in or one.billed_in)]
        if not found:
            return _ASSUMED
        if found[0].billed_in is None:
            return Rate(found[0].credits, exact=True)
        figures = [one.credits for one in found]
        # Of an account billed elsewhere nothing is known.
        return Rate(max(figures) if self._billed_in else max(*figures, _ASSUMED.credits), exact=False)

    def _highest(self, countries: Iterable[str]) -> Rate:
        found = [self._one(country) for country in countries] or [_ASSUMED]
        credits_each = {rate.credits for rate in found}
        return Rate(max(credits_each), exact=len(credits_each) == 1 and all(rate.exact for rate in found))


def sharing(number: str) -> tuple[str, ...]:
    """The destinations that the prefix of a number may be of; phonenumbers knows who shares one."""
    # Here, since the tables take 33 ms to import, and hardly any number needs them.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415

    prefixes = (int(number[1:end]) for end in (4, 3, 2))
    regions = next((found for prefix in prefixes if (found := COUNTRY_CODE_TO_REGION_CODE.get(prefix))), ())
    return tuple(region for region in regions if region in DESTINATIONS)


#: What can be said without asking anybody.
OFFLINE = Rates()

#: What becomes of a text: no clause, a clause for sure, or one that OVHcloud's rules leave open and the bill counts.
StopClause = Literal["none", "added", "possible"]


class Bill(NamedTuple):
    """What one text counts as at the provider."""

    encoding: Encoding
    #: The STOP clause included.
    parts: int
    #: False where OVHcloud's published rules leave room; `parts` is then the larger figure.
    exact: bool
    #: The smaller figure; `parts` where there is no doubt.
    fewest: int
    #: Where there is doubt, the figure by each reading of the rules: texts that differ in none count alike.
    readings: tuple[int, ...] = ()

    def settled(self, parts: int) -> Bill:
        """The same with the provider's own count, where it is one that the rules allow."""
        is_allowed = self.fewest <= parts <= self.parts
        return self._replace(parts=parts, exact=True, fewest=parts, readings=()) if is_allowed else self


def bill(text: str, options: Mapping[str, Any]) -> Bill:
    """How many parts the provider will make of `text`.

    How the clause counts in long texts is not known: OVHcloud's control panel adds 11 to the length, its http2sms
    guide takes them off the first part. Nor is whether a pair of units, an escape's or a surrogate's, may be torn:
    phones want it whole, the control panel divides.
    """
    plain = measure(text)
    clause = stop_clause(options)
    without = (plain.parts, _torn(plain, text))
    if clause == "none":
        return _bill(plain.encoding, without)
    added = with_stop_clause(text)
    counted = measure(added)
    figures = (counted.parts, _torn(counted, added), *_taken_off(text, plain.encoding, plain.units))
    return _bill(plain.encoding, (*without, *figures) if clause == "possible" else figures)


def _bill(encoding: Encoding, readings: tuple[int, ...]) -> Bill:
    parts, fewest = max(readings), min(readings)
    return Bill(encoding, parts, exact=parts == fewest, fewest=fewest, readings=() if parts == fewest else readings)


def _torn(measured: Measure, text: str) -> int:
    """Parts where a pair of units may be torn."""
    return measured.parts if measured.units == len(text) else least_parts(measured.encoding, measured.units)


def _taken_off(text: str, encoding: Encoding, units: int) -> tuple[int, ...]:
    """Parts where the first one holds 11 units less, with torn pairs and with whole ones.

    The guide's table gives later Unicode parts 70 units, everything else OVHcloud says 67.
    """
    first, later = (149, (153,)) if encoding == "gsm7" else (59, (70, 67))
    if units <= first:
        return (1,)
    torn = tuple(1 - (first - units) // each for each in later)
    return torn if units == len(text) else (*torn, *(_dealt(text, first, each) for each in later))


def _dealt(text: str, first: int, later: int) -> int:
    """Parts where no pair of units is torn: an escape's, or a surrogate's."""
    doubles = EXTENSION_TABLE if is_gsm(text) else ""
    parts, room = 1, first
    for character in text:
        size = 2 if character in doubles or character > "\uffff" else 1
        if size > room:
            parts, room = parts + 1, later
        room -= size
    return parts


def stop_clause(options: Mapping[str, Any]) -> StopClause:
    """Whether OVHcloud adds its STOP clause.

    It adds a line feed and ten characters to advertising texts (`noStopClause` not true) from an alphanumeric sender.
    Whether other senders get it is not known.
    """
    if options.get("noStopClause") is True:
        return "none"
    return "added" if _is_alphanumeric(options) else "possible"


def sender_types(options: Mapping[str, Any]) -> tuple[str, ...]:
    """What OVHcloud may take the sender for (`sms.TypeSenderEnum`): of digits alone it can't be told.

    Without a sender it is a short number by OVHcloud's FAQ.
    """
    if options.get("senderForResponse") is True or "sender" not in options:
        return ("shortcode",)
    return ("alpha",) if _is_alphanumeric(options) else ("numeric", "virtual")


def credits_of(parts: int, rate: Rate) -> float:
    """Credits that one SMS takes."""
    return round(parts * rate.credits, 6)


def _is_alphanumeric(options: Mapping[str, Any]) -> bool:
    """Whether the sender that counts is a name; `senderForResponse` wins over `sender`."""
    sender = options.get("sender")
    return options.get("senderForResponse") is not True and sender is not None and any(c.isalpha() for c in sender)
