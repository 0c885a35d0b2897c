"""The ledger on a branch of a real repository: races, lost answers, refusals, files put there by hand, sealed bytes."""

import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import ledgers
import pytest
import worlds
from ledgers import A, B, C

from smsdeclare import codes
from smsdeclare.cli import repository
from smsdeclare.errors import Held, InputError, StateError
from smsdeclare.ledgers.git_branch import FILE
from smsdeclare.records import Lease, Outcome, Stopped
from smsdeclare.states import State

KEY = "11" * 32


@pytest.fixture
def place(tmp_path):
    return ledgers.Repository(tmp_path)


@pytest.fixture
def ledger(place):
    with closing(ledgers.opened(place)) as opened:
        yield opened


@pytest.fixture
def tool(tmp_path):
    """A folder in front of PATH with a `git` that does what a script says, and for the rest the real one."""

    def make(script):
        folder = tmp_path / "tools"
        folder.mkdir(exist_ok=True)
        program = folder / "git"
        program.write_text(f'#!/bin/sh\nreal() {{ {shutil.which("git")} "$@"; }}\n{script}\nreal "$@"\n')
        program.chmod(0o755)
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    return make


def code(caught):
    return caught.value.diagnostics[0].code


def states(place):
    return {number: state for (_, _, number), state in ledgers.states(place).items()}


def put(place, name, content, *, after=True):
    """A commit of one file by hand, on what is there or instead of it."""
    blob = place.git("hash-object", "-w", "--stdin", input=content).decode().strip()
    tree = place.git("mktree", input=f"100644 blob {blob}\t{name}\n".encode()).decode().strip()
    parents = ("-p", place.name) if after else ()
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody")
    made = place.git(*who, "commit-tree", tree, *parents, "-m", "by hand").decode().strip()
    place.git("update-ref", f"refs/heads/{place.name}", made)


# — compare and swap —


def test_what_can_not_be_taken_over_is_never_written_over(place, ledger):
    """Another run's version under another key, say: who can't read it must not store in its place."""
    ledgers.claim(ledger, A)
    put(place, FILE, b"what only a newer version can read")
    theirs = place.git("rev-parse", place.name)
    for write in (
        lambda: ledger.stopped,
        lambda: ledger.resume(ledgers.AT),
        lambda: ledgers.claim(ledger, B),
        lambda: ledger.stop(Stopped(reason="r", actor="x", at=ledgers.AT)),
    ):
        with pytest.raises(StateError):
            write()
    assert (theirs, {A}) == (place.git("rev-parse", place.name), {one.number for one in ledger.records()})


def test_what_waits_is_stored_although_another_run_made_one_of_it_impossible(place, ledger):
    """Outcomes must not go with a write that a stop has overtaken."""
    jobs = [ledgers.claim(ledger, number) for number in (A, B)]
    accepted = [Outcome(states={number: State.ACCEPTED}, at=ledgers.AT) for number in (A, B)]
    other = ledgers.at(place)

    def learn():
        with ledger.gathering():
            ledger.record(jobs[0], accepted[0])
            ledger.miss(ledgers.intent(C), epoch=ledger.epoch)
            ledger.record(jobs[1], accepted[1])
            other.stop(Stopped(reason="r", actor="x", at=ledgers.AT))

    with closing(other), pytest.raises(Held):
        learn()
    assert {A: "accepted", B: "accepted"} == states(place)
    ledger.resume(ledgers.AT)
    assert {A: "accepted", B: "accepted"} == states(place)


def test_the_branch_has_a_history_of_its_own_and_one_file(place, ledger):
    ledgers.claim(ledger, A)
    assert [FILE] == place.git("ls-tree", "--name-only", place.name).decode().split()
    assert 2 == place.stores()
    # Nobody's hooks, names or settings are needed, and no other branch is there.
    assert [f"refs/heads/{place.name}"] == place.git("for-each-ref", "--format=%(refname)").decode().split()


def test_a_claim_on_what_another_run_has_stored_meanwhile_is_done_again(place, ledger):
    with closing(place.ledger()) as other:
        assert (A, B) == ledgers.claim(other, A, B).numbers
    assert (C,) == ledgers.claim(ledger, A, B, C).numbers
    assert dict.fromkeys((A, B, C), State.INTENDED) == states(place)


