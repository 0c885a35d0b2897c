"""Small worlds: all that can happen in them, in every order, breadth first; then the same with bugs planted.

    python benchmarks/small_worlds.py                        all of them
    python benchmarks/small_worlds.py --only guard --trace   some, each with the shortest way to what is wrong
    python benchmarks/small_worlds.py --fast                 those that the tests search

The runs are the product's own code, and every write is its own statement on its own tables; see `tests/model/`. Ends
with 1 where a verdict is not the expected one.
"""

import argparse
import multiprocessing
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "model"))

from planting import code
from search import explore
from variants import HOLES, PLANTED, SAFE
from world import World

GROUPS = {
    "The code as it is": SAFE,
    "One rule broken on purpose": PLANTED,
    "Beyond what is assumed of the provider": HOLES,
}
#: Beyond so many states a search is broken off; each takes about half a kilobyte.
MOST = 20_000_000


def searched(job):
    variant, most = job
    world = World(variant.setting, code(variant.bugs))
    found = explore(world, ends=variant.ends, most=most)
    missing = () if variant.bugs or found.bad else tuple(sorted(variant.reaches - world.reached()))
    return variant, found, missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="only what has this in its name")
    parser.add_argument("--fast", action="store_true", help="only what the tests search")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help="break off beyond so many states")
    parser.add_argument("--trace", action="store_true", help="tell the shortest way to what is wrong")
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    given = parser.parse_args()
    as_expected = True
    states = transitions = searches = 0
    with multiprocessing.Pool(given.processes) as pool:
        for title, variants in GROUPS.items():
            chosen = [one for one in variants if given.only in one.name and (one.fast or not given.fast)]
            if chosen:
                print(f"{title}\n{'states':>12} {'transitions':>12} {'depth':>5} {'seconds':>7}  verdict")
            for variant, found, missing in pool.imap(searched, [(one, given.most) for one in chosen]):
                is_right = variant.is_as_expected(found) and not missing
                as_expected &= is_right
                searches, states, transitions = searches + 1, states + found.states, transitions + found.transitions
                print(
                    f"{found.states:12,} {found.transitions:12,} {found.depth:5} {found.seconds:7.1f}"
                    f"  {variant.name}: {found.verdict}{'' if is_right else ' — NOT AS EXPECTED'}",
                    flush=True,
                )
                if missing:
                    print(f"{'':39}  never came about: {', '.join(missing)}")
                if given.trace:
                    for step in found.trace:
                        print(f"{'':39}  {step}")
    print(f"{searches} searches, {states:,} states, {transitions:,} transitions; "
          f"{'all' if as_expected else 'NOT all'} as expected")  # fmt: skip
    sys.exit(not as_expected)


if __name__ == "__main__":
    main()
