"""Breadth first through all that can happen: every state once, the shortest way to what must not be.

A state is a tuple of small values that stand for themselves, so that two ways to one situation meet in one state.
"""

from array import array
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search came to."""

    states: int
    transitions: int
    depth: int
    seconds: float
    #: What must not be and is; empty where nothing of the kind can be reached.
    bad: str = ""
    #: The shortest way to it, or to a state from which there is no good end.
    trace: tuple = ()
    #: From how many states no good end can be reached; None where that was not asked.
    stuck: int | None = None
    #: False where the search was broken off.
    complete: bool = True

    @property
    def verdict(self):
        if self.bad:
            return f"{self.bad} in {len(self.trace)} steps"
        if not self.complete:
            return "broken off, nothing found"
        if self.stuck:
            return f"safe; {self.stuck:,} states never end"
        return "safe" if self.stuck is None else "safe, always ends"


def explore(world, *, ends=False, most=20_000_000):  # noqa: C901 - one loop, run a million times
    """Every state that `world` can reach, or those up to the first that must not be.

    `world` has `initial()`, `after(state)` with the states that may follow, `wrong(state)`, which says what must not
    be, and `is_end(state)`. With `ends` it is also asked from which states no good end can be reached.
    """
    begun = perf_counter()
    first = world.initial()
    places, states, parents = {first: 0}, [first], array("l", [-1])
    edges = (array("l"), array("l"))
    transitions = depth = place = 0
    level_end = 1

    def found(**more):
        figures = {"states": len(states), "transitions": transitions, "depth": depth}
        return Found(**figures, seconds=perf_counter() - begun, **more)

    if bad := world.wrong(first):
        return found(bad=bad)
    while place < len(states):
        if place == level_end:
            depth, level_end = depth + 1, len(states)
        for state in world.after(states[place]):
            transitions += 1
            known = places.get(state)
            if known is None:
                known = places[state] = len(states)
                states.append(state)
                parents.append(place)
                if bad := world.wrong(state):
                    depth += 1
                    return found(bad=bad, trace=_trace(world, states, parents, known))
            if ends:
                edges[0].append(place)
                edges[1].append(known)
        place += 1
        if len(states) > most:
            return found(complete=False)
    if not ends:
        return found()
    stuck = _without_end(world, states, edges)
    return found(stuck=len(stuck), trace=_trace(world, states, parents, stuck[0]) if stuck else ())


def _without_end(world, states, edges):
    """From where no good end can be reached."""
    before = [[] for _ in states]
    for place, after in zip(*edges, strict=True):
        before[after].append(place)
    ending = [place for place, state in enumerate(states) if world.is_end(state)]
    good = bytearray(len(states))
    for place in ending:
        good[place] = 1
    while ending:
        for place in before[ending.pop()]:
            if not good[place]:
                good[place] = 1
                ending.append(place)
    return [place for place, is_good in enumerate(good) if not is_good]


def _trace(world, states, parents, place):
    """The way to a state, in words."""
    told = []
    while parents[place] >= 0:
        told.append(world.told(states[parents[place]], states[place]))
        place = parents[place]
    return tuple(reversed(told))
