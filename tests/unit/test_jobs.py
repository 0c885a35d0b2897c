from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.jobs import group, tag
from smsdeclare.rates import bill
from smsdeclare.sends import Send, Text

MESSAGE = SimpleNamespace(name="hello", revision=1, options={}, times=None, template_digest="t")
TEXTS = {name: Text(name, f"digest of {name}", bill(name, {})) for name in ("a", "b", "c")}


@given(st.dictionaries(st.integers(0, 9999), st.sampled_from("abc"), max_size=60), st.integers(1, 9))
def test_every_send_is_in_exactly_one_job_with_its_own_text(chosen, most):
    sends = [
        Send(f"+3363998{index:04d}", TEXTS[text], 1.0, credits_exact=True) for index, text in sorted(chosen.items())
    ]
    jobs = list(group(MESSAGE, sends, most))
    assert sorted((number, job.text.text) for job in jobs for number in job.numbers) == [
        (send.number, send.text.text) for send in sends
    ]
    assert all(len(job.numbers) <= most and list(job.numbers) == sorted(job.numbers) for job in jobs)
    assert len(jobs) == sum(-(-sum(send.text.text == text for send in sends) // most) for text in TEXTS)


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
