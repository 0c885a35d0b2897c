"""Quiet hours: whether a moment falls into them, and when they have ended."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.clock import zone_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from datetime import date, tzinfo

    from smsdeclare.definitions import QuietHours

#: Quiet hours that have not ended by then, in every zone that counts, never do.
_HORIZON = timedelta(days=60)
#: Places that have phone numbers of their own and no code in ISO 3166, by which the database names countries.
_ELSEWHERE = {"XK": ("Europe/Belgrade",), "AC": ("Atlantic/St_Helena",), "TA": ("Atlantic/St_Helena",)}


class Quiet(NamedTuple):
    """The quiet hours that count for some receivers."""

    rules: tuple[QuietHours, ...] = ()
    #: IANA names of the zones that the receivers may be in.
    zones: tuple[str, ...] = ()

    def end(self, moment: datetime) -> datetime | None:
        """When it is not quiet any more by the rules that delay; `moment` where it is not. None: never."""
        delaying = [(rule, zone) for rule, zone in self._clocks() if rule.delays]
        begin = found = moment.astimezone(UTC)
        while found - begin < _HORIZON:
            later = max((_end(rule, zone, found) for rule, zone in delaying), default=found)
            if later == found:
                return found
            found = later
        return None

    def refuses(self, moment: datetime) -> bool:
        """Whether it is quiet then by a rule that refuses."""
        return any(
            not rule.delays and _is_quiet(rule, moment.astimezone(zone_of(zone))) for rule, zone in self._clocks()
        )

    def _clocks(self) -> Iterator[tuple[QuietHours, str]]:
        for rule in self.rules:
            for zone in self.zones if rule.zone is None else (rule.zone,):
                yield rule, zone


NEVER_QUIET = Quiet()


@cache
def quiet_for(rules: tuple[QuietHours, ...], countries: tuple[str, ...], project_zone: str) -> Quiet:
    """The quiet hours for a receiver in one of these countries (ISO 3166 alpha-2); of none, by the project's clock."""
    if all(rule.zone is not None for rule in rules):
        return Quiet(rules)
    zones = dict.fromkeys(zone for country in countries for zone in zones_of(country))
    return Quiet(rules, tuple(zones) or (project_zone,))


def zones_of(country: str) -> tuple[str, ...]:
    """The time zones of a country or territory; none where it is not known.

    A number says no more than its country, so where that has several zones all of them count.
    """
    return _zones_by_country().get(country, ())


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """The IANA database's own table: a country's code, a place, and the zone, with tabs between them."""
    from importlib.resources import files  # noqa: PLC0415 - only for receivers' own zones

    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    found: dict[str, tuple[str, ...]] = dict(_ELSEWHERE)
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found[country] = (*found.get(country, ()), zone)
    return found


def _end(rule: QuietHours, zone: str, moment: datetime) -> datetime:
    """When the quiet hours around `moment` end there, or at least not before; `moment` where there are none."""
    clock, found = zone_of(zone), moment
    while found - moment < _HORIZON and _is_quiet(rule, found.astimezone(clock)):
        local = found.astimezone(clock)
        found = min(_moments(rule, local, clock, after=found))
    return found


def _moments(rule: QuietHours, local: datetime, clock: tzinfo, *, after: datetime) -> Iterator[datetime]:
    """The moments after `after` at which the clock next shows midnight or the end.

    What summer time skips comes as much later as the clocks were set forward; what comes twice, comes twice.
    """
    for day in (local.date(), local.date() + timedelta(days=1), local.date() + timedelta(days=2)):
        for hour in {time(), rule.ends or time()}:
            for fold in (0, 1):
                found = datetime.combine(day, hour, clock).replace(fold=fold).astimezone(UTC)
                if found > after:
                    yield found


def _is_quiet(rule: QuietHours, local: datetime) -> bool:
    if local.weekday() in rule.days or (rule.holidays and local.date() in _holidays(rule.holidays)):
        return True
    if rule.begins is None or rule.ends is None:
        return False
    shown = local.time()
    if rule.begins < rule.ends:
        return rule.begins <= shown < rule.ends
    return shown >= rule.begins or shown < rule.ends


@cache
def _holidays(country: str) -> Container[date]:
    """The public holidays of a country; a year is worked out when it is first asked for."""
    import holidays  # noqa: PLC0415 - heavy, and needed for holidays alone

    return holidays.country_holidays(country)
