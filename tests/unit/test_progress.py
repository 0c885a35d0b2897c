"""What is said while sending."""

import pytest

from smsdeclare.cli.progress import pace


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        pytest.param(1200, 5000, 5.0, ("240 a second", "about 16 s left"), id="fast"),
        pytest.param(500, 1_000_000, 2.0, ("250 a second", "about 67 min left"), id="long"),
        pytest.param(5, 10, 60.0, ("5 a minute", "about 60 s left"), id="slow"),
        pytest.param(10, 10, 4.0, ("2 a second", "about 0 s left"), id="done"),
        pytest.param(12, 10, 4.0, ("3 a second", "about 0 s left"), id="more than was planned"),
        pytest.param(0, 10, 4.0, ("0 a minute", "about 0 s left"), id="nothing yet"),
    ],
)
def test_the_rate_and_the_time_that_is_left_are_told_in_words(done, total, seconds, said):
    assert said == pace(done, total, seconds)
