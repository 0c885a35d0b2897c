"""Ask the provider what the rules leave open: rates of destinations, and parts of texts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from smsdeclare import codes
from smsdeclare.encoding import measure
from smsdeclare.errors import ProviderError
from smsdeclare.rates import DESTINATIONS, Rate, Rates, sender_types, sharing, stop_clause
from smsdeclare.sends import priced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from smsdeclare.columns import Sends, Text
    from smsdeclare.planning import Draft
    from smsdeclare.provider import Provider
    from smsdeclare.sends import MessageSends

_Answer = TypeVar("_Answer")
#: What else the count of a text depends on: whether it may get the STOP clause, and what its sender may be taken for.
_Kind = tuple[bool, tuple[str, ...]]

#: So many questions about texts a plan may ask; what is left of them stays in doubt.
_ESTIMATES = 100


class Quotes:
    """What the provider has answered in this run; nothing is asked twice."""

    def __init__(self, provider: Provider, billed_in: str | None, known: Mapping[str, Rate]) -> None:
        self._provider = provider
        self._billed_in = billed_in
        #: What is known from earlier, for where the provider does not answer.
        self._known = known
        self._answered: dict[str, Rate] = {}
        self._asked: set[str] = set()
        #: What a text's parts depend on, and the type of sender → the provider's count; None where it gave none.
        self._parts: dict[tuple[Any, ...], int | None] = {}
        self._may_estimate = True
        self._is_deaf = False

    @property
    def answered(self) -> Mapping[str, float]:
        """Credits a part by destination, as the provider said in this run."""
        return {country: rate.credits for country, rate in self._answered.items()}

    def drafted(self, expanded: Iterable[MessageSends], work_out: Callable[[Sequence[MessageSends]], Draft]) -> Draft:
        """A draft at the provider's rates, and with its count of parts where the rules leave doubt."""
        found = list(expanded)
        rates = self._rates(found)
        draft = work_out([priced(one, rates, {}) for one in found])
        settled = self._estimates(draft.doubtful)
        if not settled:
            return draft
        return work_out([priced(one, rates, settled.get(_kind(one.message.options), {})) for one in found])

    def _rates(self, expanded: Iterable[MessageSends]) -> Rates:
        """The rates of all destinations that occur."""
        wanted = {country for one in expanded for country in _destinations(one)}
        for country in sorted(wanted - self._asked):
            self._asked.add(country)
            rate = self._ask(partial(self._provider.rate, country, self._billed_in))
            if rate is not None:
                self._answered[country] = Rate(rate, exact=True)
        return Rates({**self._known, **self._answered})

    def _estimates(self, doubtful: Iterable[tuple[Sends, Mapping[str, Any]]]) -> dict[_Kind, dict[str, int]]:
        """Kind → digest of a text → parts, where all its types of sender come to the same."""
        settled: dict[_Kind, dict[str, int]] = {}
        for sends, options in doubtful:
            advertises, types = _kind(options)
            for text in sends.each_text():
                counts = {self._estimate(text, one, advertises=advertises) for one in types}
                parts = counts.pop()
                if not counts and parts is not None:
                    settled.setdefault((advertises, types), {})[text.digest] = parts
                if self._is_futile:
                    return settled
        return settled

    @property
    def _is_futile(self) -> bool:
        """Whether nothing more may be asked, and no answer is there that could serve for one more text."""
        return not self._may_estimate and all(parts is None for parts in self._parts.values())

    def _estimate(self, text: Text, sender_type: str, *, advertises: bool) -> int | None:
        """One question for all texts that count alike by the rules: most of a message's are of a few lengths."""
        key = (measure(text.text), text.bill, sender_type, advertises)
        if key not in self._parts:
            may_ask = self._may_estimate and len(self._parts) < _ESTIMATES
            question = partial(self._provider.estimate, text.text, sender_type, advertises=advertises)
            self._parts[key] = self._ask(question) if may_ask else None
            # Who may not ask once may not ask at all.
            self._may_estimate = may_ask and self._parts[key] is not None
        return self._parts[key]

    def _ask(self, question: Callable[[], _Answer | None]) -> _Answer | None:
        """An answer, or None: no plan fails for want of one. Where nobody is reached nothing more is asked."""
        if self._is_deaf:
            return None
        try:
            return question()
        except ProviderError as error:
            self._is_deaf = any(one.code is codes.PROVIDER_UNREACHABLE for one in error.diagnostics)
            return None


def _kind(options: Mapping[str, Any]) -> _Kind:
    return stop_clause(options) != "none", sender_types(options)


def _destinations(one: MessageSends) -> Iterator[str]:
    """Where a message goes; for a number whose country has no rate of its own, all that share its prefix."""
    for place in one.sends.every_place:
        if place.country in DESTINATIONS:
            yield place.country
        else:
            yield from sharing(place.prefix)
