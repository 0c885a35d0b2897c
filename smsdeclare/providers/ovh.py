"""The SMS API of OVHcloud."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from requests import PreparedRequest, RequestException

from smsdeclare import __version__, codes
from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError
from smsdeclare.provider import Accepted, Account, Forbidden, InDoubt, Listed, Prepared, Refused, Unreached
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.endpoints import token_url
from smsdeclare.providers.ovh_answers import Gone, figure, read_answer, read_nothing, read_result, unreadable
from smsdeclare.providers.ovh_grants import read_grant
from smsdeclare.providers.ovh_lists import read_list, read_whole_list
from smsdeclare.providers.ovh_people import read_numbers, read_senders
from smsdeclare.providers.ovh_signature import OvhAuth
from smsdeclare.providers.ovh_token import BearerAuth
from smsdeclare.providers.transport import ANSWER_LIMIT, AnswerTooLarge, Line, prepared, wire
from smsdeclare.schedule import next_opening, options_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from requests import Response
    from requests.adapters import BaseAdapter

    from smsdeclare.clock import Clock
    from smsdeclare.jobs import Job
    from smsdeclare.providers.credentials import Credentials
    from smsdeclare.providers.ovh_grants import Grant

#: An idle connection older than this is not used for a POST: the other side may be closing it. Seconds.
_IDLE_SECONDS = 2.0
#: The provider's time is asked anew after this, since clocks are set and laptops sleep. Seconds.
_TIME_VALID_SECONDS = 300.0
#: What to do where a server of this machine does not answer.
_HERE = "Is it running? `smsdeclare sandbox` is such a server, until Ctrl-C; then run again: nothing was sent twice."
_NEVER = float("-inf")
#: No clock says so. Epoch seconds, in the year 5138.
_END_OF_TIME = 100_000_000_000
#: A blacklist may hold a million numbers. Bytes.
BLACKLIST_LIMIT = 32 << 20
HEADERS = {
    "Accept": "application/json",
    # A compressed answer could unpack to anything.
    "Accept-Encoding": "identity",
    "User-Agent": f"smsdeclare/{__version__}",
}


class _Here(threading.local):
    """A thread's own line, so that none uses a connection that another left idle."""

    def __init__(self, adapter: BaseAdapter | None, clock: Clock) -> None:
        self.line = Line(adapter, clock)
        #: On the monotonic clock; None before its first request.
        self.used_at: float | None = None


