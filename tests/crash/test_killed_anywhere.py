"""The real command, killed at system calls and at any time, alone and among others; a part of `benchmarks/kills.py`."""

from random import Random

import pytest
import worlds
from crash import killing

SCENES = killing.scenes()


@pytest.fixture
def ground(tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with killing.Ground(tmp_path) as ground:
        yield ground


@pytest.mark.skipif(killing.STRACE is None, reason="strace is not there, which kills at a system call")
@pytest.mark.parametrize("name", SCENES)
def test_a_kill_at_a_system_call_doubles_nobody_and_loses_nobody(ground, name):
    ground.prepare(SCENES[name])
    calls = ground.system_calls()
    assert {"connect", "sendto", "fdatasync", "unlink", "pwrite64"} < {one for one, _ in calls}
    # What its threads call is not the same each time, so that some are not reached.
    drawn = iter(Random(name).sample(calls, 12))
    for _ in range(3):
        call = next(one for one in drawn if ground.kill_at(*one))
        assert [] == list(ground.wrongs()), call


@pytest.mark.parametrize("name", ["one POST", "take back, replace, send"])
def test_a_kill_at_any_time_doubles_nobody_and_loses_nobody(ground, name):
    ground.prepare(SCENES[name])
    whole = ground.time_of_a_run()
    for part in (0.6, 0.8, 0.9):
        ground.kill_after(part * whole)
        assert [] == list(ground.wrongs()), part


@pytest.fixture(params=["git-hashed", "postgresql"])
def far_ground(request, tmp_path, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with killing.Ground(tmp_path, request.param) as ground:
        yield ground


def test_with_a_state_elsewhere_neither_kills_nor_lost_answers_double_or_lose_anybody(far_ground):
    far_ground.prepare(SCENES["six POSTs"])
    crowd = killing.Crowd(far_ground, 3, 4)
    crowd.run()
    assert [] == list(crowd.wrongs())
    far_ground.kill_after(0.7 * far_ground.time_of_a_run())
    assert [] == list(far_ground.wrongs())


@pytest.mark.parametrize("runners", [2, 4])
def test_several_runs_that_are_killed_stopped_and_unlocked_double_nobody_and_lose_nobody(ground, runners):
    ground.prepare(SCENES["six POSTs"])
    crowd = killing.Crowd(ground, runners, runners)
    crowd.run()
    assert [] == list(crowd.wrongs())
