"""Every SQL statement of the ledger, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

#: The tables; an engine fills in what it says in words of its own: `{text}`, text that is ordered by its bytes,
#: `{counter}`, a key that counts up, and `{clustered}`, what keeps rows in the order of their key. The key of a send is
#: ordered on purpose: a million rows under a hashed key took ten times as long.
TABLES: Final = (
    "CREATE TABLE meta (name {text} PRIMARY KEY, value {text} NOT NULL)",
    """CREATE TABLE sends (
        message {text} NOT NULL,
        revision BIGINT NOT NULL,
        number {text} NOT NULL,
        state {text} NOT NULL,
        ordinal BIGINT NOT NULL,
        attempts BIGINT NOT NULL DEFAULT 1,
        resends BIGINT NOT NULL DEFAULT 0,
        delivered_at {text},
        reason {text},
        released_from BIGINT,
        sms BIGINT,
        taken_back {text},
        PRIMARY KEY (message, revision, number)) {clustered}""",
    """CREATE TABLE jobs (
        message {text} NOT NULL,
        revision BIGINT NOT NULL,
        ordinal BIGINT NOT NULL,
        tag {text} NOT NULL UNIQUE,
        provider {text} NOT NULL,
        endpoint {text} NOT NULL,
        service {text} NOT NULL,
        receivers BIGINT NOT NULL,
        text_digest {text} NOT NULL,
        template_digest {text} NOT NULL,
        options {text} NOT NULL,
        body_digest {text} NOT NULL,
        plan_digest {text} NOT NULL,
        claimed_at {text} NOT NULL,
        not_after BIGINT NOT NULL,
        estimate DOUBLE PRECISION NOT NULL,
        send_at {text},
        times {text},
        answered_at {text},
        accepted BIGINT,
        credits DOUBLE PRECISION,
        ids {text},
        query_id {text},
        PRIMARY KEY (message, revision, ordinal)) {clustered}""",
    # When a run had once nothing left of a revision: who is not on record then joins later.
    """CREATE TABLE completions (
        message {text} NOT NULL,
        revision BIGINT NOT NULL,
        at {text} NOT NULL,
        PRIMARY KEY (message, revision)) {clustered}""",
    """CREATE TABLE events (
        event {counter},
        at {text} NOT NULL,
        kind {text} NOT NULL,
        detail {text} NOT NULL)""",
    # Few rows are in doubt at a time, or were given back for want of a trace; the indexes hold only those.
    """CREATE INDEX sends_in_doubt ON sends (message, revision, number)
        WHERE state IN ('intended', 'unknown', 'cancelling')""",
    *(
        OTHER_INDEXES := (
            """CREATE INDEX sends_released ON sends (message, revision, number)
            WHERE released_from IS NOT NULL""",
            "CREATE INDEX sends_held ON sends (message, revision, number) WHERE state = 'scheduled'",
            "CREATE INDEX sends_taken_back ON sends (message, revision, number) WHERE taken_back IS NOT NULL",
        )
    ),
)
#: Format → what makes the next one of it.
MIGRATIONS: Final = {
    1: (
        "ALTER TABLE sends ADD COLUMN released_from BIGINT",
        "ALTER TABLE sends ADD COLUMN sms BIGINT",
        "ALTER TABLE sends ADD COLUMN taken_back {text}",
        "ALTER TABLE sends DROP COLUMN releases",
        "ALTER TABLE jobs ADD COLUMN times {text}",
        *OTHER_INDEXES,
    ),
}
READ_FORMAT: Final = "SELECT value FROM meta WHERE name = 'format'"
SET_FORMAT: Final = "UPDATE meta SET value = :format WHERE name = 'format'"

READ_META: Final = "SELECT name, value FROM meta"
INSERT_META: Final = "INSERT INTO meta (name, value) VALUES (:name, :value)"
RAISE_SERIAL: Final = "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'serial'"
READ_EPOCH: Final = "SELECT value FROM meta WHERE name = 'epoch'"

#: The next revision that has sends: one look into the index for each, however many sends there are.
NEXT_REVISION: Final = "SELECT MIN(revision) FROM sends WHERE message = :message AND revision > :after"
KNOWN: Final = """
    SELECT s.number, s.state, s.resends, j.text_digest, j.plan_digest, s.taken_back, j.options, j.times, j.send_at
    FROM sends s LEFT JOIN jobs j ON j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal
    WHERE s.message = :message AND s.revision = :revision
    ORDER BY s.number"""
#: The same in two steps, for where few jobs have many sends: what a job tells is then read once for all of them.
_KNOWN_JOBS: Final = """
    SELECT ordinal, text_digest, plan_digest, options, times, send_at FROM jobs
    WHERE message = :message AND revision = :revision"""
KNOWN_JOBS: Final = _KNOWN_JOBS + " LIMIT :limit"
KNOWN_JOB: Final = _KNOWN_JOBS + " AND ordinal = :ordinal"
KNOWN_SENDS: Final = """
    SELECT number, state, resends, taken_back, ordinal FROM sends
    WHERE message = :message AND revision = :revision ORDER BY number"""

#: What the provider took; for a job whose fate is open, what the plan said it would take.
_TOOK: Final = "COALESCE(SUM(COALESCE(j.credits, CASE WHEN s.ordinal IS NULL THEN 0 ELSE j.estimate END)), 0)"
#: Jobs beside those of their sends that may have gone out, which are looked for once and not for each job.
_OPEN_OR_OUT: Final = """
    FROM jobs j LEFT JOIN (
        SELECT DISTINCT message, revision, ordinal FROM sends
        WHERE state NOT IN ('notSent', 'rejected', 'missed')) s
    ON s.message = j.message AND s.revision = j.revision AND s.ordinal = j.ordinal"""
HAS_OPEN_JOBS: Final = (
    "SELECT 1 FROM jobs WHERE message = :message AND revision = :revision AND credits IS NULL LIMIT 1"
)
#: Where no job is open, the sends need not be read.
CREDITS_KNOWN: Final = """
    SELECT COALESCE(SUM(credits), 0) FROM jobs
    WHERE message = :message AND revision = :revision AND plan_digest <> :but"""
CREDITS_TAKEN: Final = f"""
    SELECT {_TOOK} {_OPEN_OR_OUT}
    WHERE j.message = :message AND j.revision = :revision AND j.plan_digest <> :but"""
#: Moments are written alike everywhere, the day first.
SPENDINGS: Final = f"""
    SELECT j.message, j.revision, SUBSTR(j.claimed_at, 1, 10), {_TOOK} {_OPEN_OR_OUT}
    GROUP BY j.message, j.revision, SUBSTR(j.claimed_at, 1, 10)
    ORDER BY j.message, j.revision, SUBSTR(j.claimed_at, 1, 10)"""
FIRST_SENT: Final = """
    SELECT MIN(claimed_at) FROM jobs
    WHERE message = :message AND revision = :revision AND body_digest <> '' AND (answered_at IS NULL OR accepted > 0)"""
COMPLETED: Final = "SELECT 1 FROM completions WHERE message = :message AND revision = :revision"
COMPLETE: Final = """
    INSERT INTO completions (message, revision, at) VALUES (:message, :revision, :at)
    ON CONFLICT (message, revision) DO NOTHING"""
RENAME_COMPLETIONS: Final = "UPDATE completions SET message = :new WHERE message = :old"

NEXT_ORDINAL: Final = """
    SELECT COALESCE(MAX(ordinal), 0) + 1 FROM jobs WHERE message = :message AND revision = :revision"""
#: The claim. Rows come in ascending order; what is returned is ours, and nothing else is.
CLAIM_HEAD: Final = "INSERT INTO sends (message, revision, number, state, ordinal) VALUES "
CLAIM_ROW: Final = "(:message, :revision, :number{place}, :state, :ordinal)"
CLAIM_TAIL: Final = """
    ON CONFLICT (message, revision, number) DO UPDATE
    SET state = excluded.state, ordinal = excluded.ordinal, attempts = sends.attempts + 1, reason = NULL, sms = NULL
    WHERE {is_free}
    RETURNING number"""
_IS_FREE: Final = """
    sends.state IN ({free}) AND NOT (sends.state = 'cancelled' AND COALESCE(sends.taken_back, '') = 'stop')"""
TAKEN_OF: Final = """
    SELECT number FROM sends
    WHERE message = :message AND revision = :revision AND number IN ({numbers}) AND NOT ({is_free})"""
TAG_TAKEN: Final = "SELECT 1 FROM jobs WHERE tag = :tag"
INSERT_JOB: Final = """
    INSERT INTO jobs (message, revision, ordinal, tag, provider, endpoint, service, receivers, text_digest,
        template_digest, options, body_digest, plan_digest, claimed_at, not_after, estimate, send_at, times)
    VALUES (:message, :revision, :ordinal, :tag, :provider, :endpoint, :service, :receivers, :text_digest,
        :template_digest, :options, :body_digest, :plan_digest, :claimed_at, :not_after, :estimate, :send_at, :times)"""

#: Evidence about a job moves only what still belongs to that job and is still in doubt.
MOVE: Final = """
    UPDATE sends SET state = :state, reason = :reason
    WHERE message = :message AND revision = :revision AND number IN ({numbers}) AND ordinal = :ordinal
      AND state IN ('intended', 'unknown')"""
ANSWER_JOB: Final = """
    UPDATE jobs SET answered_at = :at, accepted = :accepted, credits = :credits, ids = :ids, query_id = :query_id
    WHERE message = :message AND revision = :revision AND ordinal = :ordinal AND answered_at IS NULL"""

_RECORD: Final = """
    SELECT s.message, s.revision, s.number, s.state, s.attempts, s.reason, j.ids, j.credits, j.accepted, j.receivers,
        s.sms, j.claimed_at, j.answered_at, s.delivered_at, j.send_at
    FROM sends s LEFT JOIN jobs j ON j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal"""
_BY_KEY: Final = " ORDER BY s.message, s.revision, s.number"
RECORDS: Final = _RECORD + _BY_KEY
RECORDS_OF_MESSAGE: Final = _RECORD + " WHERE s.message = :message" + _BY_KEY
RECORDS_OF_REVISION: Final = _RECORD + " WHERE s.message = :message AND s.revision = :revision" + _BY_KEY
RECORDS_IN_DOUBT: Final = _RECORD + " WHERE s.state IN ('intended', 'unknown', 'cancelling')" + _BY_KEY

#: One look into the index for each message, however many jobs it has.
NEXT_MESSAGE: Final = "SELECT MIN(message) FROM jobs WHERE message > :after"
LATEST_TEMPLATE: Final = """
    SELECT template_digest FROM jobs WHERE message = :message ORDER BY revision DESC, ordinal DESC LIMIT 1"""
RENAME_SENDS: Final = "UPDATE sends SET message = :new WHERE message = :old"
RENAME_JOBS: Final = "UPDATE jobs SET message = :new WHERE message = :old"
RENAMINGS: Final = "SELECT detail FROM events WHERE kind = 'rename' ORDER BY event"
COUNT_IN_DOUBT: Final = """
    SELECT COUNT(*) FROM sends WHERE message = :message AND state IN ('intended', 'unknown', 'cancelling')"""
RAISE_EPOCH: Final = "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'epoch'"

READ_STOPPED: Final = "SELECT value FROM meta WHERE name = 'stopped'"
DELETE_STOPPED: Final = "DELETE FROM meta WHERE name = 'stopped'"
RESEND: Final = """
    UPDATE sends SET state = 'notSent', resends = resends + 1, reason = :reason, taken_back = NULL, delivered_at = NULL
    WHERE message = :message AND revision = :revision AND number = :number AND COALESCE(reason, '') <> :erased
      AND (state IN ({ended}) OR (state = 'cancelled' AND taken_back = 'stop'))"""
READ_STATE: Final = """
    SELECT state FROM sends WHERE message = :message AND revision = :revision AND number = :number"""
TALLIES: Final = """
    SELECT message, revision, state, COUNT(*) FROM sends
    GROUP BY message, revision, state ORDER BY message, revision, state"""

_POSTED: Final = """
    SELECT s.message, s.revision, j.ordinal, j.tag, j.claimed_at, j.not_after, j.send_at, j.answered_at, j.ids,
        s.number, s.state
    FROM sends s JOIN jobs j ON j.message = s.message AND j.revision = s.revision AND j.ordinal = {ordinal}
    WHERE {where}
    ORDER BY s.message, s.revision, j.ordinal, s.number"""
#: Named in full, so that the index over the few in doubt serves.
POSTED_IN_DOUBT: Final = _POSTED.format(ordinal="s.ordinal", where="s.state IN ('intended', 'unknown', 'cancelling')")
POSTED_HELD: Final = _POSTED.format(ordinal="s.ordinal", where="s.state = 'scheduled'")
POSTED_TAKEN: Final = _POSTED.format(
    ordinal="s.ordinal", where="s.state = 'accepted' AND COALESCE(s.reason, '') <> 'erased'"
)
POSTED_RELEASED: Final = _POSTED.format(ordinal="s.released_from", where="s.released_from IS NOT NULL")
POSTED_JOB: Final = _POSTED.format(
    ordinal="s.ordinal",
    where="s.message = :message AND s.revision = :revision AND s.ordinal = :ordinal"
    " AND s.state IN ('scheduled', 'accepted', 'delivered', 'failed')",
)
HELD_REVISIONS: Final = """
    SELECT DISTINCT message, revision FROM sends WHERE state = 'scheduled'
    UNION SELECT DISTINCT message, revision FROM sends WHERE taken_back IS NOT NULL"""
#: What the provider said it took, and sent at once, comes first: what a look found before is the likelier to be found
#: again, and what was held may have been dropped by somebody since. Of each kind the latest.
CONTROL: Final = """
    SELECT j.message, j.revision, j.ordinal
    FROM jobs j JOIN (
        SELECT message, revision, ordinal, COUNT(sms) AS seen FROM sends
        WHERE state IN ('scheduled', 'accepted', 'delivered', 'failed')
        GROUP BY message, revision, ordinal) s
    ON s.message = j.message AND s.revision = j.revision AND s.ordinal = j.ordinal
    WHERE COALESCE(j.send_at, j.claimed_at) <= :before AND (j.accepted > 0 OR s.seen > 0)
    ORDER BY CASE WHEN j.send_at IS NOT NULL THEN 2 WHEN COALESCE(j.ids, '[]') = '[]' THEN 1 ELSE 0 END,
        COALESCE(j.send_at, j.claimed_at) DESC, j.ordinal DESC LIMIT 1"""
IS_ON_RECORD: Final = """
    SELECT 1 FROM sends WHERE message = :message AND revision = :revision AND number = :number"""

_OF_JOB: Final = """
    WHERE message = :message AND revision = :revision AND number = :number AND ordinal = :ordinal"""
_DOUBTFUL: Final = _OF_JOB + " AND state IN ('intended', 'unknown')"
TAKEN: Final = "UPDATE sends SET state = 'accepted', sms = :sms, reason = NULL" + _DOUBTFUL
#: By absence: once for each send, and never after absence was found to lie.
RELEASE: Final = (
    "UPDATE sends SET state = 'notSent', released_from = :ordinal, reason = :reason"
    + _DOUBTFUL
    + " AND released_from IS NULL AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'absence')"
)
_IN_DOUBT: Final = " AND state IN ('intended', 'unknown', 'cancelling')"
RESOLVE_SENT: Final = "UPDATE sends SET state = 'accepted', reason = :reason" + _OF_JOB + _IN_DOUBT
RESOLVE_NOT_SENT: Final = "UPDATE sends SET state = 'notSent', released_from = :ordinal, reason = :reason" + _DOUBTFUL
#: A job without a report that is settled to the last send: what the lists say of it stands for the report.
_CLOSE_JOB: Final = """
    UPDATE jobs SET answered_at = :at,
        accepted = (SELECT COUNT(*) FROM sends s WHERE s.message = jobs.message AND s.revision = jobs.revision
            AND s.ordinal = jobs.ordinal{among} AND s.state = 'accepted'),
        credits = :credits
    WHERE message = :message AND revision = :revision AND ordinal = :ordinal AND answered_at IS NULL{whole}
      AND NOT EXISTS (SELECT 1 FROM sends s WHERE s.message = jobs.message AND s.revision = jobs.revision
        AND s.ordinal = jobs.ordinal{among} AND s.state IN ('intended', 'unknown'))"""
CLOSE_JOB: Final = _CLOSE_JOB.format(among="", whole="")
#: The same where all its sends are at hand: they stand between the first and the last, so that not all are read.
_AMONG: Final = " AND s.number BETWEEN :first AND :last"
CLOSE_WHOLE_JOB: Final = _CLOSE_JOB.format(among=_AMONG, whole=" AND receivers = :receivers")

#: A send that was given back for want of a trace, and has one now: still ours to mark, or posted anew since.
_RELEASED: Final = " AND state = 'notSent' AND released_from = :ordinal"
LATE: Final = "UPDATE sends SET state = 'accepted', sms = :sms, reason = :reason" + _OF_JOB + _RELEASED
#: The alarm is raised once; since absence counts never again, no second release can follow.
END_RELEASE: Final = """
    UPDATE sends SET released_from = NULL
    WHERE message = :message AND revision = :revision AND number = :number AND released_from = :ordinal"""
DISTRUST: Final = "INSERT INTO meta (name, value) VALUES ('absence', 'ask') ON CONFLICT (name) DO NOTHING"
IS_DISTRUSTED: Final = "SELECT 1 FROM meta WHERE name = 'absence'"

TAKE_BACK: Final = "UPDATE sends SET state = 'cancelling', taken_back = :by" + _OF_JOB + " AND state = 'scheduled'"
#: For evidence as for a person's word.
TAKEN_BACK: Final = "UPDATE sends SET state = 'cancelled', reason = :reason" + _OF_JOB + " AND state = 'cancelling'"
SLIPPED_OUT: Final = (
    "UPDATE sends SET state = 'accepted', sms = :sms, reason = :reason"
    + _OF_JOB
    + """
      AND state IN ('cancelling', 'scheduled')"""
)
DELIVERED: Final = (
    "UPDATE sends SET state = :state, sms = :sms, delivered_at = :at, reason = :reason"
    + _OF_JOB
    + """
      AND state IN ('accepted', 'scheduled')"""
)

READ_MOVE: Final = "SELECT value FROM meta WHERE name = 'moved'"
DELETE_MOVE: Final = "DELETE FROM meta WHERE name = 'moved'"
READ_FEATURES: Final = "SELECT value FROM meta WHERE name = 'features'"
SET_FEATURES: Final = "UPDATE meta SET value = :features WHERE name = 'features'"

READ_LEASE: Final = "SELECT value FROM meta WHERE name = 'lease'"
DELETE_LEASE: Final = "DELETE FROM meta WHERE name = 'lease'"

REASONS: Final = """
    SELECT state, reason, COUNT(*) FROM sends
    WHERE message = :message AND revision = :revision AND reason IS NOT NULL
      AND state IN ('intended', 'unknown', 'cancelling', 'failed', 'rejected')
    GROUP BY state, reason ORDER BY COUNT(*) DESC, state, reason"""

#: Queries whose rows may be as many as there are sends.
LONG: Final = frozenset({KNOWN, KNOWN_SENDS, RECORDS, RECORDS_OF_MESSAGE, RECORDS_OF_REVISION})

INSERT_EVENT: Final = "INSERT INTO events (at, kind, detail) VALUES (:at, :kind, :detail)"


def resend(ended: tuple[str, ...]) -> str:
    """Free one send if it is in one of these states."""
    return RESEND.format(ended=", ".join(f"'{state}'" for state in ended))


@lru_cache
def claim(rows: int, free: tuple[str, ...]) -> str:
    """The claim of `rows` sends as one statement."""
    values = ", ".join(CLAIM_ROW.format(place=place) for place in range(rows))
    return CLAIM_HEAD + values + CLAIM_TAIL.format(is_free=_is_free(free))


def taken(numbers: int, free: tuple[str, ...]) -> str:
    """Which of so many numbers no claim would get."""
    return TAKEN_OF.format(numbers=_places(numbers), is_free=_is_free(free))


def on_record(numbers: int) -> str:
    """Which of so many names stand on record."""
    return (
        f"SELECT number FROM sends WHERE message = :message AND revision = :revision AND number IN ({_places(numbers)})"
    )


def move(numbers: int) -> str:
    """Move so many sends of one job to one state."""
    return MOVE.format(numbers=_places(numbers))


def _places(numbers: int) -> str:
    return ", ".join(f":number{place}" for place in range(numbers))


def _is_free(free: tuple[str, ...]) -> str:
    return _IS_FREE.format(free=", ".join(f"'{state}'" for state in free))
