"""How many jobs may be in flight: one to begin with, more as answers come clean and soon, one again after any other."""

from __future__ import annotations

#: An answer is slow that takes so many times the fastest of the run, and so many seconds more.
_SLOW_TIMES, _SLOW_SECONDS = 2.0, 0.5


class Window:
    """Grows by one for each clean answer: while the provider is down from the start, one job at a time is in doubt."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._fastest = float("inf")
        self.size = 1

    def clean(self, seconds: float) -> None:
        """An answer came that leaves nothing open, after so long; a slow one says that more would only queue there."""
        self._fastest = min(self._fastest, seconds)
        is_slow = seconds > self._fastest * _SLOW_TIMES + _SLOW_SECONDS
        self.size = max(1, self.size - 1) if is_slow else min(self._most, self.size + 1)

    def close(self) -> None:
        """Anything else came back: begin anew."""
        self.size = 1
