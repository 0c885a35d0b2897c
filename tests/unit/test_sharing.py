from types import SimpleNamespace

from smsdeclare.sharing import apart


class Glances:
    """A ledger that is asked what is taken."""

    def __init__(self):
        self.gone = set()
        self.asked = []

    def taken(self, message, revision, numbers):
        self.asked.append((message, revision))
        return [number for number in numbers if (message, revision, number) in self.gone]


def jobs(count, message="hello", each=1):
    return [
        SimpleNamespace(message=message, revision=1, numbers=tuple(f"+{place}.{one}" for one in range(each)))
        for place in range(count)
    ]


def test_every_job_comes_once_in_an_order_of_the_runs_own():
    wanted = jobs(100)
    mine, theirs = (list(apart(wanted, Glances(), name)) for name in ("mine", "theirs"))
    assert sorted(mine, key=wanted.index) == sorted(theirs, key=wanted.index) == wanted
    assert mine not in (theirs, wanted)
    assert mine == list(apart(wanted, Glances(), "mine"))


def test_what_others_have_taken_meanwhile_is_passed_over():
    wanted, ledger = jobs(120, each=2), Glances()
    coming = apart(wanted, ledger, "mine")
    first = next(coming)
    ledger.gone = {("hello", 1, number) for job in wanted[1:] for number in job.numbers} - {("hello", 1, "+7.1")}
    later = list(coming)
    # What was asked about before the others took it comes all the same: the claim will tell.
    assert 50 <= len(later) + 1 <= 51
    assert first not in later
    assert wanted[7] in [first, *later]


def test_messages_stay_apart_and_no_more_is_read_than_is_needed():
    ledger = Glances()
    read = []

    def stream():
        for job in [*jobs(3000), *jobs(3, message="later")]:
            read.append(job)
            yield job

    coming = apart(stream(), ledger, "mine")
    next(coming)
    assert (2000, [("hello", 1)]) == (len(read), ledger.asked)
    assert {"hello", "later"} == {job.message for job in coming}
