"""SIGINT and SIGTERM: while posting, the first lets what is in flight finish, the second leaves at once."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from smsdeclare.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

#: After a first signal what is in flight may take so long. Seconds.
_GRACE_SECONDS = 8.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Callable: whether somebody asked to stop.

    A handler only sets the flag: an exception inside a send would blur whether its first byte had left.
    """

    def __init__(self) -> None:
        self._asked = False
        self._alarm_before: Any = signal.SIG_DFL
        self._before = [signal.getsignal(number) for number in _SIGNALS]

    def __call__(self) -> bool:
        """Whether a first signal came."""
        return self._asked

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        self._alarm_before = signal.signal(signal.SIGALRM, self._leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._alarm_before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._asked:
            # What is claimed stays on record as in doubt: the ledger is right at every instant.
            os._exit(Interrupted.exit_code)
        self._asked = True
        signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)

    @staticmethod
    def _leave(number: int, frame: FrameType | None) -> None:
        del number, frame
        with suppress(OSError):
            os.write(2, b"Interrupted: no answer came in time; the next apply finds out what became of it.\n")
        os._exit(Interrupted.exit_code)


@contextmanager
def ending_alike() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: with its message, its exit code, and the lease given back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
