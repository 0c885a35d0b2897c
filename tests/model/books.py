"""Ledgers as values: the rows of the real one, taken out and put back.

Whatever is done to a ledger is done by the product's own method and statements, to a database in memory that holds
exactly these rows; what came of it is kept, so that each is run once for each content. Times stand as ages, in ticks
before now, and stop at a limit from which on no rule tells them apart: so time has no end. What decides nothing
(reasons, credits, the record of events but for renamings) is left out.
"""

from datetime import UTC, datetime, timedelta

from smsdeclare.clock import timestamp
from smsdeclare.ledgers import statements
from smsdeclare.records import Binding

#: The unit of time.
TICK = timedelta(minutes=5)
#: When a phase of a run began, as the run sees it. A Tuesday at noon.
BEGAN = datetime(2026, 12, 1, 12, tzinfo=UTC)
#: An age of eight days: past the horizon of settling, and within what is still watched.
OLD = 8 * 24 * 12
BINDING = Binding(project="p", provider="sandbox", endpoint="", service="s")
_META = {
    "format": "2", "features": "[]", "version": "0", "lineage": "l", "serial": "1", "secret": "00" * 32,
    "project": "p", "provider": "sandbox", "endpoint": "", "service": "s",
}  # fmt: skip
_OPEN = ("intended", "unknown", "cancelling", "scheduled")


def moment(elapsed):
    """The moment at which so many ticks of a phase have passed."""
    return BEGAN + elapsed * TICK


def _age(written, now):
    return None if written is None else round((now - datetime.fromisoformat(written)) / TICK)


def _at(age, now):
    return None if age is None else timestamp(now - age * TICK)


def older(age, most):
    """One tick older, up to a limit; what is to come comes nearer."""
    return age if age is None or age == OLD else min(age + 1, most)


class Books:
    """Ledgers by number."""

    def __init__(self, code, limit, ripe):
        #: No age is told apart from this one, but `OLD`; and of jobs of which all is known, from this one.
        self.limit, self.ripe = limit, ripe
        self._numbers = {}
        self.rows = []
        self._aged = {}
        self._ledger = _ledger_in_memory(code)

    def number(self, rows):
        """The number of a ledger with these rows."""
        found = self._numbers.get(rows)
        if found is None:
            found = self._numbers[rows] = len(self.rows)
            self.rows.append(rows)
        return found

    def empty(self):
        """A ledger that is bound and has nothing on record."""
        return self.number(((), (), (("epoch", "1"),), (), ()))

    def aged(self, number, by=1):
        """The same a tick later, or eight days."""
        found = self._aged.get((number, by))
        if found is None:
            sends, jobs, *rest = self.rows[number]
            jobs = tuple(job[:9] + tuple(_grown(age, by, self.limit) for age in job[9:13]) + job[13:] for job in jobs)
            found = self._aged[number, by] = self.number(self._settled((sends, jobs, *rest)))
        return found

    def do(self, number, elapsed, action):
        """Run `action` on the real ledger at a moment; the ledger it leaves, and what it returned or raised."""
        now = moment(elapsed)
        ledger = self._ledger
        _load(ledger, self.rows[number], now)
        try:
            answer = action(ledger)
        except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
            answer = error
        return self.number(self._settled(_dump(ledger, now, self.limit))), answer

    def _settled(self, rows):
        """The same with what is decided for good no older than it needs to be."""
        sends, jobs, *rest = rows
        is_open = {(one[0], one[1], one[4]) for one in sends if one[3] in _OPEN}
        is_held = {(one[0], one[1], one[4]) for one in sends if one[3] in ("cancelling", "scheduled")}
        kept = []
        for job in jobs:
            claimed, not_after, answered, send_at = job[9:13]
            if job[:3] not in is_held:
                answered = _no_older(answered, 0)
            if job[:3] not in is_open:
                claimed, not_after, send_at = (
                    _no_older(claimed, self.ripe),
                    _no_older(not_after, 0),
                    _no_older(send_at, 0),
                )
            kept.append((*job[:9], claimed, not_after, answered, send_at, *job[13:]))
        return sends, tuple(kept), *rest


def _grown(age, by, limit):
    if by == OLD:
        return None if age is None else OLD
    return older(age, limit)


def _no_older(age, most):
    return age if age is None or age == OLD else min(age, most)


def _ledger_in_memory(code):
    class InMemory(code.sqlite.SqliteLedger):
        def __init__(self):
            self._path = code.sqlite.Path("model.state")
            self._is_kept = True
            self._connection = code.sqlite_file.empty()
            self._meta = dict(_META)

    return InMemory()


def _load(ledger, rows, now):
    sends, jobs, meta, done, renamings = rows
    run = ledger._connection
    for table in ("sends", "jobs", "meta", "completions", "events"):
        run.execute(f"DELETE FROM {table}")
    run.executemany(
        "INSERT INTO sends (message, revision, number, state, ordinal, resends, released_from, taken_back)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        sends,
    )
    run.executemany(
        "INSERT INTO jobs (message, revision, ordinal, tag, receivers, text_digest, template_digest, options,"
        " plan_digest, claimed_at, not_after, answered_at, send_at, body_digest, times, accepted, ids,"
        " provider, endpoint, service, estimate)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sandbox', '', 's', 1)",
        [
            (
                *job[:9],
                _at(job[9], now),
                int((now - job[10] * TICK).timestamp()),
                _at(job[11], now),
                _at(job[12], now),
                *job[13:],
            )
            for job in jobs
        ],
    )
    run.executemany("INSERT INTO meta VALUES (?, ?)", [*_META.items(), *meta])
    run.executemany("INSERT INTO completions VALUES (?, ?, 'then')", done)
    run.executemany("INSERT INTO events (at, kind, detail) VALUES ('then', 'rename', ?)", renamings)
    ledger._meta = _META | dict(meta)


def _dump(ledger, now, limit):
    run = ledger._connection.execute
    sends = tuple(
        run(
            "SELECT message, revision, number, state, ordinal, resends, released_from, taken_back FROM sends"
            " ORDER BY message, revision, number"
        )
    )
    jobs = tuple(
        (
            *job[:9],
            _within(_age(job[9], now), limit),
            _within(round((now - datetime.fromtimestamp(job[10], UTC)) / TICK), limit),
            _within(_age(job[11], now), limit),
            _within(_age(job[12], now), limit),
            "d" if job[13] else "",
            *job[14:],
        )
        for job in run(
            "SELECT message, revision, ordinal, tag, receivers, text_digest, template_digest, options, plan_digest,"
            " claimed_at, not_after, answered_at, send_at, body_digest, times, accepted, ids FROM jobs"
            " ORDER BY message, revision, ordinal"
        )
    )
    meta = tuple(
        (name, value if name in ("epoch", "absence") else "{}")
        for name, value in run("SELECT name, value FROM meta ORDER BY name")
        if name not in _META
    )
    done = tuple(run("SELECT message, revision FROM completions ORDER BY message, revision"))
    return sends, jobs, meta, done, tuple(run(statements.RENAMINGS))


def _within(age, limit):
    return age if age is None or age >= OLD // 2 else min(age, limit)
