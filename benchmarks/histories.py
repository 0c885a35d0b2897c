"""Histories by chance: edits, runs, crashes, lost answers, late requests, wrong clocks, two runs at once, people.

    python benchmarks/histories.py --histories 100000 --seed 1 --processes 2
    python benchmarks/histories.py --replay 12345

Ctrl-C ends it early, and what was done by then is told. Each history has a seed of its own, and with `--replay` it is
told step by step. What counts as wrong stands in `tests/history.py`; the simulator's journal is the witness.
"""

import argparse
import gc
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from chaos import FAULTS, Ordeal, place
from history import WAITS, History
from keeping import KINDS

from smsdeclare.simulator.faults import MEANINGS

#: So many things happen in a history, before the runs that end it.
STEPS = (5, 12)
#: Operation → how often, of a hundred.
WEIGHTS = {
    "edit": 28, "apply": 27, "advance": 13, "settle": 4, "refresh": 3, "race": 9, "plan": 2, "resolve": 3,
    "resend": 3, "stop": 2, "resume": 3, "skew": 1, "stranger": 2,
}  # fmt: skip
#: Of the POSTs that may go wrong so many do: far more than at any provider, so that there is much to be settled.
FAULTY = 0.6
#: Operations that neither send nor write.
UNSEEN = ("edit", "plan", "skew", "stranger")
_EDITS = (
    "revise",
    "revise",
    "revise",
    "revise",
    "reword",
    "reword",
    "receivers",
    "receivers",
    "when",
    "when",
    "when",
    "now",
    "hold",
    "switch",
    "lower",
    "rename",
)
_POST_FAULTS = "llLddDttxx45995q0uuyyzzwppbsfr"
_READ_FAULTS = "lLdD5x49utz0"


def ordeal(chance, share):
    """What one run has to stand; nothing in a quarter of them."""
    if chance.random() < 0.25:
        return Ordeal()
    posts = "".join(chance.choice(_POST_FAULTS) if chance.random() < share else "a" for _ in range(chance.randrange(6)))
    reads = "a" * chance.randrange(25) + chance.choice(_READ_FAULTS) if chance.random() < 0.25 else ""
    return Ordeal(
        posts=posts,
        reads=reads,
        crash=chance.randrange(70) if chance.random() < 0.3 else None,
        full=chance.randrange(40) if chance.random() < 0.05 else None,
        signal=chance.randrange(40) if chance.random() < 0.05 else None,
        nap=(chance.randrange(40), chance.choice((15.0, 25.0, 700.0, 1900.0))) if chance.random() < 0.1 else None,
    )


def turns(chance):
    """Who goes on at each boundary of a race: long stretches of one, short ones of both, now and then a long sleep."""
    found = []
    for _ in range(chance.randrange(6)):
        found += [0] * chance.randrange(25)
        found += chance.choices(range(1, 6), (8, 1, 2, 1, 4), k=chance.choice((1, 1, 1, 6)))
    return tuple(found)


def step(chance, share):  # noqa: PLR0911 - one for each kind of step
    """The next thing that happens: its name and its arguments."""
    (name,) = chance.choices(list(WEIGHTS), WEIGHTS.values())
    match name:
        case "edit":
            return name, {"what": chance.choice(_EDITS), "message": chance.randrange(2), "value": chance.randrange(32)}
        case "advance":
            return name, {
                "wait": chance.randrange(len(WAITS) + 3),
                "nudge": chance.choice((-660.0, -60.0, -0.5, 0.5, 90.0)),
            }
        case "apply":
            wait = 45 if chance.random() < 0.1 else 0
            only = chance.randrange(2) if chance.random() < 0.1 else None
            return name, {
                "ordeal": ordeal(chance, share), "is_approved": chance.random() < 0.15, "wait": wait, "only": only
            }  # fmt: skip
        case "race":
            return name, {"first": ordeal(chance, share), "second": ordeal(chance, share), "turns": turns(chance)}
        case "stop":
            return name, {"ordeal": ordeal(chance, share), "cancel": chance.random() < 0.5}
        case "settle" | "refresh" | "plan":
            return name, {"ordeal": ordeal(chance, share)}
        case "resolve" | "resend":
            return name, {"pick": chance.randrange(10)}
        case "skew":
            return name, {"seconds": chance.choice((0.0, -70.0, 400.0, 86400.0))}
        case "stranger":
            return name, {"number": chance.randrange(4), "minutes": chance.choice((0, 30, 600))}
    return name, {}


@contextmanager
def lived(folder, seed, tell=lambda _: None, *, share=FAULTY, keeping="file"):
    """One history; itself, and what is wrong with it."""
    chance = random.Random(seed)
    with closing(History(folder, replace(place(chance), keeping=keeping, seed=seed))) as history:
        yield history, list(_steps(history, chance, tell, share))


def _steps(history, chance, tell, share):
    tell(f"{history.place}\n")
    for _ in range(chance.randint(*STEPS)):
        name, arguments = step(chance, share)
        tell(f"{history.time.now():%m-%d %H:%M:%S} {name} {arguments}")
        result = getattr(history, name)(**arguments)
        tell(f"    {result}")
        history.events[name] += 1
        if name not in UNSEEN and (wrongs := list(history.wrongs())):
            yield from wrongs
            return
    yield from history.end()


