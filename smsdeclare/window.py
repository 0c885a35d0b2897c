"""How many jobs may be in flight: one to begin with, more while answers come clean and soon, one after any other."""

from __future__ import annotations

#: So many POSTs are in flight at once where nothing is said, at most. OVHcloud publishes no limit.
PARALLEL = 32
#: So many answers come clean, one after the other, before more than one is in flight where nobody asked for it.
PROVEN = 20
#: OVHcloud's staff calls up to so many requests a minute fair (https://github.com/ovh/python-ovh/issues/81).
FAIR = 60
#: An answer that comes soon. Seconds.
SOON = 0.2
#: An answer is slow that takes so many times the fastest of the run, and so many seconds more.
_SLOW_TIMES, _SLOW_SECONDS = 2.0, 0.5


class Window:
    """Grows by one once as many answers as it is wide came clean, and by its first only after `proven` of them.

    So of a provider that is down from the start one job at a time is in doubt, and of a short run never more.
    """

    def __init__(self, most: int, proven: int = 1) -> None:
        self._most = most
        self._proven = proven
        self._fastest = float("inf")
        self._in_flight = 0
        #: Clean answers since it last changed.
        self._clean = 0
        #: How many in flight were begun before the window closed: they say nothing of how it is now.
        self._old = 0
        self.size = 1

    def begin(self) -> None:
        """A job is in flight now."""
        self._in_flight += 1

    def clean(self, seconds: float) -> None:
        """An answer came that leaves nothing open, after so long; a slow one says that more would only queue there."""
        self._in_flight -= 1
        if self._old:
            self._old -= 1
            return
        self._fastest = min(self._fastest, seconds)
        if seconds > self._fastest * _SLOW_TIMES + _SLOW_SECONDS:
            self._resize(max(1, self.size - 1))
            return
        self._clean += 1
        if self._clean == (self._proven if self.size == 1 else self.size):
            self._resize(min(self._most, self.size + 1))

    def close(self) -> None:
        """Anything else came back: begin anew."""
        self._in_flight -= 1
        self._old = self._in_flight
        self._resize(1)

    def _resize(self, size: int) -> None:
        self.size, self._clean = size, 0


def about(posts: int) -> tuple[float, float]:
    """How long so many POSTs take where each is answered soon, and at a fair pace. Seconds."""
    rounds, left, size = min(posts, PROVEN), posts - PROVEN, 2
    while left > 0:
        rounds, left, size = rounds + 1, left - size, min(size + 1, PARALLEL)
    return round(rounds * SOON, 1), (posts - 1) * 60.0 / FAIR
