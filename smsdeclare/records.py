"""What a ledger holds, as values: bindings, intents, claims, outcomes, records."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smsdeclare.states import State

#: What stands in place of a number that is not kept begins with it.
HASH_MARK = "#"
#: The reason of a send whose receiver was erased.
ERASED = "erased"
_CROCKFORD = str.maketrans("abcdefghijklmnopqrstuvwxyz234567", "0123456789abcdefghjkmnpqrstvwxyz")


class Binding(NamedTuple):
    """What a ledger belongs to; fixed by its first write."""

    project: str
    provider: str
    endpoint: str
    service: str


class Stopped(NamedTuple):
    """A stop: nothing more is posted until somebody resumes."""

    reason: str
    #: Who, as far as the machine knows.
    actor: str
    #: RFC 3339 in UTC.
    at: str


class Move(NamedTuple):
    """That a state goes elsewhere."""

    #: The place, as people call it.
    to: str
    #: Who, as far as the machine knows.
    actor: str
    #: RFC 3339 in UTC.
    at: str
    #: Whether it has arrived.
    is_done: bool = False


class Lease(NamedTuple):
    """Who is at work on a state. It saves work and gives good messages; safety never rests on it."""

    #: Tells two runs of one process apart.
    holder: str
    #: Who, as far as the machine knows.
    actor: str
    host: str
    pid: int
    #: Address of the CI job; None outside CI.
    ci: str | None
    #: RFC 3339 in UTC, as is the next.
    since: str
    #: When it runs out unless it is renewed.
    until: str
    #: Digest of the plan that is carried out; None where that is nobody else's business.
    digest: str | None = None


class Key(NamedTuple):
    """What a send is known by."""

    message: str
    revision: int
    #: E.164, or what stands in its place.
    number: str

    @property
    def address(self) -> str:
        """The address of its message, `message.order-shipped@1`."""
        return f"message.{self.message}@{self.revision}"


class Tally(NamedTuple):
    """How many sends of a revision stand in one state."""

    message: str
    revision: int
    state: State
    sends: int


class Spending(NamedTuple):
    """What the jobs of a revision that were claimed on one day took."""

    message: str
    revision: int
    #: In UTC, `2026-12-01`.
    day: str
    credits: float


#: What is written beside a send that `stop --cancel` took back: only `resend` frees it.
STOP = "stop"


class Known(NamedTuple):
    """What comparing needs of a send on record. A tuple, since there may be a million."""

    number: str
    state: State
    #: How often `resend` freed it.
    resends: int
    #: Digest of the text of its latest job.
    text_digest: str
    #: Digest of the plan under which it was last claimed.
    plan_digest: str
    #: Under what it was last taken back: the digest of a plan, or `stop`; None where it never was.
    taken_back: str | None = None
    #: Of its latest job: canonical JSON of the options, and of the times as resolved (None in old states).
    options: str = "{}"
    times: str | None = None
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None = None


class Record(NamedTuple):
    """All that is on record of one send, for people."""

    message: str
    revision: int
    number: str
    state: State
    #: How often it was claimed.
    attempts: int
    reason: str | None
    #: The provider's id, where it is certain which id is whose.
    id: int | None
    credits: float | None
    #: RFC 3339 in UTC, as are the next two.
    claimed_at: str
    accepted_at: str | None
    delivered_at: str | None
    send_at: str | None

    @property
    def address(self) -> str:
        """The address of its message, `message.order-shipped@1`."""
        return f"message.{self.message}@{self.revision}"

    @property
    def receiver(self) -> str | None:
        """Its number, in E.164; None where it is not kept."""
        return None if self.number.startswith(HASH_MARK) else self.number


class Intent(NamedTuple):
    """What a run wants to post; written down before the POST."""

    message: str
    revision: int
    #: E.164, ascending: rows are taken in one order by all, so that two claims never wait for each other.
    numbers: tuple[str, ...]
    text_digest: str
    #: Digest of the message's text as written.
    template_digest: str
    #: Canonical JSON of the options, and of the times as resolved.
    options: str
    plan_digest: str
    #: RFC 3339 in UTC.
    claimed_at: str
    #: Credits that it will take, by the plan; counted until the provider says its own figure.
    estimate: float = 0.0
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None = None
    times: str | None = None


class Claim(NamedTuple):
    """Sends that are this run's alone, under one job."""

    message: str
    revision: int
    #: Counts the jobs of a message's revision from 1; with these two it is the job's key.
    ordinal: int
    tag: str
    numbers: tuple[str, ...]
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None = None


class Outcome(NamedTuple):
    """What became of a claim."""

    #: Each number of the claim with its new state.
    states: Mapping[str, State]
    #: RFC 3339 in UTC.
    at: str
    #: Why, for each state that needs a reason.
    reasons: Mapping[State, str] = {}
    credits: float | None = None
    ids: Sequence[int] = ()
    query_id: str | None = None


class Posted(NamedTuple):
    """A job on record, with those of its sends that were asked for."""

    message: str
    revision: int
    #: With the two above, its key.
    ordinal: int
    tag: str
    #: RFC 3339 in UTC.
    claimed_at: str
    #: The provider takes the request only shortly after this. Epoch seconds on its clock.
    not_after: int
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None
    #: When its report was on hand; None where none came. RFC 3339 in UTC.
    answered_at: str | None
    #: The ids of the provider's report, in no known order.
    ids: tuple[int, ...]
    #: Number, or what stands in its place → where it stands.
    states: Mapping[str, State]

    @property
    def address(self) -> str:
        """The address of its message, `message.order-shipped@1`."""
        return f"message.{self.message}@{self.revision}"

    @property
    def key(self) -> dict[str, str | int]:
        """Its key, by the names of its columns."""
        return {"message": self.message, "revision": self.revision, "ordinal": self.ordinal}


class Taken(NamedTuple):
    """An SMS of ours that the provider lists as sent."""

    id: int
    credits: float | None


class Evidence(NamedTuple):
    """What a look at the provider says about sends of one job; whoever is in neither stays unknown."""

    #: RFC 3339 in UTC.
    at: str
    #: Number → its SMS.
    taken: Mapping[str, Taken] = {}
    #: Who is proved to have no SMS, and to get none by that request any more.
    absent: frozenset[str] = frozenset()
    #: Why, for the absent.
    reason: str = ""


class Moved(NamedTuple):
    """How many sends a look moved."""

    taken: int
    freed: int


class Receipt(NamedTuple):
    """What the operator says of one SMS."""

    delivered: bool
    #: RFC 3339 in UTC, where it is known.
    at: str | None
    #: Why it failed; None where it was delivered.
    reason: str | None


def ref(secret: bytes, message: str, revision: int, number: str) -> str:
    """The short name of a send beside its masked number: eight characters of Crockford's base32."""
    digest = hmac.new(secret, f"{message}@{revision}/{number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:5]).decode().lower().translate(_CROCKFORD)
