"""When the sends of one message go out, by the clock of one moment: what a plan shows of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.clock import zone_of
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.phone import countries_of
from smsdeclare.quiet import NEVER_QUIET, Quiet, quiet_for
from smsdeclare.rates import stop_clause
from smsdeclare.schedule import Slot, slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from smsdeclare.columns import Place
    from smsdeclare.decisions import Group
    from smsdeclare.definitions import Definitions, Message, QuietHours


def quiet_of(definitions: Definitions, place: Place) -> Quiet:
    """The quiet hours that count for receivers in a place."""
    rules = definitions.policy.quiet_hours
    if not rules:
        return NEVER_QUIET
    countries = (place.country,) if place.country else countries_of(place.prefix)
    return quiet_for(rules, countries, definitions.timezone)


class Outlook(NamedTuple):
    """The times of some sends, as plans carry them: RFC 3339 with offset."""

    #: When the first of them goes out; None: now.
    first: str | None
    #: How many quiet hours delay, and when the last of these goes out.
    delayed: int
    delayed_until: str | None
    #: Until when the provider may hold them as advertising.
    held_until: str | None


NOTHING = Outlook(None, 0, None, None)


class Agenda:
    """Slots of the sends of one message: those to one place have the same."""

    def __init__(
        self,
        message: Message,
        now: datetime,
        zone: str,
        quiet_for: Callable[[Place], Quiet],
        hold: QuietHours | None,
    ) -> None:
        self.message = message
        self._now = now
        self._zone = zone_of(zone)
        self._quiet_for = quiet_for
        #: What is no advertising for sure is never held.
        self._hold = None if hold is None or stop_clause(message.options) == "none" else Quiet((hold,))
        self._slots: dict[Place, Slot] = {}

    def slot(self, place: Place) -> Slot:
        """When what goes to a place goes out if it is posted now."""
        found = self._slots.get(place)
        if found is None:
            found = slot(self.message.times, self.message.options, self._now, self._quiet_for(place))
            self._slots[place] = found
        return found

    def slots(self, groups: Iterable[Group]) -> Counter[Slot]:
        """The slots of some sends, each with how many have it."""
        found = Counter[Slot]()
        for group in groups:
            found[self.slot(group.price.place)] += group.size
        return found

    def delays(self, groups: Iterable[Group]) -> bool:
        """Whether quiet hours hold up one of them."""
        return any(each.is_delayed for each in self.slots(groups))

    def outlook(self, groups: Iterable[Group]) -> Outlook:
        """When they go out."""
        slots = self.slots(groups)
        delayed = {each: each.due for each in slots if each.is_delayed and each.due}
        if len(delayed) == len(slots) and delayed:
            first = self._shown(min(delayed.values()))
        else:
            # As the user wrote it, also where it has passed.
            written = self.message.times.send_at
            first = written.isoformat(timespec="seconds") if written else None
        return Outlook(
            first=first,
            delayed=sum(slots[each] for each in delayed),
            delayed_until=self._shown(max(delayed.values(), default=None)),
            held_until=self._shown(max(filter(None, map(self._held_until, slots)), default=None)),
        )

    def warnings(self, groups: Iterable[Group]) -> Iterator[Diagnostic]:
        """What goes wrong where the provider holds it as long as it may."""
        slots = self.slots(groups)
        ends = [(end, each.expires_at) for each in slots if (end := self._held_until(each)) and each.expires_at]
        if any(end > expires_at for end, expires_at in ends):
            detail = f"{self.message.address}: until {self._shown(max(end for end, _ in ends))}"
            yield Diagnostic(code=codes.HELD_TOO_LONG, detail=detail, span=self.message.span)

    def _held_until(self, at: Slot) -> datetime | None:
        """When the provider lets it go as advertising, where that is later than it is due."""
        due = at.due or self._now
        end = self._hold.end(due) if self._hold else None
        return end if end is not None and end > due else None

    def _shown(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self._zone).isoformat(timespec="seconds") if moment else None
