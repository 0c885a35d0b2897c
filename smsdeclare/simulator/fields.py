"""The fields of a request's body: types and enums as the API's schema states them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from smsdeclare.simulator.messages import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.simulator.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a body."""

    kind: Literal["string", "boolean", "long", "string[]", "list"]
    #: `null` is as good as absent.
    nullable: bool = False
    required: bool = False
    #: Empty: any value of the kind.
    allowed: tuple[str, ...] = ()

    def fits(self, value: Any) -> bool:
        """Whether the value has the kind and, where there is an enum, stands in it."""
        if value is None and self.nullable:
            return True
        match self.kind:
            case "boolean":
                return isinstance(value, bool)
            case "long":
                return isinstance(value, int) and not isinstance(value, bool)
            case "list":
                return isinstance(value, list)
            case "string[]":
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
            case "string":
                return isinstance(value, str) and (not self.allowed or value in self.allowed)


JOB: Mapping[str, Field] = {
    "charset": Field(kind="string", allowed=("UTF-8",)),
    "class": Field(kind="string", allowed=("flash", "phoneDisplay", "sim", "toolkit")),
    "coding": Field(kind="string", allowed=("7bit", "8bit")),
    "differedPeriod": Field(kind="long"),
    "message": Field(kind="string", required=True),
    "noStopClause": Field(kind="boolean"),
    "priority": Field(kind="string", allowed=("high", "medium", "low", "veryLow")),
    "receivers": Field(kind="string[]"),
    "receiversDocumentUrl": Field(kind="string"),
    "receiversSlotId": Field(kind="string"),
    "sender": Field(kind="string"),
    "senderForResponse": Field(kind="boolean"),
    "tag": Field(kind="string"),
    "validityPeriod": Field(kind="long"),
}

ESTIMATE: Mapping[str, Field] = {
    "message": Field(kind="string", required=True),
    "noStopClause": Field(kind="boolean", required=True),
    "senderType": Field(
        kind="string", required=True, allowed=("alpha", "numeric", "shortcode", "virtual", "time2chat")
    ),
}

CREDENTIAL: Mapping[str, Field] = {
    "accessRules": Field(kind="list", required=True),
    "allowedIPs": Field(kind="string[]", nullable=True),
    "redirection": Field(kind="string", nullable=True),
}


def read_fields(body: bytes, fields: Mapping[str, Field], settings: Settings) -> dict[str, Any]:
    """The body's known fields. Raises Refused 400, naming the field. UNKNOWN: the real texts."""
    try:
        posted = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise refused(400, "The body is not valid JSON") from None
    if not isinstance(posted, dict):
        raise refused(400, "The body must be a JSON object")
    if settings.null_is_absent:
        posted = {name: value for name, value in posted.items() if value is not None}
    unknown = [name for name in posted if name not in fields]
    if unknown and settings.unknown_fields == "refuse":
        raise refused(400, f"Unknown parameter: {unknown[0]}")
    for name, field in fields.items():
        if name not in posted:
            if field.required:
                raise refused(400, f"Missing parameter: {name}")
        elif not field.fits(posted[name]):
            expected = " or ".join(field.allowed) or field.kind
            raise refused(400, f"Invalid parameter {name}: {expected} expected")
    return {name: posted[name] for name in fields if name in posted}
