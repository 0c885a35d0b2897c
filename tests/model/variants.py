"""Which small worlds are searched, and which bugs are planted in them: the table of never-twice.md, as values."""

from dataclasses import dataclass, replace

from planting import Bug
from setting import Message, Setting


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One search and what it must come to."""

    name: str
    setting: Setting
    bugs: tuple = ()
    #: How the verdict begins.
    expected: str = "safe"
    #: What must happen somewhere in it, in the words of `World.reached`.
    reaches: frozenset = frozenset({"freed"})
    #: Whether every state is asked for a good end.
    ends: bool = False
    #: Whether it is small enough for the tests.
    fast: bool = True

    def is_as_expected(self, found):
        """Whether a search came to what it must; that states never end must be expected in so many words."""
        is_stuck = found.verdict.startswith("safe;")
        return found.complete and found.verdict.startswith(self.expected) and is_stuck == (self.expected == "safe;")


ONE = Setting()
#: Requests arrive within the tick in which they were signed, or never.
SHORT = Setting(window=0, after=2)
ALONE = Setting(runners=1)
TWO = Setting(files=(((Message(to=(0, 1)),),),), per_job=(2, 1))
#: What was sent at once may stand in `jobs` for a while, and is in neither list between the two.
LISTS = replace(ALONE, through_jobs=True, moving=1)
_LATER = Message(later=3)
HELD = Setting(
    runners=1, files=(((_LATER,),), ((replace(_LATER, text="Bye"),),)), moving=1, window=0, gap=1, after=2, longest=3
)
#: Lists may lag for any time, so every absence may lie.
LYING = replace(ALONE, lag=None, copies=2, jobs=3, after=1)
RENAMED = Setting(files=(((Message(),),), ((Message(name="n", renamed_from="m"),),)), jobs=2)
#: The two runners have different files, for good.
CHECKOUTS = replace(
    RENAMED,
    files=(((Message(),), (Message(name="n", text="Bye", renamed_from="m"),)),),
    crashes=False,
    window=0,
    after=2,
)
WEEK = replace(ALONE, weeks=1, forgets=True)
RESTORED = replace(ALONE, restores=1, unreached=True, jobs=3)

SAFE = (
    Variant(name="one send, one runner, each call a step of its own", setting=replace(ALONE, quiet=False, moving=1)),
    Variant(name="one send, two runners", setting=ONE, fast=False),
    Variant(
        name="one send, two runners, no lag, each call a step of its own", fast=False,
        setting=replace(SHORT, quiet=False, lag=0, after=1),
    ),
    Variant(
        name="refusals, a hasty pace, no connection; a truthful person behind the fence",
        setting=replace(ALONE, refusals=True, hurries=True, unreached=True, people="fenced"),
        ends=True,
    ),
    Variant(
        name="the same with two runners",
        setting=replace(SHORT, refusals=True, unreached=True, people="fenced"),
        ends=True,
        fast=False,
    ),
    Variant(name="three jobs, two runners", setting=replace(SHORT, jobs=3), fast=False),
    Variant(
        name="two sends, cut in two ways, two runners, no kills", fast=False,
        setting=replace(SHORT, files=TWO.files, per_job=(2, 1), lag=0, after=1, crashes=False),
    ),
    Variant(
        name="two sends, a report that refuses or omits some",
        setting=replace(TWO, runners=1, per_job=(2,), partial=True, people="fenced"), ends=True, fast=False,
        reaches=frozenset({"freed", "rejected", "unknown"}),
    ),
    Variant(
        name="three sends in jobs of two, one runner, three jobs",
        setting=replace(ALONE, files=(((Message(to=(0, 1, 2)),),),), per_job=(2,), jobs=3), fast=False,
    ),
    Variant(name="through both lists, with the gap", setting=LISTS),
    Variant(
        name="through both lists, two runners, no lag, no kills", fast=False,
        setting=replace(LISTS, runners=2, window=0, lag=0, after=1, crashes=False),
    ),
    Variant(name="somebody else's SMS with the same text", setting=replace(LISTS, stranger=True), fast=False),
    Variant(
        name="a list that shows nothing", setting=replace(ALONE, blind=True), reaches=frozenset({"unknown"}),
    ),
    Variant(
        name="numbers spelled 0033…", setting=replace(ALONE, zeros=True, people="fenced"), ends=True
    ),
    Variant(name="a week passes, and the provider forgets", setting=WEEK),
    Variant(
        name="absence lies: two copies at most", setting=LYING, reaches=frozenset({"freed", "absence", "accepted"}),
    ),
    Variant(
        name="scheduled, edited, taken back, posted anew", setting=HELD, fast=False,
        reaches=frozenset({"freed", "scheduled", "cancelling", "cancelled", "accepted"}),
    ),
    Variant(
        name="scheduled, `stop --cancel`, resume", setting=replace(HELD, stops=1, files=HELD.files[:1]), fast=False,
        reaches=frozenset({"freed", "scheduled", "cancelled", "stopped"}),
    ),
    Variant(
        name="`stop`, resume, `resend`", setting=replace(ALONE, stops=1, resends=1, jobs=3),
        reaches=frozenset({"stopped", "resent", "freed"}), fast=False,
    ),
    Variant(
        name="`resend` with two runners", setting=replace(SHORT, resends=1), fast=False,
        reaches=frozenset({"resent", "freed"}),
    ),
    Variant(
        name="renamed between plan and claim", setting=replace(RENAMED, crashes=False), fast=False,
        reaches=frozenset({"n", "accepted"}),
    ),
    Variant(
        name="renamed, also with nothing on record, old and new files applied at once",
        setting=replace(RENAMED, crashes=False, lag=0, moving=0), reaches=frozenset({"n", "accepted"}), fast=False,
    ),
    Variant(
        name="old and new names applied over and over from two checkouts", setting=CHECKOUTS,
        reaches=frozenset({"n", "accepted"}), fast=False,
    ),
    Variant(name="an old state restored, once the lists are complete", setting=RESTORED),
    Variant(
        name="an old state restored, through both lists", fast=False,
        setting=replace(RESTORED, through_jobs=True, moving=1, jobs=2),
    ),
    Variant(
        name="carried out again under one approval",
        setting=replace(ALONE, approved=True, refusals=True, unreached=True, people="fenced"), ends=True,
    ),
    Variant(
        name="carried out again under one approval, two runners",
        setting=replace(SHORT, approved=True, refusals=True, people="fenced"), fast=False,
    ),
)  # fmt: skip


def _statement(old, new):
    return Bug("ledgers.statements", old, new)


PLANTED = (
    Variant(name="`settle.after` one tick below W + P + L", setting=replace(ONE, after=2), expected="TWICE"),
    Variant(
        name="signed after the claim", setting=replace(ONE, crashes=False), expected="TWICE",
        bugs=(
            Bug("apply", "self.provider.submit(prepared)", "self.provider.submit(self.provider.sign_again(prepared))"),
        ),
    ),
    Variant(
        name="outcome without WHERE job", fast=False, setting=replace(ONE, jobs=3), expected="LOST",
        bugs=(_statement(
            "AND ordinal = :ordinal\n      AND state IN ('intended', 'unknown')\"\"\"\nANSWER_JOB",
            "\n      AND state IN ('intended', 'unknown')\"\"\"\nANSWER_JOB",
        ),),
    ),
    Variant(
        name="evidence without WHERE job", fast=False, setting=replace(ONE, jobs=3), expected="TWICE",
        bugs=(_statement(
            'AND number = :number AND ordinal = :ordinal"""\n_DOUBTFUL', 'AND number = :number"""\n_DOUBTFUL'
        ),),
    ),
    Variant(
        name="the body holds what was asked for, not what was claimed", setting=TWO, expected="TWICE",
        bugs=(
            Bug(
                "ledgers.relational",
                "numbers=tuple(sorted(called[row[0]] for row in rows)),",
                "numbers=intent.numbers,",
            ),
        ),
    ),
    Variant(
        name="the claim takes what is in doubt", setting=ONE, expected="TWICE",
        bugs=(_statement("sends.state IN ({free}) AND", "sends.state <> 'accepted' AND"),),
    ),
    Variant(
        name="absence counts at once", setting=ALONE, expected="TWICE",
        bugs=(Bug("settle", "return _end(job) + rules.after <= now <", "return now <"),),
    ),
    Variant(
        name="the time is read after the lists", fast=False, setting=replace(ONE, moving=0), expected="TWICE",
        bugs=(
            Bug(
                "settle", "    open_ones = {",
                "    look = __import__('dataclasses').replace(look, now=provider.time())\n    open_ones = {",
            ),
            Bug("settle", "if not barred and not any(_is_ripe", "if False and not any(_is_ripe"),
        ),
    ),
    Variant(
        name="absence without a control", setting=replace(ALONE, blind=True), expected="TWICE",
        bugs=(Bug("settle", "barred = _test_lists(ledger, provider, now, rules)", "barred = ''"),),
    ),
    Variant(
        name="absence counts again and again", setting=LYING, expected="3 TIMES",
        bugs=(_statement("AND released_from IS NULL AND NOT EXISTS", "AND NOT EXISTS"),),
    ),
    Variant(
        name="absence counts after it was found to lie", setting=LYING, expected="3 TIMES",
        bugs=(
            _statement(
                "AND released_from IS NULL AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'absence')",
                "AND released_from IS NULL",
            ),
            Bug("settle", "if not ledger.trusts_absence:", "if False:"),
        ),
    ),
    Variant(
        name="outgoing is read before jobs", setting=LISTS, expected="TWICE",
        bugs=(
            Bug(
                "settle", "        look = _begin(",
                "        provider.early = {one.tag: provider.sent(one.tag, _since(one)) for one in doubtful}\n"
                "        look = _begin(",
            ),
            Bug(
                "settle", "listed = provider.sent(job.tag, _since(job))\n    open_ones",
                "listed = provider.early[job.tag]\n    open_ones",
            ),
        ),
    ),
    Variant(name="no wait between the lists", setting=replace(LISTS, moving=0), expected="TWICE"),
    Variant(
        name="what waits in jobs counts as ours", setting=replace(LISTS, stranger=True), expected="LOST",
        bugs=(Bug(
            "settle", "    missing = open_ones - set(taken)",
            "    taken |= {one.receiver: Taken(one.id, None) for one in look.held or () if one.receiver in open_ones}\n"
            "    missing = open_ones - set(taken)",
        ),),
    ),
    Variant(
        name="what waits in jobs is overlooked", setting=LISTS, expected="TWICE",
        bugs=(Bug("settle", "if not left[number] and any(", "if False and any("),),
    ),
    Variant(
        name="the horizon of a week is dropped", setting=WEEK, expected="TWICE",
        bugs=(
            Bug("settle", "    if look.now >= _end(job) + HORIZON:", "    if False:"),
            Bug("settle", "<= now < _end(job) + HORIZON", "<= now"),
        ),
    ),
    Variant(name="a person may say not sent at any time", setting=replace(ONE, people="any"), expected="TWICE"),
    Variant(
        name="no answer counts as not sent", setting=ALONE, expected="TWICE",
        bugs=(Bug("outcomes", "states = dict.fromkeys(claim.numbers, State.UNKNOWN)\n            return",
                  "states = dict.fromkeys(claim.numbers, State.NOT_SENT)\n            return"),),
    ),
    Variant(
        name="the POST is repeated where no answer comes", setting=ALONE, expected="TWICE",
        bugs=(Bug(
            "apply", "            answer = self.provider.submit(prepared)\n",
            "            try:\n                answer = self.provider.submit(prepared)\n"
            "            except Exception:\n                answer = self.provider.submit(prepared)\n",
        ),),
    ),
    Variant(
        name="a refused request counts as refused receivers", expected="safe;", ends=True,
        setting=replace(ALONE, refusals=True, people="fenced"),
        bugs=(Bug(
            "outcomes",
            "case Refused():\n            states = dict.fromkeys(claim.numbers, State.NOT_SENT)",
            "case Refused():\n            states = dict.fromkeys(claim.numbers, State.REJECTED)",
        ),),
    ),
    Variant(
        name="only jobs without a report are settled", expected="safe;", ends=True,
        setting=replace(ALONE, files=TWO.files, partial=True, people="fenced", jobs=1),
        bugs=(_statement(
            "IN ('intended', 'unknown', 'cancelling')\")\nPOSTED_HELD",
            "IN ('intended', 'unknown', 'cancelling') AND j.answered_at IS NULL\")\nPOSTED_HELD",
        ),),
    ),
    Variant(
        name="numbers are compared as they are spelled", expected="safe;", ends=True,
        setting=replace(ALONE, zeros=True),
        bugs=(Bug("providers.ovh_answers", '"+" + number[2:] if number.startswith("00") else number', "number"),),
    ),
    Variant(
        name="DELETE before the record", setting=HELD, expected="LOST",
        bugs=(Bug(
            "cancel", "            if clear:\n",
            "            [provider.take_back(one) for ids in mine.values() for one in ids or ()]\n"
            "            if clear:\n",
        ),),
    ),
    Variant(
        name="gone from jobs counts as taken back, whenever", fast=False, setting=HELD, expected="WRONG",
        bugs=(Bug("cancel", "            if not _is_proof(", "            if False and not _is_proof("),),
    ),
    Variant(
        name="the epoch is not checked", setting=replace(RENAMED, crashes=False), expected="TWICE",
        bugs=(Bug("ledgers.relational", "fetchone()[0]) != epoch:", "fetchone()[0]) < 0:"),),
    ),
    Variant(
        name="a renaming of nothing is not put on record", setting=replace(RENAMED, crashes=False), expected="TWICE",
        bugs=(Bug("renaming", "if new in posted]", "if False]"),),
    ),
    Variant(
        name="files with a name that was given up are believed", setting=CHECKOUTS, expected="TWICE",
        bugs=(Bug("renaming", "    elif later is not None and", "    elif False and"),),
    ),
    Variant(
        name="the guard is off", setting=RESTORED, expected="TWICE",
        bugs=(Bug("guard", "for tag in self.ledger.next_tags(job.message, job.revision, _DEPTH):", "for tag in ():"),),
    ),
    Variant(
        name="the guard looks at one tag only", setting=RESTORED, expected="TWICE",
        bugs=(Bug("guard", "_DEPTH = 3", "_DEPTH = 1"),),
    ),
    Variant(
        name="the claim does not look at the stop", setting=replace(ALONE, stops=1), expected="CLAIMED",
        bugs=(Bug("ledgers.relational", "        if stopped is not None:", "        if False:"),),
    ),
    Variant(
        name="what a stop took back is free", fast=False, expected="CLAIMED",
        setting=replace(HELD, stops=1, files=HELD.files[:1], runners=2, crashes=False, lag=0, moving=0, gap=0),
        bugs=(_statement(" AND NOT (sends.state = 'cancelled' AND COALESCE(sends.taken_back, '') = 'stop')", ""),),
    ),
)  # fmt: skip

#: What never-twice.md names as a hole: found here as well, so that the page claims no more than holds.
HOLES = (
    Variant(name="lists that lag longer than L: one second copy", setting=replace(LYING, copies=1), expected="TWICE"),
    Variant(
        name="an old state restored while the lists lag", expected="TWICE",
        setting=replace(RESTORED, early_restores=True),
    ),
)  # fmt: skip
