"""Backing up, restoring and moving a state, as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

import ledgers
import pytest
import worlds

from smsdeclare import planning
from smsdeclare.apply import apply
from smsdeclare.cli import opening
from smsdeclare.clock import SystemClock
from smsdeclare.define import define
from smsdeclare.errors import PlanStale
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.project import read
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server

STATE = "smsdeclare.sandbox.state"
ONE, TWO, THREE, FOUR = (worlds.number(place) for place in (1, 2, 3, 4))


def files(*numbers):
    to = "[" + ", ".join(f'"{number}"' for number in numbers) + "]"
    return {"smsdeclare.yaml": worlds.root(more=worlds.message(to=to))}


@pytest.fixture
def project(command, tmp_path):
    """A project of the sandbox that has sent one SMS, and beside it a backup of its state."""
    folder = worlds.write(tmp_path / "shop", files(ONE))
    command("apply", "-C", folder, "--auto-approve")
    command("state", "pull", "-C", folder, "--out", "../backup.state")
    return folder


@pytest.fixture
def later(command, project, tmp_path):
    """A copy that was made after one more SMS."""
    there = worlds.write(tmp_path / "there", files(ONE, TWO))
    command("state", "push", "-C", there, tmp_path / "backup.state")
    command("apply", "-C", there, "--auto-approve")
    command("state", "pull", "-C", there, "--out", tmp_path / "later.state")
    return tmp_path / "later.state"


def typed(*arguments, **streams):
    """The command in a process of its own, its streams as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "smsdeclare", *map(str, arguments)],
        env=worlds.environment(),
        stderr=subprocess.PIPE,
        check=False,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **streams},
    )


def serial(path):
    return ledgers.meta(path)["serial"]


# — pull —


def test_a_backup_says_what_it_holds_and_that_it_is_personal(command, project, tmp_path):
    result = command("state", "pull", "-C", project, "--out", "../more.state")
    assert (0, "") == (result.code, result.out)
    told = f"Copied 1 send (serial {serial(project / STATE)}) to ../more.state. It holds phone numbers in clear.\n"
    assert told == result.err
    assert ledgers.rows(project / STATE) == ledgers.rows(tmp_path / "more.state")
    assert "holds the phone number of everybody" in " ".join(command("state", "pull", "--help").out.split())


def test_a_quiet_backup_says_nothing(command, project):
    result = command("state", "pull", "-C", project, "--out", "../more.state", "-q")
    assert (0, "", "") == (result.code, result.out, result.err)


def test_a_backup_replaces_no_file(command, project, tmp_path):
    before = (tmp_path / "backup.state").read_bytes()
    result = command("state", "pull", "-C", project, "--out", "../backup.state")
    assert (1, True) == (result.code, "error SMS020" in result.err)
    assert "Choose another name; a copy never replaces a file." in result.err
    assert before == (tmp_path / "backup.state").read_bytes()


def test_a_backup_needs_no_valid_files(command, project, tmp_path):
    (project / "smsdeclare.yaml").write_text("version: [\n")
    assert 0 == command("state", "pull", "-C", project, "--out", "../more.state").code
    assert (tmp_path / "more.state").exists()


def test_there_is_nothing_to_back_up_before_the_first_apply(command, tmp_path):
    folder = worlds.write(tmp_path / "shop", files(ONE))
    result = command("state", "pull", "-C", folder, "--out", "copy.state")
    assert (1, True, False) == (result.code, "error SMS509" in result.err, (folder / "copy.state").exists())


def test_a_pipe_gets_the_very_bytes(project, tmp_path):
    done = typed("state", "pull", "-C", project)
    (tmp_path / "piped.state").write_bytes(done.stdout)
    assert 0 == done.returncode
    assert b"Copied 1 send (serial " in done.stderr
    assert b") to standard output." in done.stderr
    assert ledgers.rows(project / STATE) == ledgers.rows(tmp_path / "piped.state")


def test_a_terminal_gets_no_bytes(project):
    above, below = os.openpty()
    done = typed("state", "pull", "-C", project, stdout=below)
    os.close(below)
    os.set_blocking(above, False)
    with pytest.raises((BlockingIOError, OSError)):
        os.read(above, 1)
    os.close(above)
    assert (1, True) == (done.returncode, b"error SMS901" in done.stderr)


