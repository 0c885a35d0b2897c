"""The SMS API of OVHcloud."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from requests import PreparedRequest, Request, RequestException

from smsdeclare import __version__, codes
from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError
from smsdeclare.provider import Accepted, InDoubt, Prepared, Refused, Unreached
from smsdeclare.providers.ovh_signature import ApplicationKeys, OvhAuth
from smsdeclare.providers.transport import AnswerTooLarge, Line, wire
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import Response
    from requests.adapters import BaseAdapter

    from smsdeclare.clock import Clock
    from smsdeclare.jobs import Job

#: An idle connection older than this is not used for a POST: the other side may be closing it. Seconds.
_IDLE_SECONDS = 2.0
#: The provider's time is asked anew after this, since clocks are set and laptops sleep. Seconds.
_TIME_VALID_SECONDS = 300.0
#: Answers by which OVHcloud says that it did not take a request.
_REFUSALS = frozenset({400, 401, 403, 404, 429})
_HEADERS = {
    "Accept": "application/json",
    # A compressed answer could unpack to anything.
    "Accept-Encoding": "identity",
    "User-Agent": f"smsdeclare/{__version__}",
}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class OvhProvider:
    """Signed requests to one SMS account."""

    def __init__(
        self,
        *,
        url: str,
        keys: ApplicationKeys,
        service: str | None,
        clock: Clock,
        adapter: BaseAdapter | None = None,
        requests_per_minute: int | None = None,
    ) -> None:
        self._url = url
        self._service = service
        self._clock = clock
        self._line = Line(adapter)
        self._auth = OvhAuth(keys, self._server_time)
        #: Server time less ours, in seconds, and when it was learned on the monotonic clock.
        self._ahead: int | None = None
        self._learned_at = 0.0
        self._used_at = 0.0
        self._pause = 60.0 / requests_per_minute if requests_per_minute else 0.0

    # — reading —

    def service(self) -> str:
        """The SMS account in use, found where it is not named; raises ProviderError."""
        if self._service is None:
            names = self._services()
            if len(names) != 1:
                detail = f"this account has {', '.join(names)}" if names else "this account has no SMS service"
                raise ProviderError(Diagnostic(code=codes.SERVICE_AMBIGUOUS, detail=detail))
            self._service = names[0]
        return self._service

    def credits_left(self) -> float | None:
        """Credits on the account; None where the credentials may not ask."""
        try:
            account = self._get(f"/sms/{quote(self.service(), safe='')}")
        except _Forbidden:
            return None
        left = account.get("creditsLeft") if isinstance(account, dict) else None
        return float(left) if isinstance(left, int | float) else None

    def _services(self) -> Sequence[str]:
        try:
            names = self._get("/sms")
        except _Forbidden:
            # To OVHcloud's access rules /sms and /sms/ are two paths, and its guide's keys have the latter.
            names = self._get("/sms/")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _unreadable("a list of services was expected")
        return names

    # — sending —

    def connect(self) -> None:
        """Open the line and learn the provider's time; raises ProviderError."""
        now = self._clock.monotonic()
        if self._ahead is None or now - self._used_at > _IDLE_SECONDS or now - self._learned_at > _TIME_VALID_SECONDS:
            self._line.hang_up()
            self._learn_time()
        # Here and not before the POST, whose signature must not wait.
        self._wait_for_turn()

    def prepare(self, job: Job, tag: str, numbers: tuple[str, ...]) -> Prepared:
        """Build and sign the request for these receivers of the job. No network."""
        body = canonical({**job.options, "message": job.text.text, "receivers": list(numbers), "tag": tag})
        url = f"{self._url}/sms/{quote(self.service(), safe='')}/jobs"
        request = self._request("POST", url, body)
        return Prepared(
            url=request.url or url,
            body=body,
            headers=tuple(request.headers.items()),
            not_after=int(request.headers["X-Ovh-Timestamp"]),
            signed_at=self._clock.monotonic(),
            body_digest=sha256_hex(body),
        )

    def submit(self, prepared: Prepared) -> Accepted | Refused | Unreached:
        """Post it, once. Raises InDoubt where it may have been taken and the answer does not say."""
        request = PreparedRequest()
        request.method, request.url, request.body = "POST", prepared.url, prepared.body
        request.prepare_headers(dict(prepared.headers))
        request.hooks = {"response": []}
        try:
            response, body = self._line.send(request)
        except Exception as error:  # whatever its kind: what counts is whether a byte had left
            if not wire.has_begun:
                return Unreached(reason=f"no connection ({type(error).__name__})")
            raise InDoubt(reason=f"the answer got lost ({type(error).__name__})") from error
        finally:
            self._used_at = self._clock.monotonic()
        return _read_answer(response, body, json.loads(prepared.body)["tag"])

    # — requests —

    def _request(self, method: str, url: str, body: bytes = b"") -> PreparedRequest:
        headers = dict(_HEADERS)
        if body:
            headers["Content-Type"] = "application/json;charset=utf-8"
        return Request(method, url, data=body or None, headers=headers, auth=self._auth).prepare()

    def _get(self, path: str) -> Any:
        """A signed GET; raises ProviderError."""
        if self._ahead is None:
            self._learn_time()
        return self._fetch(self._request("GET", self._url + path))

    def _learn_time(self) -> None:
        """Ask for the provider's time, which needs no credentials, on what will be the POST's connection."""
        server = self._fetch(Request("GET", f"{self._url}/auth/time", headers=_HEADERS).prepare())
        if not isinstance(server, int):
            raise _unreadable("the time was expected")
        self._ahead = server - int(self._clock.now().timestamp())
        self._learned_at = self._clock.monotonic()

    def _server_time(self) -> int:
        return int(self._clock.now().timestamp()) + (self._ahead or 0)

    def _wait_for_turn(self) -> None:
        """Let the pause pass that the project wants between two requests."""
        if self._pause:
            self._clock.sleep(max(0.0, self._used_at + self._pause - self._clock.monotonic()))

    def _fetch(self, request: PreparedRequest) -> Any:
        self._wait_for_turn()
        try:
            response, body = self._line.send(request)
        except (RequestException, AnswerTooLarge, OSError) as error:
            detail = f"{request.method} {_shown(request)}: {type(error).__name__}"
            raise ProviderError(Diagnostic(code=codes.PROVIDER_UNREACHABLE, detail=detail)) from error
        finally:
            self._used_at = self._clock.monotonic()
        answer = _parse(body)
        query_id = _query_id(response)
        if response.status_code == 200 and answer is not None:
            return answer
        if not isinstance(answer, dict):
            raise _unreadable(f"{request.method} {_shown(request)}: status {response.status_code}, no JSON", query_id)
        kind, message = _complaint(answer)
        detail = f"{request.method} {_shown(request)}: {response.status_code} {kind} {message}".rstrip()
        failure = _Forbidden if response.status_code == 403 and "granted" in message else ProviderError
        raise failure(Diagnostic(code=codes.PROVIDER_REFUSED, detail=detail, query_id=query_id))


