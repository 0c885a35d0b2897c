"""What one simulated world is like: accounts, credentials, and a switch for everything OVHcloud doesn't say.

A comment that begins with UNKNOWN marks a point on which no public source speaks, or on which they disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: `/sms/*` does not cover `/sms`, so both are granted.
ALL_RULES = tuple(
    (method, path) for method in ("GET", "POST", "PUT", "DELETE") for path in ("/sms", "/sms/*", "/auth/*")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An application, its secret, and one consumer key with the calls granted to it."""

    application_key: str = "sandbox-app-0001"
    application_secret: str = field(default="sandbox-secret-00000000000000001", repr=False)
    consumer_key: str = field(default="sandbox-consumer-000000000000001", repr=False)
    #: Method and path; `*` stands for any run of characters.
    rules: tuple[tuple[str, str], ...] = ALL_RULES
    state: Literal["expired", "pendingValidation", "refused", "validated"] = "validated"
    #: RFC 3339; None: it stays good.
    expiration: str | None = None
    #: Blocks of addresses from which it may be used; None: from anywhere. This world does not look.
    allowed_ips: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A sender of an account."""

    name: str
    type: Literal["alpha", "numeric", "shortcode", "virtual", "time2chat"] = "alpha"
    status: Literal["disable", "enable", "refused", "waitingValidation"] = "enable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An SMS account. `credits` is the balance before the first SMS of the journal."""

    name: str = "sms-ab12345-1"
    credits: float = 1000.0
    status: Literal["disable", "enable"] = "enable"
    channel: Literal["both", "marketing", "transactional"] = "both"
    senders: tuple[Sender, ...] = (Sender(name="SMSDECLARE"),)
    #: Numbers that answered STOP, in `+` form.
    blacklist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One world. The defaults are strict: what passes here leans on nothing unproven about the real API."""

    services: tuple[Service, ...] = (Service(),)

    # Authentication
    credentials: tuple[Credential, ...] = (Credential(),)
    #: OAuth2 access tokens that are valid now.
    bearer_tokens: tuple[str, ...] = ()
    #: Scheme and host that clients call, `https://eu.api.ovh.com`; empty: `http://` and the Host header.
    origin: str = ""
    #: The server's clock less the caller's true time. Seconds.
    clock_ahead: float = 0.0
    #: UNKNOWN: how old a signature may be, either way. Seconds.
    signature_window: float = 180.0
    #: UNKNOWN: which of the two error shapes seen in the wild the gateway answers with.
    error_shape: Literal["errorCode", "class"] = "errorCode"
    #: What a call with a consumer key that nobody has granted yet is answered; both are seen in the wild.
    pending_answer: Literal["INVALID_CREDENTIAL", "INVALID_SIGNATURE"] = "INVALID_CREDENTIAL"
    #: UNKNOWN: whether a key may look at itself without a rule that covers it.
    own_credential_open: bool = False

    # POST jobs: what is refused
    #: UNKNOWN: an unknown field may be refused or ignored.
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    #: UNKNOWN: `null` for a field may count as wrong or as absent.
    null_is_absent: bool = False
    #: Every sender counts as validated; for a world without accounts.
    any_sender: bool = False
    #: UNKNOWN: the status for an unknown or unvalidated sender; the text is known.
    sender_status: int = 403
    #: UNKNOWN: what happens with neither `sender` nor `senderForResponse`.
    no_sender: Literal["shortcode", "refuse"] = "shortcode"
    #: The number shown for `senderForResponse`. UNKNOWN: which one; five digits are documented.
    short_number: str = "38069"
    #: UNKNOWN: what exactly counts as contact information with a short number; False lets all pass.
    contact_check: bool = True
    #: UNKNOWN: 20 characters come from http2sms; None: no limit.
    tag_limit: int | None = 20
    #: UNKNOWN: numbers per POST; None: no limit.
    max_receivers: int | None = None
    #: UNKNOWN: parts per SMS (the FAQ speaks of 6); None: no limit.
    max_parts: int | None = None
    #: UNKNOWN: longest `differedPeriod`. Minutes; None: no limit.
    max_differed_minutes: int | None = None
    #: UNKNOWN: status and text when the credits don't suffice. The POST is refused as a whole.
    no_credits_status: int = 403
    no_credits_message: str = "Not enough credits left"

    # POST jobs: the report
    #: UNKNOWN: a number standing twice in one POST: an SMS each, one SMS, or the second is invalid.
    duplicates: Literal["each", "once", "invalid"] = "each"
    #: UNKNOWN: a blacklisted number: in `invalidReceivers`, or accepted and then failed (ptt 53).
    blacklisted: Literal["invalid", "fails"] = "invalid"
    #: Receivers (`+` form) that can't be reached although their numbers are well formed: in `invalidReceivers`.
    unreachable: tuple[str, ...] = ()
    #: UNKNOWN: how `validReceivers` spells a number that came as `0033…`.
    echo: Literal["+", "00", "as sent"] = "+"
    #: UNKNOWN: whether `ids` stand in the order of `validReceivers`; False reverses them.
    ids_in_order: bool = False
    #: Older answers lack the tag.
    report_tag: bool = True
    #: UNKNOWN: one schema edition has `creditsLeft` in the report.
    report_credits_left: bool = False

    # Parts and credits
    #: Credits a part by dialing prefix without `+`; the longest one wins.
    rates: Mapping[str, float] = field(default_factory=lambda: {"33": 1.0})
    default_rate: float = 1.0
    #: The same for accounts billed in a country (`sms.BillingCountryEnum`), where it differs.
    billed_rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: UNKNOWN: the country of billing whose rates are told where none is asked for; the accounts are billed in it.
    billing_country: str = "fr"
    #: UNKNOWN: whether numeric, virtual and short senders get the STOP clause too.
    stop_for_all_senders: bool = False
    #: UNKNOWN: own characters that fit in two 7-bit parts beside a STOP clause.
    stop_limit: Literal[295, 302] = 295
    #: UNKNOWN: whether an escape or surrogate pair moves to the next part as a whole.
    whole_characters: bool = True
    #: UNKNOWN: whether `POST /sms/estimate` counts the clause among `characters`.
    estimate_counts_stop: bool = True
    #: UNKNOWN: whether canceling gives the credits back.
    cancel_refunds: bool = True

    # The two lists
    #: UNKNOWN: an SMS stands in `jobs` this long even without `differedPeriod`. Seconds.
    processing_seconds: float = 0.0
    #: UNKNOWN: an SMS that waits shows in `jobs` this long after it was posted. Seconds.
    jobs_lag: float = 0.0
    #: UNKNOWN: an SMS shows in `outgoing` this long after it was sent. Seconds.
    list_lag: float = 0.0
    #: UNKNOWN: one that stood in `jobs` is in neither list this long, beside `list_lag`; negative: in both.
    lists_gap: float = 0.0
    #: UNKNOWN: whether the id in `jobs` is the one of the report; this is added to it.
    jobs_id_shift: int = 0
    #: UNKNOWN: whether the id in `outgoing` is the one of the report; this is added to it.
    outgoing_id_shift: int = 0
    #: UNKNOWN: order of `outgoing`.
    outgoing_order: Literal["oldest first", "newest first"] = "oldest first"
    #: UNKNOWN: how many SMS `outgoing` lists at most; None: all.
    outgoing_cap: int | None = None
    #: UNKNOWN: SMS older than this are forgotten. Days; None: never.
    retention_days: float | None = None
    #: Filters of `outgoing` that the server accepts and does not apply: no source proves that it does.
    ignored_filters: frozenset[str] = frozenset()
    #: UNKNOWN: how the lists spell numbers.
    listed_numbers: Literal["+", "00"] = "+"
    #: UNKNOWN: whether a delivered text shows its STOP clause in the lists.
    message_shows_stop: bool = False
    #: UNKNOWN: the offset in which datetimes are written. Minutes east of UTC.
    utc_offset_minutes: int = 60
    #: UNKNOWN: whether `X-Ovh-Batch` works with signed calls.
    batch_get: bool = True
    #: UNKNOWN: the elements of a batch answer: `{"key", "value", "error"}` or the bare object (null: none).
    batch_elements: Literal["keyed", "bare"] = "keyed"
    #: UNKNOWN: whether `X-Pagination-Mode: CachedObjectList-Pages` works with signed calls.
    object_lists: bool = True

    # Delivery
    #: From sending to the operator's receipt. Seconds; None: no receipt ever comes.
    delivery_seconds: float | None = 5.0
    #: UNKNOWN: `ptt` before any receipt.
    ptt_before_receipt: int = 0
    #: Receivers (`+` form) whose SMS fail, and the ptt they fail with.
    failures: Mapping[str, int] = field(default_factory=dict)
    #: UNKNOWN: hours (from, to), in the offset above, in which SMS with a STOP clause go out; others wait
    #: in `jobs`. None: no hold.
    marketing_hours: tuple[int, int] | None = None
    #: UNKNOWN: their days; 0 is Monday.
    marketing_days: tuple[int, ...] = (0, 1, 2, 3, 4, 5)

    # Replies
    #: How long a short number can be answered. Hours after the SMS; None: for ever.
    reply_hours: float | None = 48.0
    #: UNKNOWN: what a reply costs; at least a credit is documented. Credits a part.
    reply_rate: float = 1.0

    # Overload
    #: UNKNOWN: `Retry-After` of a 429; empty: no such header.
    retry_after: str = ""

    def service(self, name: str) -> Service | None:
        """The account of that name."""
        return next((service for service in self.services if service.name == name), None)

    def rate(self, digits: str, billing: str | None = None) -> float:
        """Credits a part for a number or prefix without `+`, as the accounts are billed or as in another country."""
        others = self.billed_rates.get(billing or self.billing_country)
        rates = {**self.rates, **others} if others else self.rates
        prefixes = (prefix for prefix in rates if digits.startswith(prefix))
        longest = max(prefixes, key=len, default=None)
        return self.default_rate if longest is None else rates[longest]
