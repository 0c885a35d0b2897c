"""Lanes on which the order is drawn, not left to the machine: what a seed shows once it shows again."""


class DrawnLanes:
    """Everything runs in the caller's thread, at a moment and in an order by chance."""

    def __init__(self, count, random):
        self.count = count
        self._random = random
        #: Lane → what is to be run yet.
        self._begun = {}
        #: Lane → what came of what ran at once, as a thread may be faster than who started it.
        self._ended = {}
        #: The most that was begun and not taken.
        self.most = 0

    def start(self, lane, work):
        assert lane not in self._begun | self._ended
        if self._random.random() < 0.3:
            self._ended[lane] = work()
        else:
            self._begun[lane] = work
        self.most = max(self.most, len(self._begun | self._ended))

    def finished(self):
        lanes = sorted(self._begun | self._ended)
        drawn = self._random.sample(lanes, self._random.randint(1, len(lanes)))
        return [(lane, self._take(lane)) for lane in drawn]

    def _take(self, lane):
        return self._ended.pop(lane) if lane in self._ended else self._begun.pop(lane)()
