"""JSON: one document, as the contract fixes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smsdeclare.plan import FORMAT_VERSION, to_json
from smsdeclare.redaction import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from smsdeclare.blame import Culprit
    from smsdeclare.diagnostics import Diagnostic
    from smsdeclare.format import Applied, SendRow, Standing, Style
    from smsdeclare.plan import Plan
    from smsdeclare.preview import Cost, Example, Preview
    from smsdeclare.provider import Account
    from smsdeclare.records import Lease, Stopped
    from smsdeclare.surcharges import Surcharge


def plan(plan: Plan, style: Style) -> str:
    """`plan.v1.schema.json`."""
    # A saved plan needs the variables as they are; for everybody else they are free text.
    variables = {name: style.masked(value) for name, value in plan.variables.items()}
    return document(to_json(plan._replace(variables=variables)))


def applied(applied: Applied, style: Style) -> str:
    """`apply.v1.schema.json`."""
    return document(
        {
            "digest": applied.digest,
            "summary": applied.summary,
            "rejected": [{"address": row.address, "ref": row.ref, "reason": row.reason} for row in applied.rejected],
            "unknown": [{"address": row.address, "ref": row.ref, "since": row.since} for row in applied.unknown],
            "errors": [_error(finding, style) for finding in applied.errors],
        }
    )


def findings(
    found: Sequence[Diagnostic],
    style: Style,
    source: Callable[[str, int], str | None],  # noqa: ARG001 - no source lines in JSON
    *,
    valid: bool,
) -> str:
    """`validate.v1.schema.json`."""
    return document(
        {
            "valid": valid,
            "errors": [_finding(finding, style) for finding in found if finding.is_error],
            "warnings": [_finding(finding, style) for finding in found if not finding.is_error],
        }
    )


def sends(rows: Sequence[SendRow], style: Style) -> str:  # noqa: ARG001 - the rows are masked already
    """`state-list.v1.schema.json`."""
    return document({"sends": [row_document(row) for row in rows]})


def standings(rows: Sequence[Standing], stopped: Stopped | None) -> str:
    """`status.v1.schema.json`."""
    return document(
        {
            "stopped": None if stopped is None else stopped._asdict(),
            "messages": [
                {
                    "address": row.address,
                    "counts": dict(row.counts),
                    "credits": row.credits,
                    "reasons": [
                        {"status": status, "reason": why, "sends": count} for status, why, count in row.reasons
                    ],
                }
                for row in rows
            ],
        }
    )


def accounts(found: Sequence[Account]) -> str:
    """`service.v1.schema.json`."""
    return document(
        {
            "services": [
                {
                    "name": account.service,
                    "creditsLeft": account.credits_left,
                    "senders": None
                    if account.senders is None
                    else [{"name": name, "status": status} for name, status in account.senders.items()],
                }
                for account in found
            ]
        }
    )


def leases(found: Sequence[tuple[Lease, bool]]) -> str:
    """`lock.v1.schema.json`: each lease, and whether it is over."""
    return document(
        {
            "leases": [
                {
                    "actor": one.actor,
                    "host": one.host,
                    "pid": one.pid,
                    "ci": one.ci,
                    "since": one.since,
                    "until": one.until,
                    "isOver": is_over,
                    "digest": one.digest or None,
                }
                for one, is_over in found
            ]
        }
    )


def previews(found: Sequence[Preview], style: Style) -> str:
    """`preview.v1.schema.json`."""
    return document({"messages": [_preview(one, style) for one in found]})


def _preview(one: Preview, style: Style) -> dict[str, Any]:
    return {
        "address": one.address,
        "receivers": one.receivers,
        "credits": one.credits,
        "creditsExact": one.is_exact,
        "costs": [{**_cost(cost), "receivers": receivers} for cost, receivers in one.costs.items()],
        "stopClause": one.stop_clause,
        "example": one.example and _example(one.example, style),
        "unicode": {
            "receivers": one.in_unicode,
            "characters": [_culprit(culprit) for culprit in one.culprits],
            "moreCharacters": one.more_characters,
        },
        "skipped": one.skipped,
        "normalized": one.normalized,
        "rows": [_dear_row(row, rate) for row, rate in one.dear],
        "moreRows": one.more_dear,
    }


def _dear_row(row: Surcharge, rate: float) -> dict[str, Any]:
    return {
        "file": row.span.file,
        "line": row.span.line,
        "name": row.name,
        "characters": row.characters,
        "parts": row.parts,
        "partsInstead": row.instead,
        "creditsMore": round((row.parts - row.instead) * rate, 6),
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {"encoding": cost.encoding, "parts": cost.parts, "credits": cost.credits, "creditsExact": cost.exact}


def _example(example: Example, style: Style) -> dict[str, Any]:
    return {
        "receiver": example.number if style.show_numbers else mask_number(example.number),
        "file": example.span.file,
        "line": example.span.line,
        **_cost(example.cost),
        "text": example.text if style.show_numbers else example.sample,
        "split": example.parts if style.show_numbers else example.veiled,
        "units": example.units,
        "room": example.room,
        "partsWithoutStopClause": example.parts_without_clause,
    }


def _culprit(culprit: Culprit) -> dict[str, Any]:
    return {
        "character": culprit.character,
        "codePoint": f"U+{ord(culprit.character):04X}",
        "name": culprit.name or None,
        "lookAlike": culprit.look_alike,
        "receivers": culprit.receivers,
        "byValue": culprit.by_value,
        "places": [
            {
                "source": place.source,
                "name": place.name,
                "file": place.span.file if place.span else None,
                "line": place.span.line if place.span else None,
            }
            for place in culprit.places
        ],
    }


def failure(errors: Sequence[Diagnostic], style: Style) -> str:
    """What is printed where a command could not do its work."""
    return document({"errors": [_error(finding, style) for finding in errors]})


def document(content: dict[str, Any]) -> str:
    """One document; ASCII, so that no terminal and no log reads anything into it."""
    whole = _whole({"formatVersion": FORMAT_VERSION, **content})
    return json.dumps(whole, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _whole(value: Any) -> Any:
    """The same with `2` where it has `2.0`, which a shell can't compare."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(one) for one in value]
    return value


def row_document(row: SendRow) -> dict[str, Any]:
    """One send as the contract names its facts."""
    facts = row._asdict()
    del facts["reason"], facts["since"]
    return {
        {"send_at": "sendAt", "accepted_at": "acceptedAt", "delivered_at": "deliveredAt"}.get(name, name): _whole(value)
        for name, value in facts.items()
    } | {"reason": row.reason}


def _error(finding: Diagnostic, style: Style) -> dict[str, Any]:
    span = finding.span
    return {
        "code": finding.code.id,
        "message": style.masked(finding.message),
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "queryId": finding.query_id or None,
        "suggestion": style.masked(finding.suggestion or finding.code.help),
    }


def _finding(finding: Diagnostic, style: Style) -> dict[str, Any]:
    span = finding.span
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "path": style.masked(finding.path) or None,
        "code": finding.code.id,
        "message": style.masked(finding.message),
        "suggestion": style.masked(finding.suggestion) or None,
    }
