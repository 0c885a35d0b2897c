"""A part of the histories on every kind of state; all of them: `benchmarks/everywhere.py`."""

from contextlib import closing

import pytest
from crash.everywhere import KINDS, Everywhere
from postgresql_server import Proxy


@pytest.fixture(params=KINDS)
def everywhere(request, tmp_path, server):
    if not request.param.startswith("postgresql"):
        yield Everywhere(tmp_path, server, request.param)
        return
    cluster = request.getfixturevalue("postgresql")
    with closing(Proxy(cluster)) as proxy:
        yield Everywhere(tmp_path, server, request.param, (cluster, proxy))


def test_a_crash_at_any_boundary_doubles_nobody_and_loses_nobody(everywhere):
    tally = everywhere.crashes("l", every=8)
    assert ([], True) == (tally.wrongs, tally.histories >= 4)


@pytest.mark.parametrize("everywhere", [name for name, (kind, _) in KINDS.items() if kind.losses], indirect=True)
def test_a_store_whose_answer_is_lost_doubles_nobody_and_loses_nobody(everywhere):
    tally = everywhere.losses(every=3, first=1)
    assert ([], True) == (tally.wrongs, tally.histories >= 3)
