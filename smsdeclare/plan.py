"""Plan: what a run would do, to and from JSON, and its canonical digest."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare.canonical import canonical
from smsdeclare.decisions import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from smsdeclare.compare import Withdrawal
    from smsdeclare.decisions import Decisions
    from smsdeclare.definitions import Message

FORMAT_VERSION = "1.0"
_LINES_AT_ONCE = 100


class Change(NamedTuple):
    """One action for some receivers of one message."""

    address: str
    action: Action
    #: How many.
    receivers: int
    #: RFC 3339 with offset; None: now.
    send_at: str | None
    posts: int
    #: gsm7, unicode or mixed.
    encoding: str
    #: How many sends of each encoding.
    encodings: Mapping[str, int]
    #: For one SMS: `{"min": 1, "max": 2}`.
    parts: Mapping[str, int]
    credits: float
    #: False: OVHcloud's published rules leave room, and `credits` is the larger figure.
    credits_exact: bool
    #: The text with a receiver's own values as ‹names›.
    sample: str
    #: How many receivers had an earlier text.
    edited_since_sent: int
    reason: str
    #: What `normalize` replaced, as `plan.v1.schema.json` has it; None where it replaced nothing.
    normalized: Mapping[str, Any] | None = None
    #: How many wait for the end of quiet hours.
    delayed: int = 0
    #: When the last of them goes out. RFC 3339 with offset.
    delayed_until: str | None = None
    #: Until when the provider may hold it as advertising, after the time above. RFC 3339 with offset.
    held_until: str | None = None


class SkippedRow(NamedTuple):
    """A row that no SMS goes to."""

    address: str
    ref: str | None
    file: str | None
    line: int | None
    code: str
    reason: str


class Warned(NamedTuple):
    """A warning, as plans carry it."""

    code: str
    message: str
    file: str | None
    line: int | None
    column: int | None


class Violation(NamedTuple):
    """A rule that the plan breaks."""

    rule: str
    limit: float | str
    actual: float | str
    #: The message that breaks it; None where the plan as a whole does.
    address: str | None
    #: Where the rule stands.
    file: str | None
    line: int | None
    #: Where the message has what breaks it.
    message_file: str | None = None
    message_line: int | None = None

    @property
    def told(self) -> str:
        """What is wrong, without the rule's name, on one line."""
        place = f"{self.message_file}:{self.message_line}" if self.message_file else ""
        who = " at ".join(one for one in (self.address, place) if one)
        if isinstance(self.actual, str):
            return f"{f'{who}: ' if who else ''}{self.actual}; the rule says {self.limit}"
        return f"{f'{who}: ' if who else ''}{self.actual:,.10g} is beyond {self.limit}"


class Summary(NamedTuple):
    """Counts of sends."""

    send: int = 0
    cancel: int = 0
    replace: int = 0
    keep: int = 0
    skip: int = 0
    missed: int = 0
    unknown: int = 0
    posts: int = 0
    #: How long the POSTs take at least, where the project says how many requests it makes a minute.
    seconds_at_least: float | None = None
    #: About how long they take where it does not: see window.about.
    seconds_about: tuple[float, float] | None = None
    credits: float = 0.0
    credits_left: float | None = None
    credits_after: float | None = None
    #: Whether `credits` is what the provider will take for sure.
    credits_exact: bool = True


class Plan(NamedTuple):
    """Permission, not instruction: counts, costs and a digest; no number, no value, no secret."""

    project: str
    provider: str
    endpoint: str
    service: str
    digest: str
    #: RFC 3339 in UTC.
    created_at: str
    changes: tuple[Change, ...]
    skipped: tuple[SkippedRow, ...]
    warnings: tuple[Warned, ...]
    violations: tuple[Violation, ...]
    summary: Summary
    #: Names of variables given from outside, with their values; they go with a saved plan.
    variables: Mapping[str, str]
    #: Addresses the plan was limited to.
    targets: tuple[str, ...] = ()

    @property
    def has_work(self) -> bool:
        """Whether something is to be done, unknown sends included."""
        summary = self.summary
        return bool(summary.send or summary.cancel or summary.replace or summary.unknown or summary.missed)


