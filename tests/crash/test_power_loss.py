"""A sample of the states in which a loss of power may leave the disk; the whole is `benchmarks/power_loss.py`."""

import shutil

import power_loss
import pytest


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    if shutil.which("strace") is None:
        pytest.skip("what is written to the disk is recorded with strace")
    return power_loss.recorded(tmp_path_factory.mktemp("recorded"))


def test_every_write_is_whole_or_not_there_and_what_was_durable_stays(recorded, tmp_path):
    operations, expected = recorded
    assert (15, 15) == (len(expected), len(set(expected)))
    looked, problems = power_loss.check(operations, expected, seed=1, most=250, folder=tmp_path)
    assert (250, []) == (looked, problems)


def test_without_its_syncs_it_is_not(recorded, tmp_path):
    """Were nothing synced, a disk could hold anything: this check would see it."""
    operations, expected = recorded
    careless = [one for one in operations if one[0] != "sync" or not one[1]]
    _, problems = power_loss.check(careless, expected, seed=1, most=100, folder=tmp_path)
    assert problems
