from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from timed import BINDING, World, job, rules

from smsdeclare import codes
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.opening import Opened
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Session
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.events import JobDone
from smsdeclare.format import Style
from smsdeclare.simulator.settings import Credential

A, B = "+33639980001", "+33639980002"


def never():
    return False


@pytest.fixture
def wait(capfd):
    """A run that waits in a world; the run, and what it said."""

    def waiting(world, amount, its_rules):
        opened = Opened(provider=world.provider, binding=BINDING, clock=world.time, outbox=None, rules=its_rules)
        session = Session(folder=Path(), root_file=None, style=Style(), quiet=False, verbose=False)
        with closing(world.ledger()) as ledger:
            run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, world.time))
            for _ in run.until_known(amount, never):
                pass
        return run, capfd.readouterr().err.splitlines()

    return waiting


@pytest.mark.parametrize("barred", [False, True])
def test_a_run_that_waits_for_what_time_does_not_tell_is_patient_and_quiet(tmp_path, wait, barred):
    world = World(tmp_path, "d")
    world.apply(job(A))
    world.time.pass_(hours=1)
    its_rules = rules(moving=timedelta(), trusts_absence=not barred)
    _, said = wait(world, timedelta(minutes=10), its_rules)
    looks = sum(request.startswith("GET /1.0/auth/time") for request in world.wire.requests)
    assert looks < 30
    (line,) = said
    assert line.startswith("message.hello@1: 1 still unknown: ")


def test_a_run_that_waits_looks_when_absence_begins_to_count(tmp_path, wait):
    world = World(tmp_path, "ad")
    world.apply(job(A, message="first"), job(B))
    run, said = wait(world, timedelta(minutes=45), rules(moving=timedelta()))
    assert (1, "message.hello@1: 1 not sent, so free to be posted") == (run.settled, said[-1])
    assert world.time.elapsed < timedelta(minutes=31).total_seconds()


def test_what_a_look_finds_wrong_while_a_run_waits_counts_at_its_end(tmp_path, wait):
    world = World(tmp_path, "ald", list_lag=3000.0)
    world.apply(job(A, message="first"))
    world.time.pass_(hours=2)
    world.apply(job(A))
    world.time.pass_(minutes=31)
    world.settle()
    world.apply(job(B, message="other"))
    run, _ = wait(world, timedelta(minutes=60), rules(moving=timedelta()))
    assert codes.LISTED_LATE in [one.code for one in run.errors]
    assert run.failure is not None


def test_a_warning_is_told_once_however_often_a_run_looks(tmp_path, wait):
    rights = (("GET", "/auth/*"), ("GET", "/sms/*/jobs"), ("POST", "/sms/*/jobs"))
    world = World(tmp_path, "d", credentials=(Credential(rules=rights),))
    world.apply(job(A))
    run, _ = wait(world, timedelta(minutes=45), rules(moving=timedelta()))
    assert [codes.CANT_LOOK] == [one.code for one in run.errors]


class Gone:
    """A ledger that is out of reach."""

    secret = b"x"

    def names(self, number):
        return (number,)

    def in_doubt(self):
        raise StateError(Diagnostic(code=codes.STATE_UNREACHABLE, detail="gone"))


def test_a_state_that_is_out_of_reach_does_not_hide_what_was_done(tmp_path):
    world = World(tmp_path, "a")
    (done,) = (event for event in world.apply(job(A)) if isinstance(event, JobDone))
    opened = Opened(provider=world.provider, binding=BINDING, clock=world.time, outbox=None, rules=rules())
    session = Session(folder=Path(), root_file=None, style=Style(), quiet=True, verbose=False)
    run = Run(session=session, opened=opened, ledger=Gone(), holder=None)
    run.done.add(done, (), lambda number: (number,))
    applied = run.sum_up()
    assert (1, "SMS570", 1) == (applied.summary["sent"], applied.errors[0].code.id, run.exit_code(applied))
    # Nothing is asked of it again.
    assert [] == list(run.until_known(timedelta(minutes=45), never))


def test_what_fails_after_a_signal_leaves_the_run_interrupted(tmp_path, monkeypatch):
    world = World(tmp_path, "al")
    world.apply(job(A), job(B))
    opened = Opened(provider=world.provider, binding=BINDING, clock=world.time, outbox=None, rules=rules())
    session = Session(folder=Path(), root_file=None, style=Style(), quiet=True, verbose=False)
    asked = []

    def cut(request, **settings):
        asked.append(request.method)
        raise requests.ConnectionError

    monkeypatch.setattr(world.wire, "send", cut)
    with closing(world.ledger()) as ledger:
        run = Run(session=session, opened=opened, ledger=ledger, holder=Holder(ledger, world.time))
        assert [] == list(run.until_known(timedelta(minutes=45), lambda: bool(asked)))
        assert (True, 130) == (run.failure is not None, run.exit_code(run.sum_up()))
