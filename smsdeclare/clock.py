"""Clock; the only reader of the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

#: A wait looks so often whether it is to end. Seconds.
_SLICE_SECONDS = 0.5
#: What is left by rounding alone is less than this; a clock might not even notice that it was slept.
_LEAST_SECONDS = 0.001


class Clock(Protocol):
    """What the rest of the code knows of time."""

    def now(self) -> datetime:
        """The moment on this machine's clock, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment on this machine's clock, timezone-aware, in UTC."""
        return datetime.now(tz=UTC)

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean something."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        time.sleep(seconds)


def pause(clock: Clock, seconds: float, stop: Callable[[], bool]) -> bool:
    """Wait, unless `stop` says to stop; whether the whole time passed."""
    end = clock.monotonic() + seconds
    while not stop():
        left = end - clock.monotonic()
        if left <= 0:
            return True
        clock.sleep(min(max(left, _LEAST_SECONDS), _SLICE_SECONDS))
    return False


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; raises KeyError, ValueError or OSError where there is none."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - it reads how Python was built; many a server's clock is UTC

    return ZoneInfo(name)


def timestamp(moment: datetime) -> str:
    """`moment` as the documents write it: RFC 3339 in UTC, whole seconds, `2026-12-01T08:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
