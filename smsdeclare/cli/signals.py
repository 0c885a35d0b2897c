"""SIGINT and SIGTERM while posting: the first lets what is in flight finish, the second leaves at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Self

from smsdeclare.errors import Interrupted

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Callable: whether somebody asked to stop.

    A handler only sets the flag: an exception inside a send would blur whether its first byte had left.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before = [signal.getsignal(number) for number in _SIGNALS]

    def __call__(self) -> bool:
        """Whether a first signal came."""
        return self._asked

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._asked:
            # What is claimed stays on record as in doubt: the ledger is right at every instant.
            os._exit(Interrupted.exit_code)
        self._asked = True