def test_a_backup_into_a_closed_stream_fails(project):
    done = typed("state", "pull", "-C", project, preexec_fn=lambda: os.close(1), stdout=None)
    assert (1, True) == (done.returncode, b"error SMS901" in done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_backup_onto_a_full_disk_fails(project):
    with Path("/dev/full").open("wb") as full:
        done = typed("state", "pull", "-C", project, stdout=full)
    assert (1, True) == (done.returncode, b"error SMS021" in done.stderr)


# — restore and move —


def test_a_lost_state_is_restored(command, project, tmp_path):
    (project / STATE).unlink()
    result = command("state", "push", "-C", project, "../backup.state")
    told = f"The state is restored: 1 send (serial {serial(tmp_path / 'backup.state')}).\n"
    assert (0, told) == (result.code, result.out)
    latest = dict(ledgers.rows(tmp_path / "backup.state", "jobs")["jobs"][0])["claimed_at"]
    assert "warning SMS524" in result.err
    assert f"its last POST is of {latest}\n" in result.err
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert [ONE] == [sms["receiver"] for sms in worlds.outbox(project)]


def test_what_was_sent_after_the_backup_stops_an_apply_until_somebody_has_looked(command, project):
    """As the guide has it: who is left gets a message of another name."""
    worlds.write(project, files(ONE, TWO))
    command("apply", "-C", project, "--auto-approve")
    (project / STATE).unlink()
    assert "warning SMS524" in command("state", "push", "-C", project, "../backup.state").err
    everybody = worlds.write(project, files(ONE, TWO, THREE, FOUR))
    result = command("apply", "-C", everybody, "--auto-approve")
    assert (1, True) == (result.code, "error SMS514" in result.err)
    assert [ONE, TWO] == [sms["receiver"] for sms in worlds.outbox(project)]
    worlds.write(
        project,
        {
            "smsdeclare.yaml": worlds.root(
                more=f"""\
receivers:
  everybody: {{numbers: ["{ONE}", "{TWO}", "{THREE}", "{FOUR}"]}}
  hadIt: {{csv: had-it.csv}}
  left: {{union: [everybody], except: [hadIt]}}
messages:
  hello-left: {{text: Hello, to: left, renamedFrom: none}}
"""
            ),
            "had-it.csv": f"number\n{ONE}\n{TWO}\n",
        },
    )
    assert 0 == command("apply", "-C", project, "--auto-approve").code
    assert [ONE, TWO, THREE, FOUR] == sorted(sms["receiver"] for sms in worlds.outbox(project))


def test_a_state_moves_through_a_pipe(project, tmp_path):
    there = worlds.write(tmp_path / "there", files(ONE))
    pulled = typed("state", "pull", "-C", project)
    pushed = typed("state", "push", "-C", there, "-", stdin=None, input=pulled.stdout)
    assert (0, True) == (pushed.returncode, pushed.stdout.startswith(b"The state is restored: 1 send"))
    assert ledgers.rows(project / STATE, "sends", "jobs") == ledgers.rows(there / STATE, "sends", "jobs")


def test_a_terminal_gives_no_copy(project):
    above, below = os.openpty()
    done = typed("state", "push", "-C", project, "-", stdin=below)
    os.close(above)
    os.close(below)
    assert (1, True) == (done.returncode, b"error SMS901" in done.stderr)


def test_a_state_that_comes_back_takes_the_place_of_the_older_one(command, project, later, tmp_path):
    worlds.write(project, files(ONE, TWO))
    result = command("state", "push", "-C", project, later)
    now, before = serial(later), serial(tmp_path / "backup.state")
    told = f"The state has 2 sends (serial {now}) now; before, it had 1 send (serial {before}).\n"
    assert (0, told) == (result.code, result.out)
    assert "Nothing to do." in command("plan", "-C", project).err
    again = command("state", "push", "-C", project, later)
    assert (0, "Nothing to do: the state is what the copy is.\n") == (again.code, again.out)


def test_a_stop_moves_along_and_is_told(command, project, tmp_path):
    command("stop", "--reason", "moving", "-C", project)
    command("state", "pull", "-C", project, "--out", "../moving.state")
    there = worlds.write(tmp_path / "there", files(ONE, TWO))
    assert "Sending is stopped by" in command("state", "push", "-C", there, tmp_path / "moving.state").err
    assert 6 == command("apply", "-C", there, "--auto-approve").code
    command("resume", "-C", there)
    assert 0 == command("apply", "-C", there, "--auto-approve").code
    assert 6 == command("apply", "-C", worlds.write(project, files(ONE, TWO)), "--auto-approve").code
    assert ([ONE], [TWO]) == tuple([sms["receiver"] for sms in worlds.outbox(place)] for place in (project, there))


# — refused —


def refused(command, project, copy):
    """The code; the state is as it was, and no number is shown."""
    before = (project / STATE).read_bytes()
    result = command("state", "push", "-C", project, copy)
    assert (1, "", before) == (result.code, result.out, (project / STATE).read_bytes())
    assert "+336" not in result.err
    return result.err.removeprefix("error ").partition(":")[0]


def test_an_older_copy_is_refused(command, project):
    worlds.write(project, files(ONE, TWO))
    command("apply", "-C", project, "--auto-approve")
    assert "SMS521" == refused(command, project, "../backup.state")


def test_a_copy_that_went_another_way_is_refused(command, project, later):
    worlds.write(project, files(ONE, THREE))
    command("apply", "-C", project, "--auto-approve")
    assert "SMS522" == refused(command, project, later)


def test_a_copy_of_another_state_is_refused(command, project, tmp_path):
    other = worlds.write(tmp_path / "other", files(ONE))
    command("apply", "-C", other, "--auto-approve")
    assert "SMS520" == refused(command, project, other / STATE)


def test_a_copy_of_another_project_is_refused(command, project, later):
    path = project / "smsdeclare.yaml"
    path.write_text(path.read_text().replace("project: test", "project: other"))
    assert "SMS502" == refused(command, project, later)
    (project / STATE).rename(project / "old.state")
    assert "error SMS502" in command("state", "push", "-C", project, later).err
    assert not (project / STATE).exists()


def test_a_copy_of_the_sandbox_never_becomes_a_state_that_sends(command, project, tmp_path):
    real = '{name: ovh, endpoint: "http://127.0.0.1:9/1.0"}'
    folder = worlds.write(tmp_path / "real", {"smsdeclare.yaml": worlds.root(real, worlds.message())})
    result = command("state", "push", "-C", folder, tmp_path / "backup.state")
    assert (1, True) == (result.code, "error SMS502" in result.err)
    assert ["smsdeclare.yaml"] == [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(("name", "code"), [("nowhere", "SMS001"), (".", "SMS001"), ("smsdeclare.yaml", "SMS501")])
def test_what_is_no_copy_is_named(command, project, name, code):
    assert code == refused(command, project, name)


def test_the_name_of_a_copy_can_not_speak_to_the_terminal(command, project):
    result = command("state", "push", "-C", project, "\x1b[31mred.state")
    assert (1, False) == (result.code, "\x1b" in result.err)


def test_a_state_that_a_runner_would_lose_is_not_restored(command, tmp_path, monkeypatch):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root("{name: ovh}", worlds.message())})
    monkeypatch.setenv("CI", "true")
    result = command("state", "push", "-C", folder, "backup.state")
    assert (1, True) == (result.code, "error SMS505" in result.err)


