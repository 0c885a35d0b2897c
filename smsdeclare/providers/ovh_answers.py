"""OVHcloud's answers: reports, and refusals with what to do about them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError
from smsdeclare.provider import Accepted, Forbidden, InDoubt, Listed, Refused
from smsdeclare.providers.rights import create_token_link
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from smsdeclare.codes import Code

#: Answers by which OVHcloud says that it did not take a request.
_REFUSALS = frozenset({400, 401, 403, 404, 429})
#: From here on nothing is believed: no count of credits, no code.
_NO_FIGURE = 1e12
#: Ids are of 64 bits, at OVHcloud and in a ledger.
_NO_ID = 1 << 63
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

#: What OVHcloud says → what it means. Looked for in code and message; the first that fits counts. The codes alone
#: say too little: `Client::Forbidden` goes with missing rights and with invalid keys.
_MEANINGS: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile("NOT_GRANTED_CALL|not been granted|not granted"), codes.RIGHT_MISSING),
    (re.compile("INVALID_KEY|application key"), codes.KEY_INVALID),
    (
        re.compile("NOT_CREDENTIAL|INVALID_CREDENTIAL|credential (does not exist|is not valid)"),
        codes.CONSUMER_KEY_INVALID,
    ),
    (re.compile("QUERY_TIME_OUT|out of time"), codes.CLOCK_REFUSED),
    (re.compile("INVALID_SIGNATURE|Invalid signature"), codes.SIGNATURE_REFUSED),
    (re.compile("service does not exist"), codes.SERVICE_UNKNOWN),
    (re.compile("[Ss]ender"), codes.SENDER_REFUSED),
    (re.compile("with shortcode"), codes.CONTACT_REFUSED),
    (re.compile("[Cc]redits?\\b"), codes.CREDITS_SHORT),
)


class Gone(ProviderError):
    """There is no such object, any more."""


def read_result(response: Response, body: bytes, request: PreparedRequest) -> Any:
    """The result of a call that creates nothing; raises ProviderError, or Forbidden where only the right is missing."""
    answer, query_id = _parse(body), _query_id(response)
    if response.status_code == 200 and answer is not None:
        return answer
    what = f"{request.method} {_shown(request)}"
    if not isinstance(answer, dict):
        raise unreadable(f"{what}: status {response.status_code}, no JSON", query_id)
    kind, message = _complaint(answer)
    code, advice = explain(request, response.status_code, kind, message)
    detail = f"{what}: {response.status_code} {kind} {message}".rstrip()
    failure = ProviderError
    if response.status_code == 404 and code is codes.PROVIDER_REFUSED:
        # A call that this API does not have can be made no better than one without the right.
        failure = Gone if "object" in message else Forbidden
    elif code is codes.RIGHT_MISSING:
        failure = Forbidden
    raise failure(Diagnostic(code=code, detail=detail, suggestion=advice, query_id=query_id))


def read_nothing(response: Response, body: bytes, request: PreparedRequest) -> None:
    """The answer to a DELETE, which has no result; raises as `read_result` does."""
    if response.status_code != 200:
        read_result(response, body, request)


def read_answer(response: Response, body: bytes, request: PreparedRequest, tag: str) -> Accepted | Refused:
    """The verdict over an answer to a POST; raises InDoubt for everything that is not clearly one or the other."""
    status, query_id = response.status_code, _query_id(response)
    answer = _parse(body)
    if status == 200:
        report = _read_report(answer, tag)
        if report is None:
            raise InDoubt(reason="200 without a readable report", query_id=query_id)
        return Accepted(query_id=query_id, **report)
    if status in _REFUSALS and query_id and isinstance(answer, dict) and isinstance(answer.get("message"), str):
        kind, message = _complaint(answer)
        code, advice = explain(request, status, kind, message)
        return Refused(
            status=status, code=code, message=message, advice=advice, query_id=query_id, wait=_wait(response)
        )
    raise InDoubt(reason=f"answer {status}", query_id=query_id)


def explain(request: PreparedRequest, status: int, kind: str, message: str) -> tuple[Code, str]:
    """What a refusal means, and what to do next; empty where the code's own help says it all."""
    if status == 429:
        return codes.TOO_FAST, ""
    said = f"{kind} {message}"
    code = next((code for pattern, code in _MEANINGS if pattern.search(said)), codes.PROVIDER_REFUSED)
    if code is codes.RIGHT_MISSING:
        link = create_token_link(request.url or "", request.method or "")
        return code, f"Make credentials that have it, besides those they have now: {link}"
    return code, ""


