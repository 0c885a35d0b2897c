"""How many jobs may be in flight."""

import pytest

from smsdeclare.window import PARALLEL, PROVEN, SOON, Window, about


def grown(most, size):
    window = Window(most)
    while window.size < size:
        window.begin()
        window.clean(0.1)
    return window


def test_it_begins_with_one_and_grows_by_one_for_as_many_clean_answers_as_it_is_wide():
    window = Window(4)
    sizes = []
    for _ in range(10):
        window.begin()
        window.clean(0.1)
        sizes.append(window.size)
    assert [2, 2, 3, 3, 3, 4, 4, 4, 4, 4] == sizes


def test_the_first_one_more_comes_only_after_what_is_asked_for_in_a_row():
    window = Window(4, proven=3)
    sizes = []
    for is_clean in (True, True, False, True, True, True, True, True):
        window.begin()
        window.clean(0.1) if is_clean else window.close()
        sizes.append(window.size)
    assert [1, 1, 1, 1, 1, 2, 2, 3] == sizes


def test_anything_but_a_clean_answer_takes_it_back_to_one():
    window = grown(8, 6)
    window.begin()
    window.close()
    assert 1 == window.size


def test_answers_to_what_was_begun_before_a_doubt_do_not_open_it_again():
    window = grown(8, 4)
    for _ in range(4):
        window.begin()
    window.close()
    for _ in range(3):
        window.clean(0.1)
    assert 1 == window.size
    window.begin()
    window.clean(0.1)
    assert 2 == window.size


def test_an_answer_that_takes_much_longer_than_the_fastest_takes_one_off():
    window = grown(8, 5)
    for seconds, size in ((0.7, 5), (0.71, 4), (30.0, 3), (0.1, 3), (0.1, 3), (0.1, 4)):
        window.begin()
        window.clean(seconds)
        assert size == window.size


def test_it_never_closes_to_nothing():
    window = Window(3)
    for seconds in (0.1, 60.0, 60.0, 60.0, 60.0):
        window.begin()
        window.clean(seconds)
    assert 1 == window.size


@pytest.mark.parametrize("posts", [1, 2, 20, 21, 22, 23, 25, 515, 516, 5_000])
def test_about_how_long_posts_take_is_by_how_many_are_in_flight(posts):
    window = Window(PARALLEL, PROVEN)
    rounds, left = 0, posts
    while left:
        flying = min(left, window.size)
        for _ in range(flying):
            window.begin()
        for _ in range(flying):
            window.clean(SOON)
        rounds, left = rounds + 1, left - flying
    assert (pytest.approx(rounds * SOON), posts - 1) == about(posts)
