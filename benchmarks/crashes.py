"""Break whole applies off at every boundary, on simulated time: each answer, all kinds of lists, every other run.

    python benchmarks/crashes.py --every 10 --processes 2
    python benchmarks/crashes.py --every 1 --chance 10000

Boundaries are before, in and after each write to the ledger and each request. `--every` takes a part of them. What the
campaigns are stands in `tests/crash/campaigns.py`; the simulator's journal is the witness. Ctrl-C ends it early, and
what was done by then is told.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crash import campaigns
from crash.history import Scene
from histories import bound, leave_ends_to_the_first
from ledgers import HASHED

from smsdeclare.ledgers.naming import AS_KEPT

#: Name → people of its `hello`; the whole one has 30 POSTs.
PEOPLE = {"whole": 24, "small": 2}


def works(every, chances):
    """Title, campaign, scene, and arguments of everything that is to be done."""
    yield "a kill at each boundary of 30 POSTs", "kills", "whole", {"every": every, "delays": campaigns.DELAYS}
    yield "a kill in the making up for a kill", "kills_twice", "small", {"every": every, "second_every": every}
    for post in ("", "laaw", "vaav"):
        yield "another run at each boundary", "overtakes", "small", {"every": every, "post": post}
        yield "a signal at each boundary", "stops", "small", {"every": every, "post": post}
    for world in campaigns.WORLDS:
        for title, method, scripts in (
            ("each answer to a POST, in each world", "post", campaigns.ANSWERS),
            ("each answer to a DELETE, in each world", "delete", campaigns.DELETES[1:]),
            ("each answer to a look, in each world", "get", campaigns.GETS[1:]),
        ):
            for script in scripts:
                yield title, "kills", "small", {"world": world, method: script, "every": every}
    for seed in range(chances):
        yield "by chance", "chance", "small", {"seed": seed}


def do(work):
    title, campaign, scene, arguments = work
    folder = FOLDER / str(os.getpid())
    folder.mkdir(exist_ok=True)
    return title, arguments, getattr(campaigns, campaign)(SCENES[scene], folder, **arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10, help="of the boundaries")
    parser.add_argument("--chance", type=int, default=500, help="how many histories by chance")
    parser.add_argument("--only", default="", metavar="WORDS", help="of the campaigns with these words in their titles")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--hashed", action="store_true", help="in states that hold no number")
    options = parser.parse_args()
    for name in set(os.environ) - {"PATH", "HOME"}:
        del os.environ[name]  # the HTTP library looks through all of them, again and again
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)  # a shell may have it ignored
    global FOLDER, SCENES  # noqa: PLW0603 - what the processes share
    tallies, begun = defaultdict(list), time.monotonic()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        FOLDER = Path(folder)
        numbers = HASHED if options.hashed else AS_KEPT
        SCENES = {name: Scene(FOLDER / name, people=people, numbers=numbers) for name, people in PEOPLE.items()}
        with multiprocessing.get_context("fork").Pool(options.processes, leave_ends_to_the_first) as pool:
            with suppress(KeyboardInterrupt):
                wanted = (one for one in works(options.every, options.chance) if options.only in one[0])
                for title, arguments, tally in pool.imap_unordered(do, wanted):
                    tallies[title].append(tally)
                    for wrong in tally.wrongs:
                        print(f"WRONG {arguments}: {wrong}", flush=True)
            for one in (signal.SIGINT, signal.SIGTERM):
                signal.signal(one, signal.SIG_IGN)
    for title, some in tallies.items():
        tell(title, campaigns.total(some))
    whole = campaigns.total(one for some in tallies.values() for one in some)
    tell("all", whole)
    wrong = bound(len(whole.wrongs), whole.histories)
    print(f"duplicates, losses and wrong records: {wrong}; {time.monotonic() - begun:,.0f} s")
    sys.exit(bool(whole.wrongs))


def tell(title, tally):
    counts = f"{tally.histories:,} histories, {tally.crashes:,} broken off, {tally.posts:,} POSTs"
    print(f"{title}: {counts}, {tally.unknown:,} sends unknown in the end, {len(tally.wrongs):,} wrong")


if __name__ == "__main__":
    main()