# — while a run is at work —


def test_a_push_leaves_a_run_at_work_alone(command, tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(), script="ah") as server:
        more = worlds.message() + f'  other: {{text: Other, to: "{TWO}"}}\n'
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
        process = worlds.spawn("apply", "-C", folder, "--auto-approve")
        assert server.held.wait(30)
        assert 0 == command("state", "pull", "-C", folder, "--out", "copy.state").code
        ledgers.change(folder / "copy.state", "UPDATE sends SET state = 'accepted'")
        result = command("state", "push", "-C", folder, "copy.state")
        assert (6, True) == (result.code, "error SMS506" in result.err)
        server.release()
        process.communicate(timeout=30)
        assert 0 == process.returncode
        assert 2 == sum(method == "POST" for method, *_ in server.requests)
    assert 2 == sum(
        row["status"] == "accepted" for row in command("state", "list", "-C", folder, "--json").json["sends"]
    )


def test_a_run_that_planned_before_a_push_posts_nothing(command, project, later):
    definitions = define(read(worlds.write(project, files(ONE, TWO))))
    ledger = SqliteLedger(project / STATE)
    opened = opening.provider(definitions)
    draft = planning.work_out(
        definitions, planning.expand(definitions), ledger, opened.binding, now=SystemClock().now()
    )
    assert [(TWO,)] == [job.numbers for job in draft.jobs]
    assert 0 == command("state", "push", "-C", project, later).code
    with pytest.raises(PlanStale) as caught:
        list(apply(draft.jobs, ledger, opened.provider, SystemClock(), plan_digest=draft.plan.digest))
    ledger.close()
    assert (7, "SMS508") == (caught.value.exit_code, caught.value.diagnostics[0].code.id)
    assert [ONE] == [sms["receiver"] for sms in worlds.outbox(project)]
