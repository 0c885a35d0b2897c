"""Small worlds hold in every order of things; with a rule broken, the search finds what goes wrong.

All of them: `python benchmarks/small_worlds.py`. Here are those that take a moment.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from planting import Bug, code
from search import explore
from setting import Setting
from variants import HOLES, PLANTED, SAFE
from world import World

from smsdeclare import settle
from smsdeclare.ledgers import statements

MOST = 100_000


def named(variants):
    return [pytest.param(one, id=one.name) for one in variants if one.fast]


@pytest.mark.parametrize("variant", named(SAFE))
def test_the_code_as_it_is_never_sends_twice_and_loses_nothing(variant):
    world = World(variant.setting, code())
    found = explore(world, ends=variant.ends, most=MOST)
    assert variant.is_as_expected(found), (found.verdict, *found.trace)
    # A world in which little happens is safe in vain.
    assert variant.reaches <= world.reached()


@pytest.mark.parametrize("variant", named((*PLANTED, *HOLES)))
def test_a_broken_rule_is_found_by_the_shortest_way(variant):
    found = explore(World(variant.setting, code(variant.bugs)), ends=variant.ends, most=MOST)
    assert variant.is_as_expected(found), found.verdict
    assert found.trace


def test_every_bug_can_be_planted():
    for variant in PLANTED:
        code(variant.bugs)


def test_a_planted_bug_leaves_the_code_itself_alone():
    before = (statements.MOVE, settle.settle)
    planted = code((Bug("ledgers.statements", "AND state = 'scheduled'", "AND 1"),))
    assert planted.statements is not statements
    assert planted.relational.statements is planted.statements
    assert (statements.MOVE, settle.settle) == before
    assert code().statements is statements


def test_a_bug_whose_text_is_gone_is_no_bug():
    with pytest.raises(AssertionError, match="0 times"):
        code((Bug("settle", "no such text", ""),))


class Steps:
    """Numbers from 0: one more, or twice as many; 13 must not be, and from 7 on nothing leads back to 0."""

    def initial(self):
        return 0

    def after(self, state):
        return [one for one in (state + 1, state * 2, 0 if state < 7 else 14) if one <= 14]

    def wrong(self, state):
        return "thirteen" if state == 13 else ""

    def told(self, before, after):
        return f"{before} to {after}"

    def is_end(self, state):
        return state == 0


def test_the_shortest_way_is_found():
    found = explore(Steps())
    assert found.bad == "thirteen"
    assert found.trace == ("0 to 1", "1 to 2", "2 to 3", "3 to 6", "6 to 12", "12 to 13")


def test_states_without_a_good_end_are_counted():
    class Unharmed(Steps):
        def wrong(self, _):
            return ""

    found = explore(Unharmed(), ends=True)
    assert (found.states, found.stuck, found.bad) == (15, 8, "")


def test_a_search_that_is_broken_off_says_so():
    assert not explore(World(Setting(), code()), most=10).complete