def test_what_two_runs_record_goes_by_job_into_the_newest_version(place, ledger):
    mine = ledgers.claim(ledger, A)
    with closing(place.ledger()) as other:
        theirs = ledgers.claim(other, B)
        ledger.record(mine, Outcome(states={A: State.ACCEPTED}, at=ledgers.AT))
        other.record(theirs, Outcome(states={B: State.REJECTED}, at=ledgers.AT))
    assert {A: State.ACCEPTED, B: State.REJECTED} == states(place)


def test_what_may_wait_is_stored_with_the_next_claim(place, ledger):
    first = ledgers.claim(ledger, A)
    before = place.stores()
    with ledger.gathering():
        ledger.record(first, Outcome(states={A: State.ACCEPTED}, at=ledgers.AT))
        assert before == place.stores()
        # Somebody is faster: what waits is written on theirs as well.
        with closing(place.ledger()) as other:
            ledgers.claim(other, C)
        ledgers.claim(ledger, B)
        assert before + 2 == place.stores()
    assert before + 2 == place.stores()
    assert {A: State.ACCEPTED, B: State.INTENDED, C: State.INTENDED} == states(place)


def test_a_lease_is_renewed_with_the_next_claim(place, ledger):
    def is_over(other):
        return False

    lease = Lease(holder="a", actor="ana", host="here", pid=1, ci=None, since=ledgers.AT, until=ledgers.AT)
    later = lease._replace(until="2026-12-01T09:00:00Z")
    with ledger.gathering():
        ledger.hold(lease, is_over)
        before = place.stores()
        ledger.renew(later, is_over)
        assert before == place.stores()
        ledgers.claim(ledger, A)
    assert before + 1 == place.stores()
    assert [later] == list(ledger.leases)


def test_reading_stores_nothing(place, ledger):
    ledgers.send(ledger, State.ACCEPTED, A)
    before = place.git("rev-parse", place.name)
    with closing(place.ledger()) as other:
        assert [other.stopped, list(other.leases)] == [None, []]
        list(other.records())
        other.posted_in_doubt()
    assert before == place.git("rev-parse", place.name)


@pytest.mark.parametrize("when", ["after", "before"])
def test_a_push_whose_answer_is_lost_is_looked_for(place, tool, when):
    """Once: it arrived, and is not done twice; or it did not, and is done again."""
    lost = f"""
case " $* " in *" push "*)
  if mkdir "{place.parent}/lost" 2>/dev/null; then
    {'real "$@"' if when == "after" else ":"}
    echo "fatal: the remote end hung up unexpectedly" >&2; exit 128
  fi;;
esac"""
    with closing(place.ledger(environment=tool(lost))) as ledger:
        ledger.bind(ledgers.BINDING)
        ledgers.claim(ledger, A)
    assert (place.parent / "lost").is_dir()
    assert 2 == place.stores()
    assert {A: State.INTENDED} == states(place)


def test_where_it_can_not_be_told_whether_a_push_arrived_nothing_is_claimed(place, ledger, tool):
    """The way is lost right behind it; who claims then learns nothing that it could post."""
    ledger.close()
    gone = f"""
case " $* " in
  *" push "*) real "$@"; mv "{place.path}" "{place.path}.away"; echo "fatal: the remote end hung up" >&2; exit 128;;
esac"""
    with closing(place.ledger(environment=tool(gone))) as again:
        with pytest.raises(StateError) as caught:
            ledgers.claim(again, A)
        assert codes.STATE_COMMIT_UNKNOWN is code(caught)
        assert [] == list(again.records())
    Path(f"{place.path}.away").rename(place.path)
    assert {A: State.INTENDED} == states(place)


def test_a_repository_that_stores_over_what_it_was_not_made_for_is_refused(place, tool):
    blind = """
case " $* " in *" push "*) set -- $(printf '%s\n' "$@" | sed 's/^--force-with-lease=.*/--force/');; esac"""
    with closing(place.ledger(environment=tool(blind))) as ledger, pytest.raises(StateError) as caught:
        ledger.bind(ledgers.BINDING)
    assert codes.STATE_UNCOMPARED is code(caught)


