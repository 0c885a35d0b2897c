"""When a send goes out, when it is too late, and when a revision is closed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from smsdeclare.canonical import canonical
from smsdeclare.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from smsdeclare.definitions import Times

#: Without `expiresAt`, a send that is due may be so late.
LATE = timedelta(hours=1)
#: Without `expiresAt`, a revision takes new receivers for so long after its first send.
OPEN = timedelta(days=30)


_PARIS = ZoneInfo("Europe/Paris")
_OPENS, _CLOSES = time(8), time(20)
_SATURDAY = 5
#: Nothing is taken back so shortly before its time: it could be on its way.
TOO_CLOSE = timedelta(minutes=10)


class Fate(StrEnum):
    """What becomes of a send that is free to be posted."""

    POST = "post"
    #: Its time has passed, for good.
    MISSED = "missed"
    #: It joined after its revision was closed.
    CLOSED = "closed"


class NoSuchTime(ValueError):
    """A local time that the clocks skip."""


def moment(written: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """A time as YAML has it, local to `zone` unless it has an offset, and whether it stands twice on that day.

    Of the two the earlier is taken. Raises NoSuchTime for a time that summer time skips, ValueError for no time.
    """
    found = datetime.fromisoformat(written.replace(" ", "T", 1).replace(" ", ""))
    if found.tzinfo is not None:
        return found, False
    local = found.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found:
        raise NoSuchTime("the clocks skip it")
    return local, local.utcoffset() != local.replace(fold=1).utcoffset()


def fate(times: Times, now: datetime, margin: timedelta, *, first_at: datetime | None, is_known: bool) -> Fate:
    """What becomes of a free send of a revision whose first send was claimed at `first_at`.

    `margin` is how long a signed request may travel: none is signed so late that it could arrive after the end.
    """
    joins_late = first_at is not None and not is_known
    if times.expires_at is not None:
        if now <= times.expires_at - margin:
            return Fate.POST
        return Fate.CLOSED if joins_late else Fate.MISSED
    if joins_late and first_at is not None and not times.never_expires and now > first_at + OPEN:
        return Fate.CLOSED
    return Fate.POST


def is_too_close(send_at: str | None, now: datetime) -> bool:
    """Whether what goes out then can't be taken back any more: it is on its way, or out."""
    return send_at is None or datetime.fromisoformat(send_at) - now < TOO_CLOSE


def due(times: Times, options: Mapping[str, Any], now: datetime) -> datetime | None:
    """Until when the provider holds what is posted now; None where it goes out at once."""
    if times.send_at is not None:
        return times.send_at if times.send_at > now else None
    minutes = int(options.get("differedPeriod", 0))
    return now + timedelta(minutes=minutes) if minutes else None


def next_opening(moment: datetime) -> datetime:
    """When an SMS with a STOP clause that is posted at `moment` has surely gone out or been dropped.

    OVHcloud holds advertising at night and on some days; its pages disagree on which. This is the strictest of them:
    Monday to Friday without the French public holidays, 8 to 20 in Paris.
    """
    local = moment.astimezone(_PARIS)
    closed = _closed(local.year)
    if _is_open(local.date(), closed) and _OPENS <= local.time() < _CLOSES:
        return moment
    day = local.date() if local.time() < _OPENS else local.date() + timedelta(days=1)
    while not _is_open(day, closed):
        day += timedelta(days=1)
    return datetime.combine(day, _OPENS, tzinfo=_PARIS)


@cache
def _closed(year: int) -> Container[date]:
    """The French public holidays of a year and the next."""
    import holidays  # noqa: PLC0415 - heavy, and needed for advertising alone

    return holidays.country_holidays("FR", years=(year, year + 1))


def _is_open(day: date, closed: Container[date]) -> bool:
    return day.weekday() < _SATURDAY and day not in closed


def resolved(times: Times) -> str:
    """The times as one canonical text of moments: another spelling or zone of the same moment is no change."""
    moments = {"sendAt": times.send_at, "expiresAt": times.expires_at}
    return canonical({name: timestamp(one) if one else None for name, one in moments.items()}).decode()


def options_at(times: Times, options: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """The options as they are posted at `now`: OVHcloud counts both its periods in minutes from then.

    Rounded so that nothing goes out before its time, and nothing after its end.
    """
    posted = dict(options)
    held = due(times, options, now)
    if times.send_at is not None and held is not None:
        posted["differedPeriod"] = math.ceil((held - now).total_seconds() / 60)
    # An end that nobody wrote is one for posting: a phone that is off for an hour still gets its SMS.
    if times.expires_at is not None and "expiresAt" in times.written and "validityPeriod" not in posted:
        left = (times.expires_at - (held or now)).total_seconds()
        posted["validityPeriod"] = max(1, math.floor(left / 60))
    return posted
