"""Waiting."""

from smsdeclare.clock import pause


class Coarse:
    """A clock that takes off the time for which the machine slept: what is left of a wait may be too little for it."""

    def __init__(self):
        self.elapsed, self.slept = 438439.4, 334213.6
        self.slices = []

    def monotonic(self):
        return self.elapsed - self.slept

    def sleep(self, seconds):
        assert len(self.slices) < 100
        self.slices.append(seconds)
        self.elapsed += seconds


def test_a_wait_ends_though_the_clock_rounds():
    clock = Coarse()
    assert pause(clock, 0.1, lambda: False)
    assert 0.1 <= sum(clock.slices) < 0.11


def test_a_wait_that_is_stopped_ends_at_the_next_look():
    clock = Coarse()
    assert not pause(clock, 60.0, lambda: len(clock.slices) == 3)
    assert 3 == len(clock.slices)
