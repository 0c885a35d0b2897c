"""The SQL statements of erasing, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

from typing import Final

COUNT_ALL_IN_DOUBT: Final = "SELECT COUNT(*) FROM sends WHERE state IN ('intended', 'unknown', 'cancelling')"
NUMBERS: Final = "SELECT message, revision, number FROM sends WHERE SUBSTR(number, 1, 1) <> '#'"
PUT_HASH: Final = """
    UPDATE sends SET number = :name WHERE message = :message AND revision = :revision AND number = :number"""
ALL_REASONS: Final = "SELECT DISTINCT reason FROM sends WHERE reason IS NOT NULL"
SET_REASON: Final = "UPDATE sends SET reason = :said WHERE reason = :reason"
EVENTS: Final = "SELECT event, kind, detail FROM events"
SET_EVENT: Final = "UPDATE events SET detail = :detail WHERE event = :event"
DELETE_META: Final = "DELETE FROM meta WHERE name = :name"
#: What was never sent is not to be sent any more.
_ERASE: Final = """
    UPDATE sends SET number = :name, reason = :erased, sms = NULL, delivered_at = NULL,
        state = CASE WHEN state IN ('notSent', 'cancelled') THEN 'missed' ELSE state END
    WHERE message = :message AND revision = :revision AND number = :number AND COALESCE(reason, '') <> :erased
      AND state NOT IN ({open})"""
#: By the ids of a job whose receivers are all erased, the provider would still tell who they were.
ERASE_IDS: Final = """
    UPDATE jobs SET ids = '[]', query_id = NULL
    WHERE ids IS NOT NULL AND EXISTS (SELECT 1 FROM sends s WHERE s.message = jobs.message
        AND s.revision = jobs.revision AND s.ordinal = jobs.ordinal AND s.reason = :erased)
      AND NOT EXISTS (SELECT 1 FROM sends s WHERE s.message = jobs.message AND s.revision = jobs.revision
        AND s.ordinal = jobs.ordinal AND COALESCE(s.reason, '') <> :erased)"""
#: Sends that were over before a moment: when they were claimed, or went out.
OVER: Final = """
    SELECT s.message, s.revision, s.number
    FROM sends s JOIN jobs j ON j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal
    WHERE COALESCE(j.send_at, j.claimed_at) <= :before AND COALESCE(s.reason, '') <> :erased
      AND s.state NOT IN ('notSent', 'cancelled')
    ORDER BY s.message, s.revision, s.number"""


def erase(open_states: tuple[str, ...]) -> str:
    """Erase who got one send, unless it is in one of these states."""
    return _ERASE.format(open=", ".join(f"'{state}'" for state in open_states))