def stretch(seeds, **how):
    """Many histories in one process: what they came to."""
    figures = Counter()
    failures = []
    gc.disable()  # a tenth of the time, and what a stretch leaves behind is little
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for seed in seeds:
            try:
                with lived(Path(folder), seed, **how) as (history, wrongs):
                    figures.update(figures_of(history))
            except Exception as error:  # noqa: BLE001 - a history that breaks is one to look at
                wrongs = [f"broke: {error!r}"]
            if wrongs:
                failures.append((seed, wrongs))
    return figures, failures


def leave_ends_to_the_first():
    """The processes of a pool end when the first one says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def figures_of(history):
    """What one history came to."""
    doubts = Counter((history.place.trusts_absence, *one) for one in history.doubts())
    return {
        "histories": 1,
        "posts": history.posts,
        "sms": len(history.simulator.journal),
        **{("doubt", *kind): count for kind, count in doubts.items()},
        **{f"fault {letter}": count for letter, count in history.faults.items()},
        **{f"event {name}": count for name, count in history.events.items()},
    }


def bound(count, histories):
    """How many there were, and for none what may still be: with 95 % confidence, at most 3 in so many."""
    return f"{count}" if count or not histories else f"0 (below {3 / histories:.1e} of histories, 95 %)"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="the first history's seed; the next ones follow")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--faulty", type=float, default=FAULTY, metavar="SHARE", help="of the POSTs that may go wrong")
    parser.add_argument("--replay", type=int, metavar="SEED", help="tell one history step by step")
    parser.add_argument("--backend", choices=tuple(KINDS), default="file", help="how the state is kept")
    options = parser.parse_args()
    how = {"share": options.faulty, "keeping": options.backend}
    if options.replay is not None:
        with (
            tempfile.TemporaryDirectory() as folder,
            lived(Path(folder), options.replay, print, **how) as (history, wrongs),
        ):
            print(*history.simulator.journal, *history.record(), *wrongs or ["nothing is wrong"], sep="\n")
        sys.exit(bool(wrongs))
    for name in set(os.environ) - {"PATH", "HOME"}:
        del os.environ[name]  # the HTTP library looks through all of them, again and again
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)  # a shell may have it ignored
    begun = time.perf_counter()
    seeds = range(options.seed, options.seed + options.histories)
    stretches = [seeds[first : first + 100] for first in range(0, len(seeds), 100)]
    figures, failures = Counter(), []
    with multiprocessing.get_context("fork").Pool(options.processes, leave_ends_to_the_first) as pool:
        with suppress(KeyboardInterrupt):  # what was done by then is told
            for some, failed in pool.imap_unordered(partial(stretch, **how), stretches):
                figures.update(some)
                failures += failed
                for seed, wrongs in failed:
                    print(f"seed {seed}: {wrongs[0]}", flush=True)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
    report(options, figures, failures, time.perf_counter() - begun)
    sys.exit(bool(failures))


def report(options, figures, failures, seconds):
    histories = figures["histories"]
    kinds = Counter(kind for _, wrongs in failures for kind in {one.partition(":")[0] for one in wrongs})
    meanings = MEANINGS | FAULTS
    print(f"histories      {histories:,} from seed {options.seed}, {histories / seconds:.0f} a second")
    print(f"POSTs          {figures['posts']:,}, SMS taken {figures['sms']:,}")
    print("faults")
    for letter in sorted(letter for letter in meanings if letter != "a"):
        print(f"  {figures[f'fault {letter}']:9,}  {letter}  {meanings[letter]}")
    print("events")
    for name, count in sorted((name, count) for name, count in figures.items() if str(name).startswith("event ")):
        print(f"  {count:9,}  {name.removeprefix('event ')}")
    for title, kind in (
        ("duplicates", "twice"),
        ("losses", "lost"),
        ("wrong records", "wrong record"),
        ("wrong posts", "wrong post"),
        ("left at the provider", "stale"),
        ("never quiet", "not quiet"),
        ("broken", "broke"),
    ):
        print(f"{title:22}{bound(kinds[kind], histories)}")
    for trusts, setting in ((True, "by default"), (False, "`settle.absence: ask`")):
        for was_taken, title in ((True, "taken"), (False, "not taken")):
            tell_doubts(figures, trusts, was_taken, f"unknown, {title}, {setting}")


def tell_doubts(figures, trusts, was_taken, title):
    """How many of one kind of unknown settled by themselves, and why the others did not."""
    kinds = Counter({name[3]: count for name, count in figures.items() if name[:3] == ("doubt", trusts, was_taken)})
    share = 100 * kinds[""] / kinds.total() if kinds else 100.0
    print(f"{title}: {kinds.total():,}, settled without a person {share:.2f} %")
    for why, count in kinds.most_common():
        if why:
            print(f"  {count:9,}  {why}")


if __name__ == "__main__":
    main()