# — what others do to the branch —


def test_a_history_that_is_rewritten_under_a_run_stops_it(place, ledger):
    ledgers.claim(ledger, A)
    place.git("update-ref", f"refs/heads/{place.name}", f"{place.name}~1")
    with pytest.raises(StateError) as caught:
        ledgers.claim(ledger, B)
    assert codes.STATE_REWRITTEN is code(caught)


def test_a_history_that_went_on_from_an_older_version_stops_a_run(place, ledger):
    """What it claimed is not in it, however many have stored something since."""
    ledgers.claim(ledger, A)
    place.git("update-ref", f"refs/heads/{place.name}", f"{place.name}~1")
    with closing(place.ledger()) as other:
        for number in (B, C):
            ledgers.claim(other, number)
    with pytest.raises(StateError) as caught:
        ledgers.claim(ledger, C)
    assert codes.STATE_REWRITTEN is code(caught)


def test_a_branch_that_is_deleted_under_a_run_stops_it(place, ledger):
    place.git("update-ref", "-d", f"refs/heads/{place.name}")
    with pytest.raises(StateError) as caught:
        ledgers.claim(ledger, A)
    assert codes.STATE_REWRITTEN is code(caught)


def test_an_older_file_that_somebody_put_back_is_noticed(place, ledger):
    old = place.read_bytes()
    ledgers.send(ledger, State.ACCEPTED, A)
    put(place, FILE, old)
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert codes.STATE_PUT_BACK is code(caught)


def test_an_older_commit_on_top_of_newer_ones_is_noticed(place, ledger):
    """As a cherry-pick makes it: its message fits its file, and its place does not."""
    old = place.git("rev-parse", place.name).decode().strip()
    ledgers.send(ledger, State.ACCEPTED, A)
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody")
    message = place.git("log", "-1", "--format=%B", old)
    made = place.git(*who, "commit-tree", f"{old}^{{tree}}", "-p", place.name, "-F", "-", input=message)
    place.git("update-ref", f"refs/heads/{place.name}", made.decode().strip())
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert codes.STATE_PUT_BACK is code(caught)


@pytest.mark.parametrize(("name", "found"), [("README", "SMS586"), (FILE, "SMS587")])
def test_a_branch_of_somebody_else_is_left_as_it_is(place, name, found):
    put(place, name, b"not a state", after=False)
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert found == code(caught).id


# — who may not, or can't —


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("GH006: Protected branch update failed for refs/heads/x.", "SMS584"),
        ("GitLab: You are not allowed to push code to protected branches on this project.", "SMS584"),
        ("GH001: Large files detected.", "SMS585"),
        ("fatal: write error: No space left on device", "SMS585"),
        ("This branch is locked, and pushes to it are blocked.", "SMS584"),
    ],
)
def test_what_the_server_refuses_is_told_and_not_claimed(place, ledger, said, found):
    hook = place.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(StateError) as caught:
        ledgers.claim(ledger, A)
    assert found == code(caught).id
    assert said.split()[0] in caught.value.diagnostics[0].detail
    assert [] == list(ledger.records())
    hook.unlink()
    assert (A,) == ledgers.claim(ledger, A).numbers


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("remote: Repository not found.\nfatal: repository 'https://x/y/' not found", "SMS582"),
        ("fatal: Authentication failed for 'https://x/y/'", "SMS583"),
        ("git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.", "SMS583"),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", "SMS583"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "SMS583"),
        ("remote: HTTP Basic: Access denied", "SMS583"),
        ("fatal: unable to access 'https://x/y/': The requested URL returned error: 403", "SMS583"),
        ("fatal: unable to access 'https://x/y/': Could not resolve host: x", "SMS570"),
        ("ssh: connect to host x port 22: Connection timed out", "SMS570"),
        ("fatal: early EOF", "SMS570"),
    ],
)
def test_each_way_that_leads_nowhere_has_a_code(place, tool, said, found):
    words = said.replace("'", "'\\''")
    with pytest.raises(StateError) as caught:
        place.ledger(environment=tool(f"case \" $* \" in *\" fetch \"*) printf '%s' '{words}' >&2; exit 128;; esac"))
    assert found == code(caught).id


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("fetch", "fatal: failed to write to $home/state.git/shallow.lock: No space left on device"),
        ("fetch", "fatal: unable to write loose object file: No space left on device"),
        ("fetch", "error: cannot update ref 'refs/x': couldn't write '$home/state.git/refs/x.lock'"),
        ("fast-import", "fatal: write error: No space left on device"),
    ],
)
def test_a_full_disk_of_this_machine_is_not_taken_for_the_remote_s(place, tool, command, said):
    """Whoever reads at night looks where there is no room, and not for a smaller state."""
    find = 'for one in "$@"; do case "$one" in */state.git) home=${one%/state.git};; esac; done'
    full = f'case " $* " in *" {command} "*) {find}; echo "{said}" >&2; exit 128;; esac'
    with pytest.raises(StateError) as caught, closing(place.ledger(environment=tool(full))) as ledger:
        ledger.bind(ledgers.BINDING)
    assert codes.STATE_UNWRITABLE is code(caught)
    assert "smsdeclare-" in caught.value.diagnostics[0].detail


