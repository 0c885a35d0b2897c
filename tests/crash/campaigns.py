"""Many histories: kills at every boundary, answers of every kind, two runs at once, and chance.

The tests run a part of each; `benchmarks/crashes.py` runs all of them, and many more by chance.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from crash.history import History, seed_of
from crash.network import Boundaries

#: While an SMS that waited goes out. Seconds after a kill.
GOING_OUT = 10_140.0
#: Seconds from a kill to the next run: at once, a lease later, when absence counts, then, and when all has gone out.
DELAYS = (1.0, 180.0, 2400.0, GOING_OUT, 4 * 3600.0)
#: Name → what the provider is like. All keep within the times on which absence rests.
WORLDS = {
    "strict": {},
    "lag 60": {"list_lag": 60.0},
    "lag 300": {"list_lag": 300.0},
    "gap": {"lists_gap": 100.0},
    "in both lists": {"lists_gap": -60.0},
    "slow": {"processing_seconds": 30.0},
    "held late": {"jobs_lag": 200.0},
    "stale 60": {"stale": 60.0},
    "stale 300": {"stale": 300.0},
    "other ids sent": {"outgoing_id_shift": 1000},
    "other ids held": {"jobs_id_shift": 1000},
    "ids in order": {"ids_in_order": True},
    "no filters": {"ignored_filters": frozenset({"tag", "creationDatetime.from"})},
    "00 for +": {"listed_numbers": "00", "echo": "00"},
    "newest first": {"outgoing_order": "newest first"},
    "no pages": {"object_lists": False},
    "paced": {"retry_after": "7"},
    "paced for hours": {"retry_after": "100000"},
    "clock ahead": {"clock_ahead": 300.4},
    "clock behind": {"clock_ahead": -1500.7},
    "all at once": {
        "list_lag": 60.0,
        "lists_gap": 60.0,
        "processing_seconds": 20.0,
        "stale": 60.0,
        "outgoing_id_shift": 7,
        "listed_numbers": "00",
        "ignored_filters": frozenset({"tag"}),
        "clock_ahead": -40.3,
    },
}
#: What becomes of the POSTs of the run that is broken off; the letters are those of `network` and the simulator.
ANSWERS = (
    "", "laal", "daad", "5aa5", "0aa0", "taat", "raar", "xaax", "4aa4", "9", "9a99a999", "a99999999", "waaw", "uaau",
    "2aa2", "paap", "aa1", "aaak", "mamm", "sass", "awad", "lldd", "wwww", "aa9lw5",
    "6aa6", "vaav", "9v1",
)  # fmt: skip
DELETES = ("", "l" * 20, "d" * 20, "w" * 20, "ald5w2" * 4, "5" * 20)
GETS = ("", *(before * "a" + letter for before, letter in ((3, "l"), (8, "5"), (15, "l"), (24, "t"), (33, "w"))))


@dataclass(slots=True)
class Tally:
    """What became of some histories."""

    histories: int = 0
    #: Runs that were broken off, by a kill or a stop, or overtaken by another.
    crashes: int = 0
    posts: int = 0
    #: Sends that stay unknown in the end.
    unknown: int = 0
    #: Name of the history, and what was wrong.
    wrongs: list = field(default_factory=list)

    def end(self, name, history, *, crashes, posts_before=0):
        """Let a history come to rest, and look at it."""
        code = history.run_until_quiet()
        self.histories += 1
        self.crashes += crashes
        self.posts += history.network.posts - posts_before
        self.unknown += history.unknown
        self.wrongs += [f"{name}: {wrong}" for wrong in history.wrongs(code)]


def kills(scene, folder, *, world="strict", post="", delete="", get="", every=1, in_writes=False, delays=None):
    """Kill an apply wherever that leaves another world behind; of these worlds every `every`-th.

    After each, a run comes after one of `DELAYS`, or after each of `delays`.
    """
    tally = Tally()
    name = (world, post, delete, get)
    start = _begun(scene, folder, seed_of(*name), **WORLDS[world])
    for method, letters in (("POST", post), ("DELETE", delete), ("GET", get)):
        start.network.script(method, letters)
    found = list(forks(start, in_writes=in_writes).items())
    # The last one is what the run leaves that nothing kills, with all that an answer made it write.
    for place in sorted({*range(seed_of(*name) % min(every, len(found)), len(found), every), len(found) - 1}):
        boundary, left = found[place]
        for delay in delays or (DELAYS[(place // every) % len(DELAYS)],):
            history = left.fork("rerun")
            history.chance.seed(seed_of(*name, place, delay))
            posts = history.network.posts
            _wait(history, delay)
            tally.end((*name, boundary, delay), history, crashes=1, posts_before=posts)
    return tally


def kills_twice(scene, folder, *, every, second_every):
    """Kill an apply, and the one that makes up for it."""
    tally = Tally()
    start = _begun(scene, folder, 2)
    for place, (boundary, left) in enumerate(forks(start).items()):
        if place % every:
            continue
        again = left.fork(f"again{place}")
        _wait(again, DELAYS[place % len(DELAYS)])
        for other, (second, last) in enumerate(forks(again).items()):
            if (other + place) % second_every == 0:
                history = last.fork("rerun")
                posts = history.network.posts
                _wait(history, DELAYS[(place + other) % len(DELAYS)])
                tally.end((boundary, second), history, crashes=2, posts_before=posts)
    return tally


def overtakes(scene, folder, *, every=1, post="", at=""):
    """Hold an apply at each boundary, or at those of one name, while a whole other one runs; then let it go on, late.

    The holder stands still, sleeps with its lid closed, or loses its lease to somebody who unlocks the state.
    """
    tally = Tally()
    start = _begun(scene, folder, 3)
    start.network.script("POST", post)
    names = _passed(start)
    places = [place for place, name in enumerate(names) if at in ("", name)]
    for turn, place in enumerate(places[::every]):
        # Inside a transaction the other run would wait for it.
        if names[place].startswith("in ") and names[place] not in ("in POST", "in DELETE"):
            continue
        history = start.fork("overtaken")
        history.chance.seed(seed_of(place, post))
        how = turn % 3

        def overtake(history=history, how=how):
            if how == 0:
                history.time.pass_(minutes=41)
            elif how == 1:
                history.time.suspend(41 * 60.0)
            else:
                history.time.pass_(seconds=30)
                history.unlock()
            history.apply()
            history.time.suspend(90.0)

        posts = history.network.posts
        history.apply(Boundaries(_once(place, overtake)))
        tally.end((names[place], how, post), history, crashes=1, posts_before=posts)
    return tally


def stops(scene, folder, *, every=1, post=""):
    """Ask an apply to stop at each boundary: what is in flight comes on record, nothing new begins."""
    tally = Tally()
    start = _begun(scene, folder, 4)
    start.network.script("POST", post)
    names = _passed(start)
    for place in range(0, len(names), every):
        history = start.fork("stopped")
        asked = []
        posts = history.network.posts
        code = _stop(history, place, asked)
        name = (names[place], post)
        if asked and code != 130 and "before claim_all" in names[place:]:
            tally.wrongs.append(f"{name}: exit code {code} after a signal")
        if "intended" in history.states.values():
            tally.wrongs.append(f"{name}: what was in flight is not on record")
        _wait(history, DELAYS[(place // every) % len(DELAYS)])
        tally.end(name, history, crashes=1, posts_before=posts)
    return tally


def chance(scene, folder, seed):
    """One history that a seed decides: world, faults, kills, other runs, edits, and the hours between."""
    tally = Tally()
    random = Random(seed)
    history = History(scene, folder / "chance.state", seed, **_any_world(random))
    crashes = 0
    for _ in range(random.randint(3, 8)):
        if random.random() < 0.6:
            _any_faults(random, history)
        if random.random() < 0.35:
            random.choice((history.edit, history.edit, history.revert))()
        history, broken = _any_run(random, history)
        crashes += broken
        _wait(history, random.choice((1.0, 1.0, 70.0, 300.0, 1900.0, 1900.0, 7000.0)))
    history.edit()
    tally.end(seed, history, crashes=crashes)
    return tally


def total(tallies):
    """All of them as one."""
    whole = Tally()
    for one in tallies:
        whole.histories += one.histories
        whole.crashes += one.crashes
        whole.posts += one.posts
        whole.unknown += one.unknown
        whole.wrongs += one.wrongs
    return whole


# — how —


def _begun(scene, folder, seed, **world):
    history = History(scene, folder / "test.state", seed, **world)
    history.begin()
    return history


def _passed(history):
    boundaries = Boundaries()
    history.fork("count").apply(boundaries)
    return boundaries.passed


def forks(history, run=None, *, in_writes=False):
    """The worlds that a kill of a run, an apply unless said otherwise, would leave, each once: boundary → world.

    Of boundaries between which nothing was written and nothing arrived the last one stands for all. `in_writes`: a
    rollback journal beside the file makes a world of its own.
    """
    found = {}

    def watch(place, name, request):
        other = history.fork(f"{history.state.stem}-{place}")
        if request is not None:
            other.network.put_under_way(*request)
        found[other.fingerprint(in_writes=in_writes)] = (f"{place} {name}", other)

    (run or history.apply)(Boundaries(watch))
    return dict(found.values())


class _Killed(BaseException):
    """The run that was left behind; its world is no longer looked at."""


def kill(history, place, run):
    """The world that a kill at a boundary leaves, or the one after the run, if it ends before; and whether it did."""
    left = []

    def watch(here, name, request):
        if here < place:
            return
        if not left:
            other = history.fork(f"{history.state.stem}-killed")
            if request is not None:
                other.network.put_under_way(*request)
            left.append(other)
        raise _Killed

    with suppress(_Killed):
        run(Boundaries(watch))
    return (left[0], True) if left else (history, False)


def _once(place, act):
    done = []

    def watch(here, name, request):
        if here >= place and not done:
            done.append(name)
            act()

    return watch


def _stop(history, place, asked):
    """An apply that gets a signal at a boundary; its exit code."""
    return history.apply(Boundaries(_once(place, lambda: asked.append(True))), stop=lambda: bool(asked))


def _wait(history, seconds):
    """Until the next run; before a lease runs out somebody has to see that its process has ended."""
    history.time.pass_(seconds=seconds)
    if seconds < 130.0:
        history.unlock()


def _any_world(random):
    lag = random.choice((0.0, 0.0, 5.0, 60.0, 150.0))
    return {
        "list_lag": lag,
        "stale": random.choice((0.0, 0.0, 10.0, 60.0, 150.0)),
        "lists_gap": random.choice((0.0, 0.0, 30.0, 100.0, -60.0)),
        "processing_seconds": random.choice((0.0, 0.0, 2.0, 50.0)),
        "clock_ahead": random.choice((0.0, random.uniform(-2000.0, 2000.0))),
        "outgoing_id_shift": random.choice((0, 1000)),
        "jobs_id_shift": random.choice((0, 0, 0, 500)),
        "listed_numbers": random.choice(("+", "00")),
        "echo": random.choice(("+", "00")),
        "ids_in_order": random.choice((True, False)),
        "report_tag": random.choice((True, False)),
        "outgoing_order": random.choice(("oldest first", "newest first")),
        "ignored_filters": frozenset(random.choice(((), ("tag",), ("tag", "creationDatetime.from")))),
        "jobs_lag": random.choice((0.0, 0.0, 20.0, 150.0)),
        "object_lists": random.choice((True, False)),
        "retry_after": random.choice(("", "3", "100000")),
    }


def _any_faults(random, history):
    kinds = (("POST", "lld50trx49wwu26vp1kms", 0.4), ("DELETE", "ld5w2", 0.4), ("GET", "ld5t", 0.05))
    for method, letters, often in kinds:
        script = (random.choice(letters) if random.random() < often else "a" for _ in range(40))
        history.network.script(method, "".join(script) if random.random() < 0.7 else "")


def _any_run(random, history):
    """Some command, which may be broken off; the world after it, and how many runs were."""
    place = random.randrange(260)
    kind = random.choice(("kill", "kill", "kill", "whole", "overtake", "stop", "settle", "refresh", "wait"))
    if kind == "kill":
        other, is_broken = kill(history, place, history.apply)
        return other, int(is_broken)
    if kind in ("settle", "refresh"):
        run = history.settle if kind == "settle" else history.refresh
        other, is_broken = kill(history, random.randrange(120), run)
        return other, int(is_broken)
    if kind == "overtake":
        return history, _overtaken(random, history, place)
    if kind == "stop":
        asked = []
        _stop(history, place, asked)
        return history, len(asked)
    history.apply(wait=timedelta(minutes=random.choice((10, 40))) if kind == "wait" else timedelta())
    return history, 0


def _overtaken(random, history, place):
    seconds = random.choice((30.0, 200.0, 2500.0))
    sleeps = random.random() < 0.5
    done = []

    def watch(here, name, request):
        if here < place or done or (name.startswith("in ") and request is None):
            return
        done.append(name)
        if sleeps:
            history.time.suspend(seconds)
        else:
            history.time.pass_(seconds=seconds)
        history.unlock()
        history.apply()

    history.apply(Boundaries(watch))
    return len(done)
