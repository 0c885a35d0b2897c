"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from smsdeclare.cli.session import is_terminal
from smsdeclare.events import JobDone
from smsdeclare.states import State

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from smsdeclare.cli.session import Session
    from smsdeclare.planning import Draft

#: Between two plain lines. Seconds.
_PAUSE = 10.0
#: What is left is told in minutes from here on. Seconds.
_MINUTES_FROM = 180.0


class Progress:
    """Counts sends as their outcomes come on record."""

    def __init__(self, session: Session, draft: Draft) -> None:
        self._session = session
        self._total = draft.plan.summary.send + draft.plan.summary.replace
        self._done = 0
        self._begun_at = self._said_at = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._total and is_terminal(sys.stderr) and not self._session.quiet:
            from rich.console import Console  # noqa: PLC0415 - only where there is a terminal to draw on
            from rich.progress import Progress as Bar  # noqa: PLC0415 - as above
            from rich.progress import TextColumn  # noqa: PLC0415 - as above

            columns = (*Bar.get_default_columns(), TextColumn("{task.fields[rate]}"))
            self._bar = Bar(*columns, console=Console(stderr=True, no_color=True), transient=True)
            self._task = self._bar.add_task("Sending", total=self._total, rate="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, event: object) -> None:
        """One more job is on record; troubles are told at the end."""
        if not isinstance(event, JobDone):
            return
        self._done += len(event.claim.numbers)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, rate=self._rate(time.monotonic())[0])
        elif time.monotonic() - self._said_at >= _PAUSE:
            self._said_at = time.monotonic()
            self._session.note(", ".join((f"{self._done:,} of {self._total:,}", *self._rate(self._said_at))))
        states = list(event.outcome.states.values())
        taken = states.count(State.ACCEPTED) + states.count(State.SCHEDULED)
        claim = event.claim
        self._session.detail(
            f"message.{claim.message}@{claim.revision} job {claim.ordinal}: {taken} of {len(claim.numbers)} taken, "
            f"query {event.outcome.query_id or 'none'}"
        )

    def _rate(self, now: float) -> tuple[str, str]:
        """How fast it goes, and for how long it will at this rate."""
        return pace(self._done, self._total, now - self._begun_at)


def pace(done: int, total: int, seconds: float) -> tuple[str, str]:
    """The rate of `done` in so many seconds, and what is left of the time, in words."""
    rate = done / max(seconds, 0.001)
    left = max(total - done, 0) / rate if rate else 0.0
    shown = f"{left:,.0f} s" if left < _MINUTES_FROM else f"{left / 60:,.0f} min"
    return f"{rate:,.0f} a second" if rate >= 1 else f"{rate * 60:,.0f} a minute", f"about {shown} left"
