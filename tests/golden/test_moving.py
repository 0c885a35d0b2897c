"""`smsdeclare state migrate` and `state lock show`, as a user types them."""

from contextlib import closing

import jsonschema
import ledgers
import pytest
import worlds

from smsdeclare.records import Lease
from smsdeclare.schema import load_schema

A, B, C = (worlds.number(place) for place in range(1, 4))


def files(state="{}", to=f'["{A}", "{B}"]'):
    return worlds.root(more=f"state: {state}\n" + worlds.message(to=to))


@pytest.fixture
def project(tmp_path, command):
    worlds.write(tmp_path, {"smsdeclare.yaml": files()})
    assert 0 == command("apply", "--auto-approve", "-C", tmp_path).code
    return tmp_path


def test_the_state_is_where_the_files_say_by_then(project, command):
    worlds.write(project, {"smsdeclare.yaml": files("{path: new.state}", to=f'["{A}", "{B}", "{C}"]')})
    moved = command("state", "migrate", "smsdeclare.sandbox.state", "--auto-approve", "-C", project)
    expected = "Moved 2 sends from file smsdeclare.sandbox.state to file new.sandbox.state.\n"
    assert (0, expected) == (moved.code, moved.out)
    assert 0 == command("apply", "--auto-approve", "-C", project).code
    assert sorted([A, B, C]) == sorted(line["receiver"] for line in worlds.outbox(project))
    # A checkout from before says where the state is, and sends nothing.
    worlds.write(project, {"smsdeclare.yaml": files(to=f'["{A}", "{B}", "{C}"]')})
    for what in (("apply", "--auto-approve"), ("plan",), ("status",), ("stop", "--reason", "x"), ("state", "list")):
        result = command(*what, "-C", project)
        assert (1, True, True) == (result.code, "SMS546" in result.err, "to file new.sandbox.state" in result.err)
    assert 3 == len(worlds.outbox(project))


def test_between_two_root_files(project, command):
    worlds.write(project, {"smsdeclare.old.yaml": files("{path: smsdeclare.state}")})
    worlds.write(project, {"smsdeclare.yaml": files("{path: new.state}")})
    assert 0 == command("state", "migrate", "smsdeclare.old.yaml", "--auto-approve", "-C", project).code
    back = ("state", "migrate", "smsdeclare.yaml", "smsdeclare.old.yaml", "--auto-approve", "-C", project)
    result = command(*back)
    assert (1, True) == (result.code, "already where this one is to go" in result.err)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("smsdeclare.sandbox.state", "FROM and TO are both the file smsdeclare.sandbox.state"),
        ("nothing.state", "There is no state yet: file nothing.state"),
        ("nothing.yaml", "nothing.yaml"),
    ],
)
def test_what_can_not_be_moved_is_said(project, command, source, said):
    result = command("state", "migrate", source, "--auto-approve", "-C", project)
    assert (1, "", True) == (result.code, result.out, said in result.err)


def test_nobody_moves_a_state_without_a_yes(project, command):
    worlds.write(project, {"smsdeclare.yaml": files("{path: new.state}")})
    before = (project / "smsdeclare.sandbox.state").read_bytes()
    result = command("state", "migrate", "smsdeclare.sandbox.state", "-C", project)
    assert (1, True) == (result.code, "SMS946" in result.err)
    assert before == (project / "smsdeclare.sandbox.state").read_bytes()


def test_another_projects_state_is_refused_and_goes_on(project, command):
    other = files("{path: new.state}").replace("project: test", "project: other")
    worlds.write(project, {"smsdeclare.yaml": other})
    result = command("state", "migrate", "smsdeclare.sandbox.state", "--auto-approve", "-C", project)
    assert (1, True) == (result.code, "SMS502" in result.err)
    worlds.write(project, {"smsdeclare.yaml": files()})
    assert 0 == command("apply", "--auto-approve", "-C", project).code


# — state lock show —


def test_nobody_at_work(project, command):
    assert (0, "Nobody holds it.\n") == ((result := command("state", "lock", "show", "-C", project)).code, result.out)
    assert [] == command("state", "lock", "show", "--json", "-C", project).json["leases"]


def test_who_holds_it_since_when_and_where(project, command):
    lease = Lease(
        holder="x",
        actor="ana\x1b[2J on runner-7",
        host="runner-7",
        pid=4711,
        ci="https://ci.example.org/runs/9",
        since="2026-12-01T08:00:00Z",
        until="2999-12-01T08:02:00Z",
        digest="sha256:" + "a" * 64,
    )
    with closing(ledgers.at(project / "smsdeclare.sandbox.state")) as ledger:
        ledger.hold(lease, lambda one: False)
    told = command("state", "lock", "show", "-C", project).out
    for said in (
        "process 4711 on runner-7",
        "2026-12-01T08:00:00Z",
        "until 2999",
        "ci.example.org/runs/9",
        "sha256:aaa",
    ):
        assert said in told
    assert "\x1b" not in told
    document = command("state", "lock", "show", "--json", "-C", project)
    (shown,) = document.json["leases"]
    assert (4711, False, lease.until) == (shown["pid"], shown["isOver"], shown["until"])
    jsonschema.validate(document.json, load_schema("lock.v1"))
    # Without valid files as well, since that is when somebody looks.
    (project / "smsdeclare.yaml").write_text("version: 1\n: {")
    assert 1 == len(command("state", "lock", "show", "--json", "-C", project).json["leases"])
    assert 0 == command("state", "unlock", "-C", project).code