def with_texts(plan: Plan, texts: Mapping[str, str]) -> Plan:
    """The plan with one receiver's own text, by address, instead of each sample: to be looked at, never to be saved."""
    changes = (change._replace(sample=texts.get(change.address, change.sample)) for change in plan.changes)
    return plan._replace(changes=tuple(changes))


def digest(lines: Iterable[bytes]) -> str:
    """`sha256:…` over the canonical lines, which must come ordered by key."""
    total, left = hashlib.sha256(), iter(lines)
    # Each call takes as long as hashing a line does: of a million texts these are a tenth of a plan.
    while some := [*islice(left, _LINES_AT_ONCE)]:
        total.update(b"\n".join((*some, b"")))
    return f"sha256:{total.hexdigest()}"


def lines_of(message: Message, decisions: Decisions) -> Iterator[bytes]:
    """What is approved for each send, ordered by number: key, times freed, action, text, options, times as written.

    The canonical form of a list of these. Numbers, figures, actions and digests need no escapes, and the rest is the
    same for all sends of a message: put together it takes a tenth of the time.
    """
    head = canonical([message.name, message.revision])[:-1].decode()
    tail = canonical([dict(message.options), dict(message.times.written)])[1:].decode()
    middles = [f'",{each.resends},"{each.action.value}","' if each.is_wanted else None for each in decisions.verdicts]
    sends, latest, end = decisions.sends, None, ""
    for digits, text, verdict in zip(sends.digits, sends.texts, decisions.column, strict=True):
        middle = middles[verdict]
        if middle is not None:
            if text != latest:
                latest, end = text, f'{sends.digest(text)}",{tail}'
            yield f'{head},"+{digits}{middle}{end}'.encode()


def withdrawal_line(withdrawal: Withdrawal) -> bytes:
    """What is approved for one send that is taken back: of the text, options and times that it was sent with."""
    known = withdrawal.known
    return canonical(
        [
            withdrawal.message,
            withdrawal.revision,
            known.number,
            known.resends,
            Action.CANCEL.value,
            known.text_digest,
            json.loads(known.options),
            json.loads(known.times or "{}"),
        ]
    )


def lines(by_revision: Mapping[tuple[str, int], Iterable[bytes]], withdrawn: Iterable[Withdrawal]) -> Iterator[bytes]:
    """The lines of a digest, ordered by key.

    `by_revision` has lines of what is to be posted, ordered by number. That is the order of the lines themselves: those
    of a revision begin alike, and behind a number stands a quotation mark, which comes before all that a number or its
    hash is written with.
    """
    taken_back: dict[tuple[str, int], list[bytes]] = {}
    for each in withdrawn:
        taken_back.setdefault((each.message, each.revision), []).append(withdrawal_line(each))
    for key in sorted(by_revision.keys() | taken_back.keys()):
        yield from heapq.merge(by_revision.get(key, ()), sorted(taken_back.get(key, ())))


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as the contract's document; `from_json` reads it back."""
    return {"formatVersion": FORMAT_VERSION, **_document(plan)}


def from_json(document: Mapping[str, Any]) -> Plan:
    """A plan out of its document; raises KeyError, TypeError or ValueError where it is none."""
    if document["formatVersion"] != FORMAT_VERSION:
        raise ValueError(f"format {document['formatVersion']!r}")
    return Plan(
        **{
            **_read(Plan, document),
            "changes": tuple(
                Change(**{**_read(Change, change), "action": Action(change["action"])})
                for change in document["changes"]
            ),
            "skipped": tuple(SkippedRow(**_read(SkippedRow, row)) for row in document["skipped"]),
            "warnings": tuple(Warned(**_read(Warned, warning)) for warning in document["warnings"]),
            "violations": tuple(Violation(**_read(Violation, violation)) for violation in document["violations"]),
            "summary": Summary(**_read(Summary, document["summary"])),
            "targets": tuple(document["targets"]),
        }
    )


def _read(kind: type[NamedTuple], document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document; what an older version did not know has its default."""
    known = (name for name in kind._fields if name not in kind._field_defaults or _camel_name(name) in document)
    found = {name: document[_camel_name(name)] for name in known}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _document(value: Any) -> Any:
    """Fields under the names that the documents have; mappings keep their own keys."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, tuple):
        return value
    if hasattr(value, "_asdict"):
        return {_camel_name(name): _document(one) for name, one in value._asdict().items()}
    return [_document(one) for one in value]