def _wait(response: Response) -> float | None:
    """`Retry-After` in seconds; None where it is absent or no plain figure. OVHcloud's form of it is not known."""
    value = response.headers.get("Retry-After", "")
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _read_report(answer: Any, tag: str) -> dict[str, Any] | None:
    """An `sms.SmsSendingReport`; None where it does not fit. Fields beyond these are optional and may grow."""
    if not isinstance(answer, dict) or answer.get("tag") not in (None, tag):
        return None
    ids = _all_of(answer.get("ids"), int)
    valid = _all_of(answer.get("validReceivers"), str)
    invalid = _all_of(answer.get("invalidReceivers"), str)
    if ids is None or valid is None or invalid is None:
        return None
    return {
        "ids": ids,
        "valid": tuple(map(e164, valid)),
        "invalid": tuple(map(e164, invalid)),
        "credits": figure(answer.get("totalCreditsRemoved")),
    }


def read_listed(value: Any) -> Listed | None:
    """An `sms.Job` or `sms.Outgoing`; None where it is none."""
    if not isinstance(value, dict) or type(value.get("id")) is not int or not isinstance(value.get("receiver"), str):
        return None
    if abs(value["id"]) >= _NO_ID:
        return None
    tag = value.get("tag")
    return Listed(
        id=value["id"],
        receiver=e164(value["receiver"]),
        tag=tag if isinstance(tag, str) else None,
        created_at=moment(value.get("creationDatetime")),
        delivered_at=moment(value.get("deliveredAt")),
        receipt=int(figure(value.get("deliveryReceipt")) or 0),
        ptt=int(figure(value.get("ptt")) or 0),
        credits=figure(value.get("credits")),
    )


def moment(value: Any) -> datetime | None:
    """A moment with its offset; None for what is none, or for which it would have to be guessed."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    # Some servers write year 1 where there is no time yet; in other zones the calendar does not hold it.
    return found if found.tzinfo and 1970 <= found.year < 9999 else None


def _all_of(values: Any, kind: type) -> tuple[Any, ...] | None:
    """A list of nothing but `kind` as a tuple, else None; true and false are no figures."""
    if isinstance(values, list) and all(isinstance(one, kind) and not isinstance(one, bool) for one in values):
        return tuple(values)
    return None


def figure(value: Any) -> float | None:
    """A figure that an account could have, else None: what JSON can write is more than can be added up or stored."""
    return float(value) if type(value) in (int, float) and abs(value) < _NO_FIGURE else None


def e164(number: str) -> str:
    """A receiver as the report spells it, in our spelling where it is a number: `0033…` is `+33…`."""
    spelled = "+" + number[2:] if number.startswith("00") else number
    return spelled if _E164.fullmatch(spelled) else number


def _parse(body: bytes) -> Any:
    """JSON, or None: NaN and figures of absurd length count as unreadable."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _complaint(answer: dict[str, Any]) -> tuple[str, str]:
    """`errorCode` or `class`, and the message, made safe to show."""
    kind = answer.get("errorCode") or answer.get("class") or ""
    return visible(str(kind), newline=" ")[:60], visible(str(answer.get("message", "")), newline=" ")[:300]


def _query_id(response: Response) -> str:
    return visible(response.headers.get("X-Ovh-QueryID", ""), newline=" ")[:100]


def _shown(request: PreparedRequest) -> str:
    return (request.url or "").split("?")[0]


def unreadable(detail: str, query_id: str = "") -> ProviderError:
    """The error for an answer that is none."""
    return ProviderError(Diagnostic(code=codes.ANSWER_UNREADABLE, detail=detail, query_id=query_id))
