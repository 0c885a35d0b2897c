"""When a send goes out, when it is too late, and when a revision is closed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare.canonical import canonical
from smsdeclare.clock import timestamp, zone_of
from smsdeclare.definitions import QuietHours
from smsdeclare.quiet import NEVER_QUIET, Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from smsdeclare.definitions import Times


#: Without `expiresAt`, a send that is due may be so late.
LATE = timedelta(hours=1)
#: Other zones, an hour for what is late and quiet hours are counted from what is written, within what Python can hold.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
#: Without `expiresAt`, a revision takes new receivers for so long after its first send.
OPEN = timedelta(days=30)


#: OVHcloud holds advertising at night and on some days; its pages disagree on which. The strictest of them: Monday to
#: Friday without the French public holidays, 8 to 20 in Paris.
STRICTEST_HOLD = QuietHours(begins=time(20), ends=time(8), days=frozenset({5, 6}), holidays="FR", zone="Europe/Paris")
#: Nothing is taken back so shortly before its time: it could be on its way.
TOO_CLOSE = timedelta(minutes=10)


class Fate(StrEnum):
    """What becomes of a send that is free to be posted."""

    POST = "post"
    #: Its time has passed, for good.
    MISSED = "missed"
    #: It joined after its revision was closed.
    CLOSED = "closed"


def zone_named(name: str) -> tzinfo | None:
    """The time zone of this name; None where there is none."""
    try:
        return zone_of(name)
    except (KeyError, ValueError, OSError):
        return None


class NoSuchTime(ValueError):
    """A local time that the clocks skip."""


class OutOfReach(ValueError):
    """A time so far off that the calendar ends before what is counted from it."""


def moment(written: str, zone: tzinfo) -> tuple[datetime, bool]:
    """A time as YAML has it, local to `zone` unless it has an offset, and whether it stands twice on that day.

    Of the two the earlier is taken. Raises NoSuchTime for a time that summer time skips, OutOfReach for one at the
    ends of the calendar, ValueError for no time.
    """
    found = datetime.fromisoformat(written.replace(" ", "T", 1).replace(" ", ""))
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise OutOfReach
    if found.tzinfo is not None:
        return found, False
    local = found.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found:
        raise NoSuchTime("the clocks skip it")
    return local, local.utcoffset() != local.replace(fold=1).utcoffset()


class Slot(NamedTuple):
    """When a send goes out and when it is too late, by the clock at one moment and with quiet hours counted in."""

    #: Until when the provider holds it; None where it goes out at once.
    due: datetime | None = None
    #: Nothing is posted after this; None: nothing is too late.
    expires_at: datetime | None = None
    #: An end that the project wrote. One that nobody wrote is for posting: a phone that is off still gets its SMS.
    valid_until: datetime | None = None
    #: Whether quiet hours hold it up.
    is_delayed: bool = False
    #: Whether it may not be posted at all, since quiet hours refuse it or never end.
    is_refused: bool = False

    def is_late(self, now: datetime, margin: timedelta) -> bool:
        """Whether it can't go out in time any more; `margin` is how long a signed request may travel."""
        if self.expires_at is None:
            return False
        return now > self.expires_at - margin or (
            self.is_delayed and self.due is not None and self.due > self.expires_at
        )


def slot(times: Times, options: Mapping[str, Any], now: datetime, quiet: Quiet = NEVER_QUIET) -> Slot:
    """When what is posted now goes out.

    Quiet hours move the moment, and what is only late by default is late by as much later. `now` decides, anew for
    each POST: what the user wrote stays what it is.
    """
    minutes = int(options.get("differedPeriod", 0))
    wanted = now + timedelta(minutes=minutes) if times.send_at is None else max(times.send_at, now)
    end = quiet.end(wanted)
    expires_at = times.expires_at
    if times.send_at is not None and expires_at is not None and "expiresAt" not in times.written:
        expires_at = max(expires_at, (quiet.end(times.send_at) or times.send_at) + LATE)
    is_delayed = end is not None and end > wanted
    due = end if end is not None and is_delayed else wanted if wanted > now else None
    return Slot(
        due=due,
        expires_at=expires_at,
        valid_until=expires_at if "expiresAt" in times.written else None,
        is_delayed=is_delayed,
        is_refused=end is None or quiet.refuses(end),
    )


def fate(
    times: Times,
    now: datetime,
    margin: timedelta,
    *,
    first_at: datetime | None,
    is_known: bool,
    at: Slot | None = None,
) -> Fate:
    """What becomes of a free send of a revision whose first send was claimed at `first_at`.

    `margin` is how long a signed request may travel: none is signed so late that it could arrive after the end. `at`
    is its slot where there are quiet hours.
    """
    joins_late = first_at is not None and not is_known
    at = at or Slot(expires_at=times.expires_at)
    if at.expires_at is not None:
        if not at.is_late(now, margin):
            return Fate.POST
        return Fate.CLOSED if joins_late else Fate.MISSED
    if joins_late and first_at is not None and not times.never_expires and now > first_at + OPEN:
        return Fate.CLOSED
    return Fate.POST


def is_too_close(send_at: str | None, now: datetime) -> bool:
    """Whether what goes out then can't be taken back any more: it is on its way, or out."""
    return send_at is None or datetime.fromisoformat(send_at) - now < TOO_CLOSE


def next_opening(moment: datetime) -> datetime:
    """When an SMS with a STOP clause that is posted at `moment` has surely gone out or been dropped."""
    return Quiet((STRICTEST_HOLD,)).end(moment) or moment


def resolved(times: Times) -> str:
    """The times as one canonical text of moments: another spelling or zone of the same moment is no change."""
    moments = {"sendAt": times.send_at, "expiresAt": times.expires_at}
    return canonical({name: timestamp(one) if one else None for name, one in moments.items()}).decode()


def options_at(options: Mapping[str, Any], at: Slot, now: datetime) -> Mapping[str, Any]:
    """The options as they are posted at `now`: OVHcloud counts both its periods in minutes from then.

    Rounded so that nothing goes out before its time, and nothing after its end.
    """
    posted = dict(options)
    if at.due is not None and at.due > now:
        posted["differedPeriod"] = math.ceil((at.due - now).total_seconds() / 60)
    if at.valid_until is not None and "validityPeriod" not in posted:
        left = (at.valid_until - max(at.due or now, now)).total_seconds()
        posted["validityPeriod"] = max(1, math.floor(left / 60))
    return posted
