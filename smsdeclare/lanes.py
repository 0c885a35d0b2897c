"""Lanes: where a run waits for the network, in its own thread or beside it; everything else stays in its own."""

from __future__ import annotations

import signal
import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    #: What runs on a lane. It returns what is to be known of it, expected failures included.
    Work = Callable[[], Any]


class Lanes(Protocol):
    """Where work waits for the network; what runs on one lane always runs in the same thread."""

    #: How many there are; they are known by their places, from 0.
    count: int

    def start(self, lane: int, work: Work) -> None:
        """Begin a piece of work on a lane that has none."""
        ...

    def finished(self) -> Sequence[tuple[int, Any]]:
        """Wait until some of what was begun has ended; each lane with what its work returned."""
        ...


class OneLane:
    """The caller's own thread: what is started has ended when `start` returns."""

    count = 1

    def __init__(self) -> None:
        self._ended: deque[tuple[int, Any]] = deque()

    def start(self, lane: int, work: Work) -> None:
        """Do it."""
        self._ended.append((lane, work()))

    def finished(self) -> Sequence[tuple[int, Any]]:
        """What was done since."""
        ended = list(self._ended)
        self._ended.clear()
        return ended


class Threads:
    """A thread for each lane, from the first work on it until the end of `with`."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._inboxes: dict[int, SimpleQueue[Work | None]] = {}
        self._ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for inbox in self._inboxes.values():
            inbox.put(None)
        self._inboxes.clear()

    def start(self, lane: int, work: Work) -> None:
        """Hand it to the lane's thread."""
        if lane not in self._inboxes:
            inbox: SimpleQueue[Work | None] = SimpleQueue()
            self._inboxes[lane] = inbox
            # Daemons: a process that is told to leave does not wait for an answer.
            threading.Thread(target=self._serve, args=(lane, inbox), name=f"lane {lane}", daemon=True).start()
        self._inboxes[lane].put(work)

    def finished(self) -> Sequence[tuple[int, Any]]:
        """Wait for one, and take whatever else has ended by then; raises what ended the work of a lane."""
        ended = [self._ended.get()]
        with suppress(Empty):
            while True:
                ended.append(self._ended.get_nowait())
        for _, _, error in ended:
            if error is not None:
                raise error
        return [(lane, result) for lane, result, _ in ended]

    def _serve(self, lane: int, inbox: SimpleQueue[Work | None]) -> None:
        # They are for the run's own thread, which would not wake up for one that is delivered here.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGALRM))
        while (work := inbox.get()) is not None:
            try:
                self._ended.put((lane, work(), None))
            except BaseException as error:  # noqa: BLE001 - the run must not wait for a thread that has ended
                self._ended.put((lane, None, error))
