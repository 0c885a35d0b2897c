"""Break the same applies off on every kind of state, at each boundary, and lose each answer of the state.

    python benchmarks/everywhere.py
    python benchmarks/everywhere.py --kinds postgresql git-hashed --letters l9 --every 3

A campaign of five POSTs that go wrong in some way (`--letters` of `smsdeclare.simulator.faults`). Boundaries are
before and after each write to the state and each request; in a file and in PostgreSQL also in each claim, in Git also
each fetch. What is lost: in PostgreSQL a commit, before it arrives or before its answer does; in Git a push, the same,
or another run is faster. In Git a window has two jobs. After each the run is repeated until it is quiet, and the
journal of the simulator is the witness.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import postgresql_server
from crash.everywhere import KINDS, SCRIPTS, Everywhere
from histories import bound

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument("--letters", default="".join(SCRIPTS), help="what becomes of POSTs")
    parser.add_argument("--every", type=int, default=1, help="of the boundaries and stores")
    options = parser.parse_args()
    begun, total, wrong = time.monotonic(), 0, 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Server(Simulator(Settings())))
        line = None
        if any(kind.startswith("postgresql") for kind in options.kinds):
            cluster = stack.enter_context(postgresql_server.running())
            line = cluster, stack.enter_context(closing(postgresql_server.Proxy(cluster)))
        for kind in options.kinds:
            here = Everywhere(folder, server, kind, line)
            broken = [here.crashes(letter, options.every) for letter in options.letters]
            lost = here.losses(options.every)
            counts = (
                f"{sum(one.boundaries for one in broken):,} boundaries, {lost.histories:,} answers of the state lost"
            )
            histories = sum(one.histories for one in (*broken, lost))
            print(f"{kind}: {counts}, {histories:,} histories", flush=True)
            for found in (found for one in (*broken, lost) for found in one.wrongs):
                print(f"WRONG {kind}: {found}", flush=True)
                wrong += 1
            total += histories
    print(f"{total:,} histories, duplicates, losses and wrong records: {bound(wrong, total)}")
    print(f"{time.monotonic() - begun:,.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
