"""Parts and country → credits; what the STOP clause adds."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from smsdeclare.encoding import (
    EXTENSION_TABLE,
    Encoding,
    encoding_of_singles,
    is_gsm,
    least_parts,
    measure,
    with_stop_clause,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from smsdeclare.encoding import Measure

#: The destinations that OVHcloud names (`sms.CountryEnum` of its API), ISO 3166 alpha-2, and what a part to each took:
#: credits that `GET /sms/rates/destinations` answered for accounts billed in France on 2026-10-01, as read by others.
_READING = (
    "AD:3 AE:2.8 AF:7.75 AG:3.7 AI:2.7 AL:2.3 AM:4.3 AN:2 AO:1.3 AR:2.55 AT:1.8 AU:0.85 AW:2.2 AZ:10.25 BA:2.35 "
    "BB:4.35 BD:7.8 BE:1.35 BF:3.05 BG:3.4 BH:0.95 BI:6.6 BJ:4.5 BM:5.6 BN:1.05 BO:3.45 BR:1.15 BS:1.5 BT:6.85 BW:2.4 "
    "BY:8.55 BZ:4.65 CA:0.35 CD:4.6 CF:1.45 CG:3.25 CH:1 CI:4.25 CK:2.4 CL:1.3 CM:4.1 CN:1.05 CO:0.5 CR:1.15 CU:2.15 "
    "CV:3.65 CY:1.65 CZ:1.9 DE:2.3 DK:1.25 DM:3.15 DZ:4.95 EC:4.35 EE:1.8 EG:4.65 ES:0.85 ET:5.35 FI:0.7 FJ:3.6 "
    "FK:1.9 FO:1.25 FR:1 GA:5.4 GB:1.05 GD:3.75 GE:4.5 GF:2 GH:3.65 GI:2.15 GL:0.55 GM:3.5 GN:4 GP:1.85 GQ:3 GR:2.1 "
    "GT:3.25 GU:2.05 GW:3.7 GY:4.6 HK:1.8 HN:2.2 HR:2.75 HT:4.15 HU:2.8 ID:9.05 IE:0.7 IL:3.9 IN:2.15 IO:1.9 IQ:6.35 "
    "IR:5.85 IS:2.05 IT:1.1 JM:4.3 JO:5.2 JP:2.1 KE:2 KG:5.2 KH:5 KM:5.3 KN:4.6 KR:0.7 KW:5.75 KY:3.75 KZ:6.25 LA:2.1 "
    "LB:0.8 LC:3.95 LI:0.75 LK:7.9 LR:3 LS:3.95 LT:1.35 LU:1.7 LV:1.75 LY:8.45 MA:1.2 MD:2.75 ME:2.55 MG:8.4 MK:2.25 "
    "ML:3.55 MN:5.1 MO:1.05 MQ:1.85 MR:3.8 MS:2.1 MT:2.25 MU:4.8 MV:1.05 MW:5.35 MX:1.2 MY:2.5 MZ:2.1 NA:1.15 NC:2.35 "
    "NE:7 NG:5.6 NI:1.95 NL:2.05 NO:0.6 NP:4.1 NZ:0.7 OM:3.3 PA:2.45 PE:2.1 PF:2.95 PG:4.2 PH:4.9 PK:6 PL:0.5 PS:9.85 "
    "PT:0.5 PY:1.4 QA:1.75 RE:1.05 RO:1.95 RS:3.25 RU:13.95 RW:4.7 SA:3.2 SB:1.4 SC:1.8 SD:7.25 SE:1.3 SG:1.1 SI:4.15 "
    "SK:1.95 SL:3.9 SM:1.7 SN:3.95 SO:3.55 SR:3.65 ST:0.4 SV:1.9 SY:7.55 SZ:2.55 TC:3.8 TD:7 TG:2.9 TH:0.6 TJ:9.3 "
    "TL:2.45 TM:4.95 TN:4.8 TO:3.5 TR:0.25 TT:3.95 TW:1.25 TZ:4.9 UA:5.15 UG:5.65 US:0.35 UY:2.05 UZ:8.2 VC:3.15 "
    "VE:2.2 VG:4.45 VI:3.65 VN:4.3 VU:2.75 WS:2.35 YE:6.05 YT:1.05 ZA:0.8 ZM:6.1 ZW:3.75"
)
_READ = {country: float(figure) for country, _, figure in (one.partition(":") for one in _READING.split())}
DESTINATIONS = frozenset(_READ)
#: A reading grows old, and accounts billed elsewhere have other rates, so half as much again counts where nobody can be
#: asked. That is above the guides' figures for other countries of billing, too: Britain's own 0.5 and India 0.4 where
#: billed in Britain (2023-02-09), Ireland's own 0.8 and India 0.1 where billed in Ireland (2020-06-04).
_CAUTION = 1.5


class Rate(NamedTuple):
    """Credits that one part takes."""

    credits: float
    #: False where the provider did not say so itself, or not lately; `credits` is then meant to be the larger figure.
    exact: bool


#: A credit is what a part to France takes, wherever the account is billed (FAQ, 2026-03-27).
_FRANCE = Rate(1.0, exact=True)


class Rates:
    """Credits a part for any destination: as the provider answered, else a cautious figure."""

    def __init__(self, answered: Mapping[str, Rate] | None = None) -> None:
        self._answered = answered or {}
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

    def _one(self, country: str) -> Rate:
        if country in self._answered:
            return self._answered[country]
        if country == "FR":
            return _FRANCE
        # Tenths suffice, upward; the inner rounding takes away what binary fractions leave above a tenth.
        return Rate(ceil(round(_READ[country] * _CAUTION * 10, 6)) / 10, exact=False)

    def _highest(self, countries: Collection[str]) -> Rate:
        found = [self._one(country) for country in countries or DESTINATIONS]
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


class Bills:
    """Bills of texts that go out with the same options: of most texts the length says it all."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._by_length: dict[Encoding, dict[int, Bill]] = {"gsm7": {}, "unicode": {}}

    def of(self, text: str) -> Bill:
        """As `bill` has it."""
        encoding = encoding_of_singles(text)
        if encoding is None:
            return bill(text, self._options)
        by_length, length = self._by_length[encoding], len(text)
        found = by_length.get(length)
        if found is None:
            found = by_length[length] = bill(text, self._options)
        return found


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
