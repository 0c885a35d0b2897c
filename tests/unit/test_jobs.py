from types import SimpleNamespace

import worlds
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.columns import NEAR, Gathering, Wording
from smsdeclare.jobs import group, posts_of, tag
from smsdeclare.quiet import NEVER_QUIET, Quiet
from smsdeclare.rates import bill

MESSAGE = SimpleNamespace(name="hello", revision=1, options={}, times=None, template_digest="t")
CHOSEN = st.dictionaries(st.integers(0, 9999), st.sampled_from("abcdefgh"), max_size=60)


@given(CHOSEN, st.integers(1, 9))
def test_every_send_is_in_exactly_one_job_with_its_own_text(chosen, most):
    texts = {worlds.number(index): text for index, text in chosen.items()}
    sends = worlds.sends(texts)
    jobs = list(group(MESSAGE, sends, most))
    assert sorted(texts.items()) == sorted((number, job.text.text) for job in jobs for number in job.numbers)
    assert all(len(job.numbers) <= most and list(job.numbers) == sorted(job.numbers) for job in jobs)
    assert len(jobs) == sum(-(-sum(one == text for one in texts.values()) // most) for text in set(texts.values()))
    assert len(jobs) == posts_of(sends, most)


@given(CHOSEN)
def test_jobs_come_in_the_order_of_their_first_receivers(chosen):
    jobs = list(group(MESSAGE, worlds.sends({worlds.number(index): text for index, text in chosen.items()}), 100))
    assert [job.numbers[0] for job in jobs] == sorted(job.numbers[0] for job in jobs)


def test_texts_that_come_again_after_many_others_are_one():
    numbers = [f"+33700{index:06d}" for index in range(NEAR + 3)]
    sends = worlds.sends({number: f"text {place % (NEAR + 1)}" for place, number in enumerate(numbers)})
    jobs = list(group(MESSAGE, sends, 500))
    assert [(numbers[0], numbers[-2]), (numbers[1], numbers[-1])] == [job.numbers for job in jobs[:2]]
    assert NEAR + 1 == len(jobs) == posts_of(sends, 500)


def test_one_post_goes_to_receivers_with_the_same_quiet_hours():
    gathering = Gathering()
    for number, country in (("+33639980001", "FR"), ("+32470123456", "BE"), ("+33639980002", "FR")):
        gathering.add(number, country, Wording("a", bill("a", {})))
    sends = gathering.sends()

    def quiet_for(place):
        return NEVER_QUIET if place.country == "FR" else Quiet(zones=("Europe/Brussels",))

    jobs = list(group(MESSAGE, sends, 500, quiet_for))
    assert [("+32470123456",), ("+33639980001", "+33639980002")] == [job.numbers for job in jobs]
    assert 2 == posts_of(sends, 500, quiet_for)


def test_a_tag_is_twenty_characters_known_by_heart():
    """What is at the provider carries it; another form would hide our own SMS from us."""
    assert "iszy3ixi7j7pnr733ant" == tag("shop", "sms-ab12345-1", "hello", 1, 1)


@given(st.text(max_size=9), st.text(max_size=9), st.integers(1, 99), st.integers(1, 99))
def test_tags_of_different_jobs_differ(project, message, revision, ordinal):
    one = tag(project, "s", message, revision, ordinal)
    assert (20, True) == (len(one), set(one) <= set("abcdefghijklmnopqrstuvwxyz234567"))
    assert one not in (
        tag(project, "s", message, revision, ordinal + 1),
        tag(project, "s", message, revision + 1, ordinal),
        tag(project, "s", message + "x", revision, ordinal),
        tag(project + "x", "s", message, revision, ordinal),
    )
