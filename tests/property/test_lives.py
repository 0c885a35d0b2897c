"""Whatever people, runs, the network and time do, in whatever order: nobody gets two SMS, and nobody is forgotten.

The same world as `benchmarks/histories.py`, but Hypothesis chooses what happens, and shrinks what goes wrong to the few
steps that matter. `pytest --hypothesis-profile=long tests/property/test_lives.py` looks further.
"""

import random
import tempfile
from pathlib import Path

from chaos import FAULTS, Ordeal, place
from history import WAITS, History
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smsdeclare.simulator.faults import MEANINGS

#: Examples and steps of each: what CI has time for, and what `long` does.
EXAMPLES, STEPS = (500, 30) if settings.get_current_profile_name() == "long" else (100, 16)
#: What becomes of a POST. A held answer takes a thread of its own, which there is none of here.
_POSTS = "".join(sorted((set(MEANINGS) | set(FAULTS)) - {"h"}))
_READS = "alLdD5x49utz0"
#: Where writes cost nothing: these crashes end a process and not the machine.
_MEMORY = Path("/dev/shm")

faults = st.text(_POSTS, max_size=5)
#: A run of which nothing is broken, or one with its faults, its crash, its full disk, its signal, and its sleep.
ordeals = st.one_of(
    st.builds(Ordeal),
    st.builds(Ordeal, posts=faults),
    st.builds(Ordeal, posts=faults, crash=st.integers(0, 60)),
    st.builds(
        Ordeal,
        posts=faults,
        reads=st.tuples(st.integers(0, 24), st.sampled_from(_READS)).map(lambda found: "a" * found[0] + found[1]),
        full=st.none() | st.integers(0, 40),
        signal=st.none() | st.integers(0, 40),
        nap=st.none() | st.tuples(st.integers(0, 40), st.sampled_from((15.0, 25.0, 700.0, 1900.0))),
    ),
)
#: In a race: for so many boundaries one goes on, then it hands over, or time passes, or both.
turns = st.lists(st.tuples(st.integers(0, 24), st.integers(1, 5)), max_size=6).map(
    lambda found: tuple(figure for stretch, last in found for figure in (*(0,) * stretch, last))
)
messages = st.integers(0, 1)


class Life(RuleBasedStateMachine):
    """One project from its first edit to its last run."""

    @initialize(seed=st.integers(0, 1 << 16))
    def begin(self, seed):
        self.folder = tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)
        self.history = History(Path(self.folder.name), place(random.Random(seed)))

    # — people —

    @rule(
        what=st.sampled_from(("revise", "reword", "receivers", "when", "hold", "now", "switch", "lower", "rename")),
        message=messages,
        value=st.integers(1, 31),
    )
    def edit(self, what, message, value):
        self.history.edit(what, message, value)

    @rule(ordeal=ordeals)
    def plan(self, ordeal):
        self.history.plan(ordeal)

    @rule(ordeal=ordeals, cancel=st.booleans())
    def stop(self, ordeal, cancel):
        self.history.stop(ordeal, cancel=cancel)

    @rule()
    def resume(self):
        self.history.resume()

    @precondition(lambda self: self.history.state.exists)
    @rule(pick=st.integers(0, 9))
    def resend(self, pick):
        self.history.resend(pick)

    @precondition(lambda self: self.history.state.exists)
    @rule(pick=st.integers(0, 9))
    def resolve(self, pick):
        self.history.resolve(pick)

    @rule(number=st.integers(0, 3), minutes=st.sampled_from((0, 30, 600)))
    def stranger(self, number, minutes):
        self.history.stranger(number, minutes)

    # — runs —

    @rule(ordeal=ordeals, is_approved=st.booleans(), wait=st.sampled_from((0, 0, 45)), only=st.none() | messages)
    def apply(self, ordeal, is_approved, wait, only):
        self.history.apply(ordeal, is_approved=is_approved, wait=wait, only=only)

    @rule(ordeal=ordeals)
    def apply_all(self, ordeal):
        """Most applies are for all of the project, and approved by nobody before."""
        self.history.apply(ordeal)

    @rule(ordeal=ordeals)
    def settle(self, ordeal):
        self.history.settle(ordeal)

    @rule(ordeal=ordeals)
    def refresh(self, ordeal):
        self.history.refresh(ordeal)

    @rule(first=ordeals, second=ordeals, turns=turns)
    def race(self, first, second, turns):
        self.history.race(first, second, turns)

    # — time —

    @rule(wait=st.integers(0, len(WAITS) + 2), nudge=st.sampled_from((-660.0, -60.0, -0.5, 0.5, 90.0)))
    def advance(self, wait, nudge):
        self.history.advance(wait, nudge)

    @rule(seconds=st.sampled_from((0.0, -70.0, 400.0, 86400.0)))
    def skew(self, seconds):
        self.history.skew(seconds)

    # — what must hold —

    @invariant()
    def nothing_is_wrong(self):
        assert [] == list(self.history.wrongs())

    def teardown(self):
        """Then nothing goes wrong any more, and all of it comes to rest."""
        if hasattr(self, "history"):
            try:
                assert [] == list(self.history.end())
            finally:
                self.history.close()
                self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=[HealthCheck.too_slow]
)