class _Forbidden(ProviderError):
    """The credentials lack the right for this one call.

    "This call has not been granted", or with OAuth2 "User not granted for this request"; the codes beside these
    words are shared with invalid keys.
    """


def _read_answer(response: Response, body: bytes, tag: str) -> Accepted | Refused:
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
        return Refused(status=status, kind=kind, message=message, query_id=query_id)
    raise InDoubt(reason=f"answer {status}", query_id=query_id)


def _read_report(answer: Any, tag: str) -> dict[str, Any] | None:
    """An `sms.SmsSendingReport`; None where it does not fit. Fields beyond these are optional and may grow."""
    if not isinstance(answer, dict) or answer.get("tag", tag) != tag:
        return None
    ids = _all_of(answer.get("ids"), int)
    valid = _all_of(answer.get("validReceivers"), str)
    invalid = _all_of(answer.get("invalidReceivers"), str)
    if ids is None or valid is None or invalid is None:
        return None
    taken = answer.get("totalCreditsRemoved")
    return {
        "ids": ids,
        "valid": tuple(map(_e164, valid)),
        "invalid": tuple(map(_e164, invalid)),
        "credits": float(taken) if isinstance(taken, int | float) and not isinstance(taken, bool) else None,
    }


def _all_of(values: Any, kind: type) -> tuple[Any, ...] | None:
    """A list of nothing but `kind` as a tuple, else None; true and false are no figures."""
    if isinstance(values, list) and all(isinstance(one, kind) and not isinstance(one, bool) for one in values):
        return tuple(values)
    return None


def _e164(number: str) -> str:
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


def _unreadable(detail: str, query_id: str = "") -> ProviderError:
    return ProviderError(Diagnostic(code=codes.ANSWER_UNREADABLE, detail=detail, query_id=query_id))