def test_without_a_folder_for_temporary_files_it_is_no_fault_of_the_program(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place.parent / "nowhere"))
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert codes.STATE_UNWRITABLE is code(caught)
    assert "nowhere" in caught.value.diagnostics[0].detail


@pytest.mark.parametrize("script", ["echo git version 2.30.2; exit 129", "echo 'usage: git' >&2; exit 129"])
def test_a_git_that_is_too_old_is_named(place, tool, script):
    with pytest.raises(InputError) as caught:
        place.ledger(environment=tool(script))
    assert codes.GIT_UNFIT is code(caught)


def test_without_git_that_is_said(place):
    with pytest.raises(InputError) as caught:
        place.ledger(environment={"PATH": str(place.parent)})
    assert codes.GIT_UNFIT is code(caught)


def test_no_secret_of_a_url_is_shown(place):
    with pytest.raises(StateError) as caught:
        place.ledger(remote="http://robot:s3cr3t@127.0.0.1:1/state.git")
    assert codes.STATE_UNREACHABLE is code(caught)
    assert "s3cr3t" not in repr(caught.value.diagnostics[0])
    assert "http://127.0.0.1:1/state.git" in caught.value.diagnostics[0].detail


# — how it gets there —


def test_the_project_s_repository_says_how_to_get_there_and_is_left_as_it_is(place, tmp_path):
    """Its remote by name, and its own way to it, as a checkout in CI writes it into its settings."""
    project, way = tmp_path / "project", tmp_path / "ssh"
    way.write_text(f'#!/bin/sh\nshift\necho "$@" >> {tmp_path}/used\nexec sh -c "$1"\n')
    way.chmod(0o755)

    def git(*arguments):
        return subprocess.run(("git", "-C", project, *arguments), check=True, capture_output=True).stdout

    project.mkdir()
    git("init", "--quiet")
    git("remote", "add", "upstream", f"ssh://host.invalid{place.path}")
    git("config", "core.sshCommand", str(way))
    git("config", "ssh.variant", "simple")
    before = {path: path.stat().st_mtime_ns for path in (project / ".git").rglob("*")}
    place.parent = project
    with closing(place.ledger(remote="upstream")) as ledger:
        ledger.bind(ledgers.BINDING)
    assert "git-receive-pack" in (tmp_path / "used").read_text()
    assert before == {path: path.stat().st_mtime_ns for path in (project / ".git").rglob("*")}


def test_what_a_hook_around_it_has_set_leads_nowhere_else(place, tmp_path):
    around = {"GIT_DIR": str(tmp_path / "elsewhere"), "GIT_INDEX_FILE": "/nowhere", "GIT_TRACE": "1"}
    with closing(place.ledger(environment=around)) as ledger:
        ledger.bind(ledgers.BINDING)
    assert 1 == place.stores()
    assert not (tmp_path / "elsewhere").exists()


