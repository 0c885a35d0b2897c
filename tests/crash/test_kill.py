"""The real command, killed, doubled and interrupted; the journal of a real server is the witness."""

import os
import signal
from collections import Counter

import pytest
import worlds
from processes import (
    DEADLINE_SECONDS,
    Place,
    check_nothing_is_lost_or_doubled,
    everyone,
    finish,
    kill,
    people,
    serving,
    wait_until,
)

from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings


@pytest.fixture
def place(tmp_path):
    """Start a server with a script, and a project of so many receivers that sends by it."""
    open_ones = []

    def make(count, script=""):
        server = serving(tmp_path / "journal.jsonl", script)
        open_ones.append(server)
        folder = tmp_path / "project"
        folder.mkdir()
        worlds.write(folder, people(count, server.__enter__()))
        return Place(folder, tmp_path / "journal.jsonl")

    yield make
    for server in open_ones:
        server.__exit__(None, None, None)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_kill_while_an_answer_is_held_is_never_followed_by_a_second_post(place, k):
    here = place(6, "a" * (k - 1) + "h")
    process = here.start()
    here.wait_for(k, process)
    kill(process)
    assert worlds.number(k - 1) == here.received()[-1]
    for settled in (1, 0):
        code, document = here.apply()
        assert (0, settled, 0) == (code, document["summary"]["settled"], document["summary"]["unknown"])
        assert everyone(6) == sorted(here.received())
        assert dict.fromkeys(everyone(6), "accepted") == here.statuses()


@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_a_kill_between_two_jobs_loses_nobody_and_doubles_nobody(place, k):
    here = place(8)
    process = here.start()
    here.wait_for(k, process)
    kill(process)
    check_nothing_is_lost_or_doubled(here, 8, here.apply()[0])


def test_kill_after_kill_after_kill_ends_well(place):
    here = place(10)
    for k in (2, 4, 6, 8):
        process = here.start()
        wait_until(lambda k=k, process=process: len(here.received()) >= k or process.poll() is not None)
        process.kill()
        process.communicate()
    check_nothing_is_lost_or_doubled(here, 10, here.apply()[0])


@pytest.mark.parametrize("k", [1, 5, 30])
def test_a_kill_with_several_posts_in_flight_leaves_no_more_than_those_in_doubt(place, k):
    here = place(60)
    process = here.start("--parallelism", 8)
    here.wait_for(k, process)
    kill(process)
    intended = [number for number, status in here.statuses().items() if status == "unknown"]
    assert len(intended) <= 8
    check_nothing_is_lost_or_doubled(here, 60, here.apply("--parallelism", 8)[0])


def test_several_posts_are_in_flight_at_once_and_an_interrupt_lets_them_finish(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Server(Outbox(journal, Settings()), script="aaahhh") as server:
        here = Place(worlds.write(tmp_path / "project", people(30, server.url)), journal)
        process = here.start("--parallelism", 3)
        posts = lambda: sum(method == "POST" for method, *_ in list(server.requests))  # noqa: E731 - read three times
        # All three lanes wait for an answer that is held.
        wait_until(lambda: posts() >= 6 or process.poll() is not None)
        assert (6, None) == (posts(), process.poll())
        os.kill(process.pid, signal.SIGINT)
        server.release()
        code, document = finish(process)
        assert (130, 6, 0) == (code, document["summary"]["sent"], document["summary"]["unknown"])
        assert 6 == posts()
        assert dict.fromkeys(here.received(), "accepted") == here.statuses()


@pytest.mark.parametrize("runners", [2, 4])
def test_of_several_applies_at_once_one_sends_and_the_others_say_who_does(place, runners):
    here = place(40)
    ended = [finish(process) for process in [here.start() for _ in range(runners)]]
    assert dict.fromkeys(everyone(40), 1) == Counter(here.received())
    refused = [document["errors"][0] for code, document in ended if code == 6]
    assert ["SMS506"] * len(refused) == [error["code"] for error in refused]
    assert {0, 6} >= {code for code, _ in ended}
    assert 40 == sum(document["summary"]["sent"] for code, document in ended if code == 0)
    assert 0 == here.apply()[0]
    assert dict.fromkeys(everyone(40), "accepted") == here.statuses()


@pytest.mark.parametrize("runners", [2, 4])
def test_several_applies_that_wait_for_one_another_send_each_sms_once(place, runners):
    here = place(20)
    ended = [finish(process) for process in [here.start("--lock-timeout", "5m") for _ in range(runners)]]
    assert dict.fromkeys(everyone(20), 1) == Counter(here.received())
    assert [(0, 20)] == [(code, document["summary"]["sent"]) for code, document in ended if document["summary"]["sent"]]
    assert {0} == {code for code, _ in ended}


def test_an_interrupt_lets_what_is_in_flight_finish(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Server(Outbox(journal, Settings()), script="ah") as server:
        here = Place(worlds.write(tmp_path / "project", people(6, server.url)), journal)
        process = here.start()
        wait_until(lambda: server.held.is_set() or process.poll() is not None)
        assert server.held.is_set()
        os.kill(process.pid, signal.SIGINT)
        server.release()
        code, document = finish(process)
        assert (130, 2, 0) == (code, document["summary"]["sent"], document["summary"]["unknown"])
        assert everyone(2) == here.received()
        assert dict.fromkeys(everyone(2), "accepted") == here.statuses()
        assert 0 == here.apply()[0]
        assert everyone(6) == sorted(here.received())
        assert 6 == sum(method == "POST" for method, *_ in server.requests)


def test_a_second_interrupt_leaves_at_once_and_the_state_is_right(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Server(Outbox(journal, Settings()), script="ah") as server:
        here = Place(worlds.write(tmp_path / "project", people(4, server.url)), journal)
        process = here.start()
        wait_until(lambda: server.held.is_set() or process.poll() is not None)
        # Two signals of one kind that arrive together are one.
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=DEADLINE_SECONDS)
        assert 130 == process.returncode
        check_nothing_is_lost_or_doubled(here, 4, here.apply()[0])
        assert 4 == sum(method == "POST" for method, *_ in server.requests)


@pytest.mark.parametrize("letter", ["l", "5"])
def test_what_was_taken_without_an_answer_is_not_posted_again(place, letter):
    here = place(3, "a" + letter)
    for expected in ((4, 1), (0, 0)):
        code, document = here.apply()
        assert expected == (code, document["summary"]["unknown"])
        assert everyone(3) == here.received()
