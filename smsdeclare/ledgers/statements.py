"""Every SQL statement of the ledger, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

from typing import Final

#: The tables; `{clustered}` is what an engine needs to keep rows in the order of their key. The key of a send is
#: ordered on purpose: a million rows under a hashed key took ten times as long.
TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE sends (
        message TEXT NOT NULL,
        revision INTEGER NOT NULL,
        number TEXT NOT NULL,
        state TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 1,
        resends INTEGER NOT NULL DEFAULT 0,
        releases INTEGER NOT NULL DEFAULT 0,
        delivered_at TEXT,
        reason TEXT,
        PRIMARY KEY (message, revision, number)) {clustered}""",
    """CREATE TABLE jobs (
        message TEXT NOT NULL,
        revision INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        tag TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        service TEXT NOT NULL,
        receivers INTEGER NOT NULL,
        text_digest TEXT NOT NULL,
        template_digest TEXT NOT NULL,
        options TEXT NOT NULL,
        body_digest TEXT NOT NULL,
        plan_digest TEXT NOT NULL,
        claimed_at TEXT NOT NULL,
        not_after INTEGER NOT NULL,
        estimate REAL NOT NULL,
        send_at TEXT,
        answered_at TEXT,
        accepted INTEGER,
        credits REAL,
        ids TEXT,
        query_id TEXT,
        PRIMARY KEY (message, revision, ordinal)) {clustered}""",
    # When a run had once nothing left of a revision: who is not on record then joins later.
    """CREATE TABLE completions (
        message TEXT NOT NULL,
        revision INTEGER NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (message, revision)) {clustered}""",
    """CREATE TABLE events (
        event INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL)""",
    # Few rows are in doubt at a time; the index holds only those.
    """CREATE INDEX sends_in_doubt ON sends (message, revision, number)
        WHERE state IN ('intended', 'unknown', 'cancelling')""",
)

READ_META: Final = "SELECT name, value FROM meta"
INSERT_META: Final = "INSERT INTO meta (name, value) VALUES (:name, :value)"
RAISE_SERIAL: Final = "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'serial'"
READ_EPOCH: Final = "SELECT value FROM meta WHERE name = 'epoch'"

#: The next revision that has sends: one look into the index for each, however many sends there are.
NEXT_REVISION: Final = "SELECT MIN(revision) FROM sends WHERE message = :message AND revision > :after"
KNOWN: Final = """
    SELECT s.number, s.state, s.resends, j.text_digest, j.plan_digest
    FROM sends s LEFT JOIN jobs j ON j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal
    WHERE s.message = :message AND s.revision = :revision
    ORDER BY s.number"""

#: What the provider took; for a job whose fate is open, what the plan said it would take.
CREDITS_TAKEN: Final = """
    SELECT COALESCE(SUM(CASE
        WHEN j.credits IS NOT NULL THEN j.credits
        WHEN EXISTS (
            SELECT 1 FROM sends s WHERE s.message = j.message AND s.revision = j.revision AND s.ordinal = j.ordinal
              AND s.state NOT IN ('notSent', 'rejected', 'missed')) THEN j.estimate
        ELSE 0 END), 0)
    FROM jobs j WHERE j.message = :message AND j.revision = :revision AND j.plan_digest <> :but"""
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
    SET state = excluded.state, ordinal = excluded.ordinal, attempts = sends.attempts + 1, reason = NULL
    WHERE sends.state IN ({free})
    RETURNING number"""
TAG_TAKEN: Final = "SELECT 1 FROM jobs WHERE tag = :tag"
INSERT_JOB: Final = """
    INSERT INTO jobs (message, revision, ordinal, tag, provider, endpoint, service, receivers, text_digest,
        template_digest, options, body_digest, plan_digest, claimed_at, not_after, estimate, send_at)
    VALUES (:message, :revision, :ordinal, :tag, :provider, :endpoint, :service, :receivers, :text_digest,
        :template_digest, :options, :body_digest, :plan_digest, :claimed_at, :not_after, :estimate, :send_at)"""

#: Evidence about a job moves only what still belongs to that job and is still in doubt.
MOVE: Final = """
    UPDATE sends SET state = :state, reason = :reason
    WHERE message = :message AND revision = :revision AND number = :number AND ordinal = :ordinal
      AND state IN ('intended', 'unknown')"""
ANSWER_JOB: Final = """
    UPDATE jobs SET answered_at = :at, accepted = :accepted, credits = :credits, ids = :ids, query_id = :query_id
    WHERE message = :message AND revision = :revision AND ordinal = :ordinal AND answered_at IS NULL"""

_RECORD: Final = """
    SELECT s.message, s.revision, s.number, s.state, s.attempts, s.reason, j.ids, j.credits, j.accepted, j.receivers,
        j.claimed_at, j.answered_at, s.delivered_at, j.send_at
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
COUNT_IN_DOUBT: Final = """
    SELECT COUNT(*) FROM sends WHERE message = :message AND state IN ('intended', 'unknown', 'cancelling')"""
RAISE_EPOCH: Final = "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'epoch'"

READ_STOPPED: Final = "SELECT value FROM meta WHERE name = 'stopped'"
DELETE_STOPPED: Final = "DELETE FROM meta WHERE name = 'stopped'"
RESEND: Final = """
    UPDATE sends SET state = 'notSent', resends = resends + 1, reason = :reason
    WHERE message = :message AND revision = :revision AND number = :number AND state IN ({ended})"""
TALLIES: Final = """
    SELECT message, revision, state, COUNT(*) FROM sends
    GROUP BY message, revision, state ORDER BY message, revision, state"""

INSERT_EVENT: Final = "INSERT INTO events (at, kind, detail) VALUES (:at, :kind, :detail)"


def resend(ended: tuple[str, ...]) -> str:
    """Free one send if it is in one of these states."""
    return RESEND.format(ended=", ".join(f"'{state}'" for state in ended))


def claim(rows: int, free: tuple[str, ...]) -> str:
    """The claim of `rows` sends as one statement."""
    values = ", ".join(CLAIM_ROW.format(place=place) for place in range(rows))
    return CLAIM_HEAD + values + CLAIM_TAIL.format(free=", ".join(f"'{state}'" for state in free))
