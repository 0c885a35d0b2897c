"""The `policy` of a project, and one from outside that tightens it → Policy."""

from __future__ import annotations

import operator
from datetime import time
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, phone
from smsdeclare.definitions import Limit, Policy, QuietHours
from smsdeclare.schedule import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smsdeclare.definitions import ReceiversList
    from smsdeclare.document import Document, Route
    from smsdeclare.reporter import Reporter

_SKIPPED = Limit(0.05, is_share=True)
_LEFT = Limit(0.3, is_share=True)
#: In `quietHours.timezone`: the zone of each receiver's country.
RECEIVER = "receiver"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _lower(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return other if one is None else one if other is None else one & other


#: Rule → its field, and the stricter of two.
_STRICTER: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "maxCredits": ("max_credits", _lower),
    "maxReceivers": ("max_receivers", _lower),
    "maxParts": ("max_parts", _lower),
    "allowedCountries": ("allowed_countries", _common),
    "allowedSenders": ("allowed_senders", _common),
    "requireStopClause": ("require_stop_clause", operator.or_),
    "gsm7Only": ("gsm7_only", operator.or_),
}


def policy_of(
    reporter: Reporter, document: Document, route: Route, receivers: Mapping[str, ReceiversList], zone: str
) -> Policy:
    """The rules at `route` of a document; `zone` is the project's, where quiet hours name none."""
    rules: Any = document.data or {}
    for step in route:
        rules = rules.get(step) or {}
    for rule in ("onlyReceivers", "optOut"):
        if rule in rules and rules[rule] not in receivers:
            reporter.unknown(document, (*route, rule), rules[rule], receivers, "receivers")
    countries = rules.get("allowedCountries")
    for place, country in enumerate(countries or ()):
        if not phone.is_country(country):
            reporter.report(
                codes.WRONG_VALUE, f"`{country}` is no country", document, (*route, "allowedCountries", place)
            )
    senders = rules.get("allowedSenders")
    spans = {rule: document.key_span((*route, rule)) for rule in rules}
    quiet = quiet_hours(reporter, document, (*route, "quietHours"), rules.get("quietHours"), zone)
    return Policy(
        max_credits=rules.get("maxCredits"),
        max_receivers=rules.get("maxReceivers"),
        max_parts=rules.get("maxParts"),
        allowed_countries=None if countries is None else frozenset(countries),
        only_receivers=(rules["onlyReceivers"],) if "onlyReceivers" in rules else (),
        opt_out=(rules["optOut"],) if "optOut" in rules else (),
        allowed_senders=None if senders is None else frozenset(senders),
        require_stop_clause=rules.get("requireStopClause", False),
        gsm7_only=rules.get("gsm7Only", False),
        quiet_hours=(quiet,) if quiet else (),
        max_skipped=tuple(_limits(rules, "maxSkipped", spans)),
        max_left=tuple(_limits(rules, "maxLeft", spans)),
        spans=spans,
    )


def with_defaults(policy: Policy) -> Policy:
    """The rules that hold where a project says nothing."""
    return policy._replace(max_skipped=policy.max_skipped or (_SKIPPED,), max_left=policy.max_left or (_LEFT,))


def tightened(reporter: Reporter, inside: Policy, outside: Policy) -> Policy:
    """Both policies in one: of each rule the stricter. What is looser outside changes nothing, and is reported."""
    spans = {**outside.spans, **inside.spans}
    stricter: dict[str, Any] = {}
    for rule, (name, both) in _STRICTER.items():
        mine, theirs = getattr(inside, name), getattr(outside, name)
        stricter[name] = both(mine, theirs)
        if rule not in outside.spans:
            continue
        if stricter[name] != mine:
            spans[rule] = outside.spans[rule]
        elif stricter[name] != theirs:
            reporter.no_effect(rule, outside.spans[rule], inside.spans[rule])
    for name in ("only_receivers", "opt_out", "quiet_hours", "max_skipped", "max_left"):
        # Lists of rules that must all be kept: nothing is taken away, so nothing becomes looser.
        stricter[name] = tuple(dict.fromkeys((*getattr(inside, name), *getattr(outside, name))))
    return inside._replace(**stricter, spans=spans)


def _limits(rules: Mapping[str, Any], rule: str, spans: Mapping[str, Any]) -> list[Limit]:
    """`5%` as a share of 0.05, `10` as a count."""
    written = rules.get(rule)
    if written is None:
        return []
    if isinstance(written, str):
        return [Limit(int(written.removesuffix("%")) / 100, is_share=True, span=spans[rule])]
    return [Limit(written, is_share=False, span=spans[rule])]


def quiet_hours(
    reporter: Reporter, document: Document, route: Route, written: Mapping[str, Any] | None, zone: str
) -> QuietHours | None:
    """Quiet hours, by default in `zone`; None where there are none, or what was written is reported."""
    if written is None:
        return None
    named = written.get("timezone", zone)
    days, country = written.get("days", []), written.get("holidays")
    wrong = {
        "to": "from" in written and written["from"] == written["to"] and "they would never end",
        "days": len(set(days)) == len(_DAYS) and "they would never end",
        "holidays": country is not None
        and not _has_holidays(country)
        and f"the public holidays of `{country}` are not known",
        "timezone": named != RECEIVER
        and "timezone" in written
        and zone_named(named) is None
        and f"`{named}` is no time zone",
    }
    for key, why in wrong.items():
        if why:
            reporter.report(codes.WRONG_VALUE, why, document, (*route, key))
    if not ("from" in written or days or country):
        reporter.report(codes.WRONG_VALUE, "they name neither hours nor days", document, route, key=True)
    elif not any(wrong.values()):
        return QuietHours(
            begins=time.fromisoformat(written["from"]) if "from" in written else None,
            ends=time.fromisoformat(written["to"]) if "to" in written else None,
            days=frozenset(map(_DAYS.index, days)),
            holidays=country,
            zone=None if named == RECEIVER else named,
            delays=written.get("action", "delay") == "delay",
            span=document.key_span(route),
        )
    return None


def _has_holidays(country: str) -> bool:
    from holidays import list_supported_countries  # noqa: PLC0415 - heavy, and needed for holidays alone

    return country in list_supported_countries(include_aliases=False)