class OvhProvider:
    """Signed requests to one SMS account, from any number of threads; each has a line of its own."""

    def __init__(
        self,
        *,
        url: str,
        credentials: Credentials,
        service: str | None,
        clock: Clock,
        adapter: BaseAdapter | None = None,
        requests_per_minute: int | None = None,
        holds_advertising: bool = False,
    ) -> None:
        self._url = url
        self._service = service
        self._clock = clock
        self._here = _Here(adapter, clock)
        self._auth: OvhAuth | BearerAuth = (
            OvhAuth(credentials, self._server_time)
            if isinstance(credentials, ApplicationKeys)
            else BearerAuth(credentials, token_url(url, credentials.token_url), clock)
        )
        #: Server time less ours, in seconds, and when it was learned on the monotonic clock.
        self._ahead: int | None = None
        self._learned_at = 0.0
        self._holds_advertising = holds_advertising
        self._pause = 60.0 / requests_per_minute if requests_per_minute else 0.0
        #: When the next request may leave, on the monotonic clock.
        self._next_turn = 0.0
        self._turns = threading.Lock()
        self._renewing = threading.Lock()

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
        return self._credits_left(self.service())

    def _credits_left(self, service: str) -> float | None:
        try:
            account = self._get(f"/sms/{quote(service, safe='')}")
        except Forbidden:
            return None
        return figure(account.get("creditsLeft")) if isinstance(account, dict) else None

    def accounts(self) -> Sequence[Account]:
        """Every SMS account of these credentials; raises ProviderError."""
        names = self._services()
        return [
            Account(service=name, credits_left=self._credits_left(name), senders=self._all_senders(name))
            for name in names
        ]

    def _all_senders(self, service: str) -> dict[str, str] | None:
        try:
            return {name: status or "" for name, status in read_senders(self._get, service).items()}
        except Forbidden:
            return None

    def senders(self, wanted: Collection[str]) -> Mapping[str, str | None]:
        """The account's senders, the wanted ones with their status; raises ProviderError, Forbidden without the right.

        A status is None where it was not asked for, or may not be.
        """
        return read_senders(self._get, self.service(), wanted)

    def blacklist(self) -> frozenset[str]:
        """Who may not be written to, in E.164; raises ProviderError, Forbidden without the right."""
        request = self._request("GET", f"{self._url}{self._path('blacklists')}")
        return read_numbers(self._fetch(request, limit=BLACKLIST_LIMIT))

    def rate(self, country: str, billed_in: str | None) -> float | None:
        """Credits a part for a destination; None where the answer does not say. Raises ProviderError.

        OVHcloud asks for no credentials here, and a key need not have the right; a gateway in between may think else.
        """
        billing = {"billingCountry": billed_in.lower()} if billed_in else {}
        path = f"/sms/rates/destinations?{urlencode({'country': country.lower(), **billing})}"
        try:
            answer = self._fetch(prepared("GET", self._url + path, HEADERS))
        except ProviderError as error:
            if error.diagnostics[0].code is codes.PROVIDER_UNREACHABLE:
                raise
            answer = self._get(path)
        found = figure(answer.get("credit")) if isinstance(answer, dict) else None
        return found if found is not None and found >= 0 else None

    def estimate(self, text: str, sender_type: str, *, advertises: bool) -> int | None:
        """Parts of a text; None where the answer does not say. Creates nothing; raises ProviderError."""
        if self._ahead is None:
            self._learn_time()
        body = canonical({"message": text, "noStopClause": not advertises, "senderType": sender_type})
        answer = self._fetch(self._request("POST", f"{self._url}/sms/estimate", body))
        parts = answer.get("parts") if isinstance(answer, dict) else None
        return parts if type(parts) is int else None

    def _services(self) -> Sequence[str]:
        try:
            names = self._get("/sms")
        except Forbidden:
            # To OVHcloud's access rules /sms and /sms/ are two paths, and its guide's keys have the latter.
            names = self._get("/sms/")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise unreadable("a list of services was expected")
        return names

    def time(self) -> datetime:
        """The provider's time, asked anew; raises ProviderError."""
        self._learn_time()
        return self.now()

    def held(self) -> Sequence[Listed]:
        """What the provider holds and has not sent yet; raises ProviderError, Forbidden without the right."""
        return read_whole_list(self._get, self._path("jobs"))

    def sent(self, tag: str, since: datetime | None = None) -> Sequence[Listed]:
        """What the provider sent under a tag since a moment, checked here and not only there."""
        earliest = {"creationDatetime.from": since.isoformat(timespec="seconds")} if since else {}
        query = urlencode({"tag": tag, **earliest})
        return [one for one in read_list(self._get, self._path("outgoing"), f"?{query}") if one.tag == tag]

    def take_back(self, sms: int) -> bool:
        """Ask for one of the held to be dropped; may be repeated. Whether it was held until now."""
        try:
            self._fetch(self._request("DELETE", f"{self._url}{self._path('jobs')}/{sms}"), read_nothing)
        except Gone:
            return False
        return True

    def _path(self, name: str) -> str:
        return f"/sms/{quote(self.service(), safe='')}/{name}"

    def grant(self) -> Grant:
        """What the consumer key may, until when, and from where; raises ProviderError, Forbidden without the right."""
        return read_grant(self._get("/auth/currentCredential"))

    # — sending —

    def now(self) -> datetime:
        """The provider's time as far as it is known, else this machine's; timezone-aware."""
        return datetime.fromtimestamp(self._server_time(), tz=UTC)

    def connect(self) -> None:
        """Open this thread's line and learn the provider's time; raises ProviderError."""
        if self._clock.monotonic() > self._fresh_until():
            self._here.line.hang_up()
            self._learn_time()
        # Here and not before the POST, whose signature must not wait.
        self._wait_for_turn()

    def open_until(self) -> float:
        """Until when a request may go over this thread's line without `connect`; on the monotonic clock."""
        return _NEVER if self._pause else self._fresh_until()

    def _fresh_until(self) -> float:
        """Until when this thread's line, the provider's time, and the token are as good as new."""
        is_stale = isinstance(self._auth, BearerAuth) and not self._auth.is_fresh
        if self._ahead is None or is_stale or self._here.used_at is None:
            return _NEVER
        return min(self._here.used_at + _IDLE_SECONDS, self._learned_at + _TIME_VALID_SECONDS)

    def prepare(self, job: Job, tag: str, numbers: tuple[str, ...]) -> Prepared:
        """Build and sign the request for these receivers of the job. No network."""
        now = self.now()
        at = job.slot_at(now)
        options = options_at(job.options, at, now)
        body = canonical({**options, "message": job.text.text, "receivers": list(numbers), "tag": tag})
        url = f"{self._url}{self._path('jobs')}"
        request = self._request("POST", url, body)
        due = int((at.due or now).timestamp())
        end = self._end_of_hold(at.due or now, job.options)
        return Prepared(
            url=request.url or url,
            body=body,
            headers=tuple(request.headers.items()),
            not_after=max(self._fence(request), end),
            signed_at=self._clock.monotonic(),
            body_digest=sha256_hex(body),
            may_be_held=end > due,
        )

    def submit(self, prepared: Prepared) -> Accepted | Refused | Unreached:
        """Post it, once. Raises InDoubt where it may have been taken and the answer does not say."""
        request = PreparedRequest()
        request.method, request.url, request.body = "POST", prepared.url, prepared.body
        request.prepare_headers(dict(prepared.headers))
        request.hooks = {"response": []}
        try:
            response, body = self._here.line.send(request)
        except Exception as error:  # whatever its kind: what counts is whether a byte had left
            if not wire.has_begun:
                return Unreached(reason=f"no connection ({type(error).__name__})")
            raise InDoubt(reason=f"the answer got lost ({type(error).__name__})") from error
        finally:
            self._here.used_at = self._clock.monotonic()
        return read_answer(response, body, request, json.loads(prepared.body)["tag"])

    # — requests —

    def _fence(self, request: PreparedRequest) -> int:
        """The last moment at which the provider takes this request. Epoch seconds on its clock."""
        if isinstance(self._auth, BearerAuth):
            return self._auth.expires_at + (self._ahead or 0)
        return int(request.headers["X-Ovh-Timestamp"])

    def _end_of_hold(self, due: datetime, options: Mapping[str, Any]) -> int:
        """What the provider holds is open until it goes out, at its time or for advertising when that is allowed."""
        may_be_held = self._holds_advertising and not options.get("noStopClause", False)
        return int((next_opening(due) if may_be_held else due).timestamp())

    def _request(self, method: str, url: str, body: bytes = b"") -> PreparedRequest:
        headers = dict(HEADERS)
        if body:
            headers["Content-Type"] = "application/json;charset=utf-8"
        return self._auth(prepared(method, url, headers, body))

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        """A GET with credentials; raises ProviderError."""
        if self._ahead is None:
            self._learn_time()
        request = self._request("GET", self._url + path)
        request.headers.update(headers or {})
        return self._fetch(request)

    def _learn_time(self) -> None:
        """Ask for the provider's time, which needs no credentials, on what will be the POST's connection."""
        try:
            server = self._fetch(prepared("GET", f"{self._url}/auth/time", HEADERS))
        except Forbidden as error:
            # Nobody lacks the right to ask for the time: this is another place.
            hint = "Is the URL of the endpoint whole? OVHcloud's ends with /1.0."
            raise ProviderError(*(one._replace(suggestion=hint) for one in error.diagnostics)) from error
        if type(server) is not int or not 0 < server < _END_OF_TIME:
            raise unreadable("the time was expected")
        self._ahead = server - int(self._clock.now().timestamp())
        self._learned_at = self._clock.monotonic()
        if isinstance(self._auth, BearerAuth):
            with self._renewing:
                if not self._auth.is_fresh and not self._auth.take(self._fetch(self._auth.request())):
                    raise unreadable("a token was expected")

    def _server_time(self) -> int:
        return int(self._clock.now().timestamp()) + (self._ahead or 0)

    def _wait_for_turn(self) -> None:
        """Let the pause pass that the project wants between two requests, whichever threads they are of."""
        if self._pause:
            with self._turns:
                now = self._clock.monotonic()
                turn = max(now, self._next_turn)
                self._next_turn = turn + self._pause
            self._clock.sleep(turn - now)

    def _fetch(
        self,
        request: PreparedRequest,
        read: Callable[[Response, bytes, PreparedRequest], Any] = read_result,
        limit: int = ANSWER_LIMIT,
    ) -> Any:
        self._wait_for_turn()
        try:
            response, body = self._here.line.send(request, limit)
        except (RequestException, AnswerTooLarge, OSError) as error:
            detail = f"{request.method} {request.url}: {type(error).__name__}"
            hint = _HERE if str(request.url).startswith("http://") else ""  # nothing but loopback may be so
            raise ProviderError(Diagnostic(code=codes.PROVIDER_UNREACHABLE, detail=detail, suggestion=hint)) from error
        finally:
            self._here.used_at = self._clock.monotonic()
        return read(response, body, request)
