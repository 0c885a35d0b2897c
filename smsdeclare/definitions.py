"""Definitions: what the user wrote, checked and frozen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare.canonical import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, time
    from pathlib import Path

    from smsdeclare.diagnostics import Diagnostic, Span
    from smsdeclare.template import Template


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class QuietHours(NamedTuple):
    """When nothing goes out, by the clock on the wall of one zone, or of each receiver's own."""

    #: IANA name; None: of each receiver's country.
    zone: str | None
    #: None, as the next: no hours, days alone.
    begins: time | None = None
    #: Of the next day where it is not after `begins`.
    ends: time | None = None
    #: Quiet as a whole; 0 is Monday.
    days: frozenset[int] = frozenset()
    #: ISO 3166 alpha-2 of the country whose public holidays are quiet as a whole.
    holidays: str | None = None
    #: What falls into them waits for their end; else the plan is refused.
    delays: bool = True
    span: Span | None = None

    def __str__(self) -> str:
        hours = f"{self.begins:%H:%M} to {self.ends:%H:%M}" if self.begins and self.ends else ""
        days = " ".join(_DAYS[day] for day in sorted(self.days))
        holidays = f"holidays of {self.holidays}" if self.holidays else ""
        where = self.zone or "where the receiver is"
        return f"{', '.join(one for one in (hours, days, holidays) if one)} ({where})"


class ProviderSettings(NamedTuple):
    """Who sends."""

    name: str
    endpoint: str | None
    service: str | None
    receivers_per_job: int
    #: None: as fast as the provider lets.
    requests_per_minute: int | None
    #: Whose rates count, ISO 3166 alpha-2; None: those that the provider answers with unasked.
    billing_country: str | None = None
    #: When it holds advertising, as the project sees it; None: by the strictest of OVHcloud's pages.
    advertising_hold: QuietHours | None = None
    #: Whether the project says that it holds none.
    never_holds: bool = False


class StateSettings(NamedTuple):
    """Where the record of what was sent is kept."""

    backend: str
    path: str | None
    #: Of a database; None: one that is named after the project.
    schema: str | None
    allow_local_in_ci: bool
    #: A remote of the project's Git repository or a URL, and the branch there.
    remote: str = "origin"
    branch: str = "smsdeclare-state"
    #: Whether hashes stand in it in place of numbers; None: as it is.
    hashes_numbers: bool | None = None
    #: Whether what is kept elsewhere as a file is encrypted.
    is_encrypted: bool = True


class Limit(NamedTuple):
    """At most so many, or such a share of all."""

    value: float
    is_share: bool
    #: Where it stands; None for the default.
    span: Span | None = None

    def allows(self, count: int, of: int) -> bool:
        """Whether `count` of so many is within it."""
        return count <= (self.value * of if self.is_share else self.value)

    def __str__(self) -> str:
        return f"{self.value:.0%}" if self.is_share else f"{self.value:g}"


#: In `policy.allowedSenders`: the short number that receivers can reply to. No sender is that long.
SHORT_NUMBER = "senderForResponse"

#: Away from loopback absence counts no sooner: a signature is taken for ten minutes at most, an SMS is made within one
#: and listed within five.
SOONEST = timedelta(minutes=20)


class SettleSettings(NamedTuple):
    """When what the provider does not list counts as not sent."""

    after: timedelta = timedelta(minutes=30)
    #: notSent or ask; None: notSent where requests are signed, else ask.
    absence: str | None = None
    span: Span | None = None