def test_what_was_fetched_is_nobody_else_s_and_gone_afterwards(place):
    ledger = ledgers.opened(place)
    home = Path(ledger._branch._git._home.name)
    assert 0o700 == stat.S_IMODE(home.stat().st_mode)
    ledger.close()
    assert not home.exists()


# — sealed —


@pytest.fixture
def sealed(place, monkeypatch):
    monkeypatch.setenv("SMSDECLARE_STATE_KEY", KEY)
    seal, unseal = repository.sealing_by_environment("branch of the test")
    return lambda: place.ledger(seal=seal, unseal=unseal)


def test_a_sealed_state_shows_no_number(place, sealed):
    with closing(sealed()) as ledger:
        ledger.bind(ledgers.BINDING)
        ledgers.send(ledger, State.ACCEPTED, A)
    assert A.encode() not in place.read_bytes()
    with closing(sealed()) as ledger:
        assert [A] == [record.number for record in ledger.records()]


def test_a_file_in_clear_is_no_sealed_state_and_the_other_way_round(place, sealed, ledger):
    with pytest.raises(StateError) as caught:
        sealed()
    assert "SMS542" == code(caught).id


def test_a_sealed_file_of_another_serial_is_noticed(place, sealed):
    """Whoever can't open it can still move it about, with a commit to fit."""
    with closing(sealed()) as ledger:
        ledger.bind(ledgers.BINDING)
        old = place.read_bytes()
        ledgers.send(ledger, State.ACCEPTED, A)
        label = ledger._branch.read(ledger._known).label
        ledger._branch.store(old, label, ledger._known, "State")
    with pytest.raises(StateError) as caught:
        sealed()
    assert codes.STATE_PUT_BACK is code(caught)


def test_a_state_that_is_said_to_be_in_clear_and_is_sealed_says_so(place, sealed):
    with closing(sealed()) as ledger:
        ledger.bind(ledgers.BINDING)
    with pytest.raises(StateError) as caught:
        place.ledger(unseal=repository.not_sealed)
    assert codes.STATE_KEY_WRONG is code(caught)


# — the command —


@pytest.fixture
def project(place, tmp_path):
    files = worlds.root(more="state: {backend: git, remote: ../remote.git, encryption: none}\n") + worlds.message()
    worlds.write(tmp_path / "project", {"smsdeclare.yaml": files})
    place.name = "smsdeclare-state-sandbox"

    def run(*arguments):
        process = worlds.spawn(*arguments, "-C", tmp_path / "project")
        out, said = process.communicate()
        return process.returncode, out + said

    return run


def test_the_command_works_on_it_from_plan_to_resend(project, place):
    assert 0 == project("plan")[0]
    assert b"" == place.git("for-each-ref")
    assert 0 == project("apply", "--auto-approve")[0]
    # Made and held, claimed, what came of it, complete, let go.
    assert 5 == place.stores()
    assert (0, True) == ((ended := project("apply", "--auto-approve"))[0], "1 kept" in ended[1])
    assert 5 == place.stores()
    for arguments in (
        ("stop", "--reason", "a test"),
        ("resume",),
        ("resend", "message.hello@1", "--reason", "again"),
        ("apply", "--auto-approve"),
        ("settle",),
        ("refresh",),
        ("state", "unlock"),
        ("state", "pull", "--out", "copy.state"),
        ("state", "push", "copy.state"),
    ):
        code, said = project(*arguments)
        assert code == 0, (arguments, said)
    # By now a phone may have it.
    assert "message.hello@1#" in project("state", "list")[1]


@pytest.mark.parametrize("words", [("-C", "project"), ("-f", "project/smsdeclare.yaml")], ids=" ".join)
def test_it_is_found_though_the_files_are_broken(project, place, tmp_path, words):
    project("apply", "--auto-approve")
    with (tmp_path / "project" / "smsdeclare.yaml").open("a") as stream:
        stream.write("nonsense: true\n")
    process = worlds.spawn("stop", "--reason", "panic", *words, cwd=tmp_path)
    said = "".join(process.communicate())
    assert 0 == process.returncode, said
    with closing(place.ledger()) as ledger:
        assert "panic" == ledger.stopped.reason
