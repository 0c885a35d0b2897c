"""Kill the real command: at every N-th system call, at any time, and among others that run at once.

    python benchmarks/kills.py calls --every 5
    python benchmarks/kills.py times --kills 500
    python benchmarks/kills.py crowds --rounds 50
    python benchmarks/kills.py sleeps --rounds 4
    python benchmarks/kills.py crowds --rounds 50 --backend postgresql

After each kill the command is run until nothing is left to do, and the journal of the server is read: everyone who was
to get an SMS has one, nobody two, nobody one that was not asked for; who is missing is on record as unknown, and the
exit code is 4.
`--backend git` keeps the state on a branch of a bare repository, `--backend postgresql` in a server of its own; of one
push or commit in ten the answer is lost, and one in ten does not arrive. With `-hashed` behind it no number is kept,
and what is in Git is encrypted. `calls` needs strace. `sleeps` stops a run for longer than its lease lasts, which takes
minutes.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import worlds
from crash import killing
from crash.states import KINDS
from histories import bound


def calls(ground, options):
    """Kill at each N-th system call of each scene, from the first connection on."""
    if killing.STRACE is None or not ground.backend.startswith("file"):
        sys.exit("strace is not there, or would not see what happens to this state")
    for name, scene in killing.scenes().items():
        ground.prepare(scene)
        found = ground.system_calls()
        tally = Counter()
        for call in found[options.first % options.every :: options.every]:
            if ground.kill_at(*call):
                tally["kills"] += 1
                judge(tally, f"{name}, {call}", ground.wrongs())
            else:
                tally["not reached"] += 1
        yield f"{name} ({len(found):,} system calls)", tally


def times(ground, options):
    """Kill at any time, of that part of a run in which it is at work."""
    chance = random.Random(options.seed)
    for name, scene in killing.scenes().items():
        ground.prepare(scene)
        whole = min(ground.time_of_a_run() for _ in range(3))
        tally = Counter()
        for _ in range(options.kills // len(killing.scenes())):
            seconds = chance.uniform(0.3, 1.1) * whole
            if ground.kill_after(seconds):
                tally["kills"] += 1
                judge(tally, f"{name}, after {seconds:.3f} s", ground.wrongs())
            else:
                tally["not reached"] += 1
        yield name, tally


def crowds(ground, options):
    """Several at once, killed, stopped for a moment, and unlocked."""
    for runners in options.runners:
        tally = Counter()
        for place in range(options.rounds):
            names = list(killing.scenes())
            name = names[place % len(names)]
            ground.prepare(killing.scenes()[name])
            crowd = killing.Crowd(ground, runners, options.seed + place)
            crowd.run()
            tally["rounds"] += 1
            tally.update(crowd.counts)
            judge(tally, f"{runners} runs, seed {options.seed + place}, {name}", crowd.wrongs())
        yield f"{runners} at once", tally


def sleeps(ground, options):
    """One is stopped for longer than its lease lasts, while another does its work; then it goes on."""
    tally = Counter()
    chance = random.Random(options.seed)
    for place in range(options.rounds):
        name = ("six POSTs", "take back, replace, send", "after lost answers")[place % 3]
        ground.prepare(killing.scenes()[name])
        ground.restore()
        posts = chance.randint(1, 3)
        tally.update(killing.sleep_through(ground, posts))
        tally["rounds"] += 1
        judge(tally, f"{name}, stopped after {posts} POSTs", ground.wrongs())
    yield "stopped for longer than the lease", tally


def judge(tally, name, wrongs):
    found = list(wrongs)
    tally["wrong"] += bool(found)
    for wrong in found:
        print(f"WRONG {name}: {wrong}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("calls", "times", "crowds", "sleeps"))
    parser.add_argument("--every", type=int, default=5, help="of the system calls")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runners", type=int, nargs="+", default=(1, 2, 4, 8), help="how many at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=tuple(KINDS), default="file")
    options = parser.parse_args()
    os.environ.update(worlds.KEYS)
    begun, wrong, total = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder, killing.Ground(Path(folder), options.backend) as ground:
        for name, tally in globals()[options.what](ground, options):
            print(f"{name}: " + ", ".join(f"{count:,} {what}" for what, count in tally.items()), flush=True)
            total += tally["kills"] + tally["rounds"]
            wrong += tally["wrong"]
        runs = ", ".join(f"{count:,} after {runs or 'none'}" for runs, count in ground.runs.items())
        print(f"histories {total:,}, of sends unknown in the end {ground.unknown:,}; all was there: {runs}")
    print(f"histories with a duplicate, a loss or a wrong record: {bound(wrong, total)}")
    print(f"{time.monotonic() - begun:,.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
