"""The lease on a state while a run is at work: it saves work and gives good messages; safety never rests on it."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from smsdeclare import codes
from smsdeclare.cli import environment
from smsdeclare.clock import timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, StateError
from smsdeclare.ledgers.upkeep import held_by
from smsdeclare.records import Lease

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from smsdeclare.clock import Clock
    from smsdeclare.ledger import Ledger

#: A lease that is not renewed runs out after this, and after as long as a run may be at work on what it has claimed.
_LASTS = timedelta(minutes=2)
#: It is renewed after a quarter of that; every renewal is a durable write.
_RENEWED_AFTER = 0.25
#: Between two looks whether another run has finished; where the state is elsewhere, each goes there. Seconds.
_LOOK_SECONDS, _FAR_LOOK_SECONDS = 1.0, 5.0


class Holder:
    """Holds the lease of a state from `hold` on, until the end of `with`."""

    def __init__(self, ledger: Ledger, clock: Clock, wait: timedelta = timedelta(), *, may_join: bool = False) -> None:
        """`may_join`: where the ledger is shared, another run with the same plan is a fellow and not in the way."""
        self._ledger = ledger
        self._may_join = may_join and ledger.is_shared
        self._digest: str | None = None
        self._wait = wait
        self._clock = clock
        #: Tells it from all other runs.
        self.name = uuid.uuid4().hex
        self._lasts = _LASTS + (ledger.signs_within or timedelta())
        self._look_seconds = _LOOK_SECONDS if ledger.signs_within is None else _FAR_LOOK_SECONDS
        self._since = timestamp(self._clock.now())
        #: Of the monotonic clock; None before it is held.
        self._renewed_at: float | None = None

    def __enter__(self) -> Self:
        """Wait until nobody else is at work; nothing is written as long as nothing is to be done."""
        if not self._may_join:
            self.wait_until_alone()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(StateError, Held):  # it runs out by itself, and must not hide how the run ended
            self.let_go()

    def let_go(self) -> None:
        """Give it back where it is held: nothing more is claimed."""
        if self._renewed_at is not None:
            self._renewed_at = None
            self._ledger.let_go(self.name, timestamp(self._clock.now()))

    @property
    def fellows(self) -> list[Lease]:
        """Other runs at work that this one may join, read anew."""
        return self._others() if self._may_join else []

    def wait_until_alone(self) -> None:
        """Wait for other runs as long as was asked for; raises Held."""
        self._wait_for(lambda: next(iter(self._others()), None))

    def hold(self, digest: str) -> None:
        """Take the lease for a plan, waiting for runs with another one as long as was asked for; raises Held."""
        if self._renewed_at is None:
            self._digest = digest if self._may_join else None
            self._wait_for(lambda: self._ledger.hold(self._lease(), self._is_over))
            self._renewed_at = self._clock.monotonic()

    def renew(self) -> None:
        """Keep it where it is held; raises Held where somebody took it over."""
        if self._renewed_at is None or not self._is_due(self._renewed_at):
            return
        other = self._ledger.renew(self._lease(), self._is_over)
        if other is not None:
            raise Held(Diagnostic(code=codes.STATE_BUSY, detail=f"taken over by {held_by(other).detail}"))
        self._renewed_at = self._clock.monotonic()

    def _is_due(self, renewed_at: float) -> bool:
        return self._clock.monotonic() - renewed_at >= self._lasts.total_seconds() * _RENEWED_AFTER

    def _wait_for(self, look: Callable[[], Lease | None]) -> None:
        last = self._clock.monotonic() + self._wait.total_seconds()
        while (other := look()) is not None:
            if self._clock.monotonic() >= last:
                raise Held(held_by(other))
            self._clock.sleep(self._look_seconds)

    def _others(self) -> list[Lease]:
        return [one for one in self._ledger.leases if one.holder != self.name and not is_over(one, self._clock)]

    def _lease(self) -> Lease:
        return Lease(
            holder=self.name,
            actor=environment.actor(),
            host=socket.gethostname(),
            pid=os.getpid(),
            ci=environment.ci_job(),
            since=self._since,
            until=timestamp(self._clock.now() + self._lasts),
            digest=self._digest,
        )

    def _is_over(self, other: Lease) -> bool:
        return is_over(other, self._clock)


def is_over(lease: Lease, clock: Clock) -> bool:
    """Whether it ran out, or its process on this machine has ended."""
    if datetime.fromisoformat(lease.until) < clock.now():
        return True
    return lease.host == socket.gethostname() and not _is_alive(lease.pid)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
