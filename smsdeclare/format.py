"""Contract: values → str."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from smsdeclare.redaction import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from smsdeclare.diagnostics import Diagnostic
    from smsdeclare.plan import Plan
    from smsdeclare.records import Stopped


class Style(NamedTuple):
    """How much may be shown, and how."""

    show_numbers: bool = False
    color: bool = False
    #: Of the terminal; None: what is shown is no terminal's, and lines are as long as they are.
    columns: int | None = None

    def masked(self, text: str) -> str:
        """Free text as it may be shown: what may be a number in it is masked, unless numbers were asked for."""
        return text if self.show_numbers else mask_text(text)


class SendRow(NamedTuple):
    """One send on record, as people see it."""

    address: str
    ref: str
    message: str
    revision: int
    #: Masked unless numbers may be shown; None where the state does not keep it.
    receiver: str | None
    status: str
    attempts: int
    id: int | None
    credits: float | None
    send_at: str | None
    accepted_at: str | None
    delivered_at: str | None
    reason: str | None
    #: When it was last claimed.
    since: str


class Standing(NamedTuple):
    """Where the sends of one revision stand."""

    address: str
    #: Status → how many; only those that occur.
    counts: Mapping[str, int]
    #: What its jobs took.
    credits: float
    #: Status, why, and how many; the most frequent first.
    reasons: Sequence[tuple[str, str, int]] = ()


class Overview(NamedTuple):
    """Where everything in a state stands, for a page that is read without the tool."""

    project: str
    provider: str
    #: The moment that it tells of; RFC 3339 in UTC.
    at: str
    standings: Sequence[Standing]
    #: Sends whose fate is open, as many as are worth listing.
    in_doubt: Sequence[SendRow]
    #: Day and credits, ascending.
    spent: Sequence[tuple[str, float]]
    stopped: Stopped | None


class Applied(NamedTuple):
    """What a run did."""

    #: None where no plan was carried out.
    digest: str | None
    #: The contract's counts, by their names.
    summary: dict[str, float]
    rejected: tuple[SendRow, ...]
    unknown: tuple[SendRow, ...]
    errors: tuple[Diagnostic, ...]
    #: What ran.
    title: str = "Apply"


class Format(Protocol):
    """A module of `formats/`. Every function returns the whole text, which ends with a line break.

    A command offers only the formats that have what it needs: all but `html` have `plan`.
    """

    def plan(self, plan: Plan, style: Style) -> str:
        """A plan, saved or fresh."""
        ...

    def applied(self, applied: Applied, style: Style) -> str:
        """What a run did."""
        ...

    def findings(
        self,
        found: Sequence[Diagnostic],
        style: Style,
        source: Callable[[str, int], str | None],
        *,
        valid: bool,
    ) -> str:
        """Errors and warnings; `valid` where there is no error.

        `source` gives a line of a file by name and number from 1, or None where it may not be shown.
        """
        ...

    def sends(self, rows: Sequence[SendRow], style: Style) -> str:
        """Sends on record."""
        ...