class Policy(NamedTuple):
    """Rules that a plan must keep; None, or empty, where none is set. Of several of a kind all must be kept."""

    #: Per plan.
    max_credits: float | None = None
    #: Sends per plan.
    max_receivers: int | None = None
    #: Per SMS.
    max_parts: int | None = None
    #: ISO 3166 alpha-2; receivers elsewhere are skipped.
    allowed_countries: frozenset[str] | None = None
    #: Receivers lists; who is not in all of them is skipped.
    only_receivers: tuple[str, ...] = ()
    #: Receivers lists; nothing is posted to who is in one of them.
    opt_out: tuple[str, ...] = ()
    #: Senders, and SHORT_NUMBER.
    allowed_senders: frozenset[str] | None = None
    #: No message without OVHcloud's STOP clause.
    require_stop_clause: bool = False
    #: No text in Unicode.
    gsm7_only: bool = False
    quiet_hours: tuple[QuietHours, ...] = ()
    #: Of a message's rows, how many may be no number.
    max_skipped: tuple[Limit, ...] = ()
    #: Of a message's scheduled sends, how many may be taken back because their receivers left.
    max_left: tuple[Limit, ...] = ()
    #: Rule, by its name in YAML → where it stands.
    spans: Mapping[str, Span] = {}


class InlineReceiver(NamedTuple):
    """A receiver that stands in YAML."""

    #: E.164.
    number: str
    #: ISO 3166 alpha-2, or None where the prefix has no country.
    country: str | None
    values: Mapping[str, str]
    span: Span


class CsvSource(NamedTuple):
    """A CSV file of receivers."""

    path: Path
    #: As the user would type it, relative to the project's folder.
    shown: str
    span: Span
    number_column: str
    delimiter: str | None
    #: Column → texts of which a trimmed cell must equal one.
    where: Mapping[str, tuple[str, ...]]


class ReceiversList(NamedTuple):
    """Receivers under a name: one of numbers, a CSV file, a union."""

    name: str
    span: Span
    default_country: str | None
    numbers: tuple[InlineReceiver, ...] = ()
    csv: CsvSource | None = None
    union: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class Times(NamedTuple):
    """When a message goes out and when it is too late; all moments are timezone-aware."""

    #: None: at once.
    send_at: datetime | None = None
    #: Nothing is sent after this; None: nothing is too late. Unwritten it is an hour after `send_at`.
    expires_at: datetime | None = None
    #: Whether the project says so itself, which also keeps the revision open.
    never_expires: bool = False
    #: What the user wrote, by its name in YAML; approvals are given to this and not to the clock.
    written: Mapping[str, str] = {}


class Message(NamedTuple):
    """One message: a text to receivers, with options."""

    name: str
    span: Span
    text: str
    text_span: Span
    template: Template
    #: Names of receivers lists, and receivers given by number, in the order of the file.
    to: tuple[str | InlineReceiver, ...]
    to_span: Span
    excluded: tuple[str, ...]
    #: OVHcloud's own option names → values, as they are posted.
    options: Mapping[str, Any]
    revision: int
    #: The name whose history it takes along; `none` where it has no earlier name on purpose.
    renamed_from: str | None
    times: Times
    #: Credits that this revision may take in all.
    max_credits: float | None
    #: Option → where it stands.
    option_spans: Mapping[str, Span] = {}
    #: Whether GSM characters that look alike replace those that would force Unicode.
    normalizes: bool = False

    @property
    def sender(self) -> str | None:
        """Who it is from; None for the short number, which wins over a sender and is OVHcloud's default."""
        return None if self.options.get("senderForResponse") is True else self.options.get("sender")

    @property
    def template_digest(self) -> str:
        """Digest of the text as written: tells a renamed message from a new one."""
        return sha256_hex(self.text.encode())

    @property
    def address(self) -> str:
        """`message.order-shipped@1`."""
        return f"message.{self.name}@{self.revision}"


class Definitions(NamedTuple):
    """A project as its files describe it."""

    project: str
    folder: Path
    #: The root file's name, `smsdeclare.yaml`.
    root_file: str
    timezone: str
    provider: ProviderSettings
    state: StateSettings
    settle: SettleSettings
    policy: Policy
    #: Those that have a value.
    variables: Mapping[str, str]
    receivers: Mapping[str, ReceiversList]
    #: The enabled ones, ordered by name.
    messages: tuple[Message, ...]
    #: The names of all messages in the files, those that are not enabled too.
    names: frozenset[str] = frozenset()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def enabled(self) -> frozenset[str]:
        """The names of the messages that count."""
        return frozenset(message.name for message in self.messages)
