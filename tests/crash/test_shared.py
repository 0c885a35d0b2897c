"""Several real applies on one state in PostgreSQL: killed, paused, doubled; the server's journal is the witness."""

import uuid
from collections import Counter

import pytest
import worlds
from processes import Place, everyone, finish, people, serving


@pytest.fixture
def place(tmp_path, postgresql, monkeypatch):
    """A server with a script, and a project of so many receivers that sends by it; its state is in PostgreSQL."""
    open_ones = []

    def make(count, script="", more=()):
        server = serving(tmp_path / "journal.jsonl", script, *more)
        open_ones.append(server)
        files = people(count, server.__enter__())
        state = f"state: {{backend: postgresql, schema: t{uuid.uuid4().hex[:12]}}}\n"
        folder = tmp_path / "project"
        folder.mkdir()
        worlds.write(folder, {"smsdeclare.yaml": files["smsdeclare.yaml"] + state})
        return SharedPlace(folder, tmp_path / "journal.jsonl", postgresql.url())

    yield make
    for server in open_ones:
        server.__exit__(None, None, None)


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


@pytest.mark.parametrize("runners", [2, 8])
def test_applies_of_one_plan_share_the_work(place, runners):
    here = place(60)
    ended = [finish(process) for process in [here.start() for _ in range(runners)]]
    assert dict.fromkeys(everyone(60), 1) == Counter(here.received())
    assert {0} == {code for code, _ in ended}, [document["errors"] for _, document in ended]
    assert 60 == sum(document["summary"]["sent"] for _, document in ended)
    assert dict.fromkeys(everyone(60), "accepted") == here.statuses()
