"""Contract: Accepted, Refused, Unreached; the exception InDoubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from smsdeclare import codes
from smsdeclare.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from smsdeclare.codes import Code
    from smsdeclare.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the request and said what became of each receiver."""

    #: E.164.
    valid: tuple[str, ...]
    #: As the provider spells them where they are no E.164 number.
    invalid: tuple[str, ...]
    ids: tuple[int, ...]
    credits: float | None
    query_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider answered, in its own words, that it did not take the request: nothing was sent."""

    status: int
    #: What kind of refusal it is.
    code: Code
    #: The provider's own words, safe to show.
    message: str
    #: What to do next; empty where the code's help says it all.
    advice: str
    query_id: str
    #: How long the provider asks to wait; None where it does not say. Seconds.
    wait: float | None = None

    @property
    def ends_run(self) -> bool:
        """Whether the next request would be refused as well; only a bad request is one message's own affair."""
        return self.status != 400 or self.code in (codes.CLOCK_REFUSED, codes.SIGNATURE_REFUSED, codes.CREDITS_SHORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """No byte of the request left this machine: nothing was sent."""

    reason: str


@dataclass(eq=False)
class InDoubt(Exception):
    """The request may have been taken. Raised, so that nobody mistakes it for an answer."""

    reason: str
    query_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A signed request: these bytes, posted once, never signed again."""

    url: str
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    #: The signature's own time. Epoch seconds on the provider's clock.
    not_after: int
    #: When it was signed. Seconds of the monotonic clock.
    signed_at: float
    #: sha256 of the body, hexadecimal.
    body_digest: str
    #: Whether the provider may hold it although no time is wanted, as it does with advertising at night.
    may_be_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One SMS in a list of the provider."""

    #: In that list: that it is the one of a report is not documented.
    id: int
    #: E.164 where it is a number.
    receiver: str
    #: None in the list of what is held, which knows no tags.
    tag: str | None
    #: Timezone-aware; None where it can't be read, as is the next.
    created_at: datetime | None
    delivered_at: datetime | None
    #: The operator's receipt: 1 delivered, 2 and 16 failed, anything else is not final.
    receipt: int
    #: Detail of the receipt, in one of two numberings.
    ptt: int
    credits: float | None


class Forbidden(ProviderError):
    """The credentials lack the right for this one call, or the provider does not offer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One SMS account of the provider."""

    service: str
    #: None where the credentials may not ask.
    credits_left: float | None
    #: Sender → its status, as the provider words it; None where the credentials may not ask.
    senders: Mapping[str, str] | None


class Provider(Protocol):
    """Who sends. Only `submit` may create an SMS."""

    def service(self) -> str:
        """The SMS account in use, found where it is not named; raises ProviderError."""
        ...

    def accounts(self) -> Sequence[Account]:
        """Every SMS account of these credentials; raises ProviderError."""
        ...

    def credits_left(self) -> float | None:
        """Credits on the account; None where the credentials may not ask."""
        ...

    def rate(self, country: str, billed_in: str | None) -> float | None:
        """Credits a part for a destination, by the rates of an account billed in that country.

        None where the answer does not say; raises ProviderError.
        """
        ...

    def estimate(self, text: str, sender_type: str, *, advertises: bool) -> int | None:
        """Parts of an advertising text from such a sender (`sms.TypeSenderEnum`), by the provider's own count.

        None where the answer does not say; raises ProviderError, Forbidden without the right.
        """
        ...

    def senders(self, wanted: Collection[str]) -> Mapping[str, str | None]:
        """The account's senders, the wanted ones with their status; raises ProviderError, Forbidden without the right.

        A status is None where it was not asked for, or may not be.
        """
        ...

    def blacklist(self) -> frozenset[str]:
        """Who may not be written to, in E.164; raises ProviderError, Forbidden without the right."""
        ...

    def now(self) -> datetime:
        """The provider's time as far as it is known, else this machine's; timezone-aware."""
        ...

    def connect(self) -> None:
        """Open this thread's line and learn the provider's time; raises ProviderError."""
        ...

    def open_until(self) -> float:
        """Until when a request may go over this thread's line without `connect`; on the monotonic clock."""
        ...

    def prepare(self, job: Job, tag: str, numbers: tuple[str, ...]) -> Prepared:
        """Build and sign the request for these receivers of the job. No network."""
        ...

    def time(self) -> datetime:
        """The provider's time, asked anew; raises ProviderError."""
        ...

    def held(self) -> Sequence[Listed]:
        """What the provider holds and has not sent yet; raises ProviderError, Forbidden without the right."""
        ...

    def sent(self, tag: str, since: datetime | None = None) -> Sequence[Listed]:
        """What the provider sent under a tag since a moment, checked here and not only there.

        Raises ProviderError, Forbidden without the right.
        """
        ...

    def take_back(self, sms: int) -> bool:
        """Ask for one of the held to be dropped; may be repeated. Whether it was held until now.

        Raises ProviderError where the answer got lost, Forbidden without the right.
        """
        ...

    def submit(self, prepared: Prepared) -> Accepted | Refused | Unreached:
        """Post it, once. Raises InDoubt where it may have been taken and the answer does not say."""
        ...
