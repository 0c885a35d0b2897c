"""Lanes on which the order is drawn, not left to the machine: what a seed shows once it shows again."""


class DrawnLanes:
    """Everything runs in the caller's thread, at a moment and in an order by chance."""

    def __init__(self, count, random):
        self.count = count
        self._random = random
        self._begun = {}
        #: The most that was begun and had not ended.
        self.most = 0

    def start(self, lane, work):
        assert lane not in self._begun
        self._begun[lane] = work
        self.most = max(self.most, len(self._begun))

    def finished(self):
        drawn = self._random.sample(sorted(self._begun), self._random.randint(1, len(self._begun)))
        # A crash in the first leaves the others as they are.
        return [(lane, self._begun.pop(lane)()) for lane in drawn]
