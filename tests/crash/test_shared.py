"""Several real applies on one state in PostgreSQL: killed, paused, doubled; the server's journal is the witness."""

import os
import random
import shutil
import signal
import uuid
from collections import Counter

import pytest
import worlds
from processes import (
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
def project(tmp_path, postgresql):
    """A project of so many receivers that sends by a server; its state is in PostgreSQL."""

    def make(url, count):
        files = people(count, url)
        state = f"state: {{backend: postgresql, schema: t{uuid.uuid4().hex[:12]}}}\n"
        worlds.write(tmp_path / "project", {"smsdeclare.yaml": files["smsdeclare.yaml"] + state})
        return SharedPlace(tmp_path / "project", tmp_path / "journal.jsonl", postgresql.url())

    return make


@pytest.fixture
def place(tmp_path, project):
    """The same with a server of its own."""
    with serving(tmp_path / "journal.jsonl") as url:
        yield lambda count: project(url, count)


@pytest.fixture
def held(tmp_path, project):
    """A server that holds the answer to the first POST, and a run that waits for it."""
    with Server(Outbox(tmp_path / "journal.jsonl", Settings()), script="h") as server:
        here = project(server.url, 12)
        first = here.start()
        wait_until(lambda: server.held.is_set() or first.poll() is not None)
        assert server.held.is_set()
        yield here, first, server
        server.release()
        first.kill()
        first.communicate()


class SharedPlace(Place):
    def __init__(self, folder, journal, url):
        super().__init__(folder, journal)
        self.environment = worlds.environment(SMSDECLARE_POSTGRESQL_URL=url)

    def start(self, *more, folder=None):
        arguments = ("apply", "--auto-approve", "--json", "-C", folder or self.folder, *more)
        return worlds.spawn(*arguments, env=self.environment)

    def statuses(self):
        process = worlds.spawn("state", "list", "--json", "--show-numbers", "-C", self.folder, env=self.environment)
        code, document = finish(process)
        assert 0 == code
        return {row["receiver"]: row["status"] for row in document["sends"]}


@pytest.mark.parametrize("runners", [4])
def test_applies_of_one_plan_share_the_work(place, runners):
    here = place(60)
    ended = [finish(process) for process in [here.start() for _ in range(runners)]]
    assert dict.fromkeys(everyone(60), 1) == Counter(here.received())
    assert {0} == {code for code, _ in ended}, [document["errors"] for _, document in ended]
    assert 60 == sum(document["summary"]["sent"] for _, document in ended)
    assert dict.fromkeys(everyone(60), "accepted") == here.statuses()


def test_a_second_apply_joins_while_the_first_is_at_work(held):
    here, first, server = held
    second = here.start()
    here.wait_for(12, second)
    # It waits for the answer that the first one waits for, and does not call that unknown.
    assert second.poll() is None
    server.release()
    ended = [finish(process) for process in (first, second)]
    assert [0, 0] == [code for code, _ in ended]
    assert [0, 0] == [document["summary"]["unknown"] for _, document in ended]
    assert 12 == sum(document["summary"]["sent"] for _, document in ended)
    assert dict.fromkeys(everyone(12), 1) == Counter(here.received())


def test_one_with_another_plan_has_to_wait(held):
    here, first, server = held
    other = here.folder.with_name("edited")
    shutil.copytree(here.folder, other)
    path = other / "smsdeclare.yaml"
    path.write_text(path.read_text().replace("Hello {{", "Good day {{"))
    code, document = finish(here.start(folder=other))
    assert (6, "SMS506") == (code, document["errors"][0]["code"])
    server.release()
    assert 0 == finish(first)[0]
    assert dict.fromkeys(everyone(12), 1) == Counter(here.received())


def test_one_may_die_and_the_others_go_on(held):
    here, first, server = held
    second = here.start()
    here.wait_for(12, second)
    kill(first)
    code, document = finish(second)
    assert code == (4 if document["summary"]["unknown"] else 0)
    assert document["summary"]["unknown"] <= 1
    server.release()
    assert 0 == here.apply()[0]
    assert dict.fromkeys(everyone(12), 1) == Counter(here.received())
    assert dict.fromkeys(everyone(12), "accepted") == here.statuses()


def alive(processes):
    return [one for one in processes if one.poll() is None]


@pytest.mark.parametrize("seed", range(1))
def test_kills_and_pauses_at_random_double_nobody_and_lose_nobody(place, seed):
    here, chance = place(60), random.Random(seed)
    running = []
    for count in sorted(chance.sample(range(1, 55), 4)):
        running = alive(running)
        running += [here.start() for _ in range(4 - len(running))]
        wait_until(lambda count=count, running=running: len(here.received()) >= count or not alive(running))
        left = alive(running)
        if len(left) > 1:
            paused, killed = chance.sample(left, 2)
            os.kill(paused.pid, signal.SIGSTOP)
            killed.kill()
            killed.communicate()
            os.kill(paused.pid, signal.SIGCONT)
    for one in running:
        one.communicate()
    check_nothing_is_lost_or_doubled(here, 60, here.apply()[0])
