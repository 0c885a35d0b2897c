"""The SMS API as a pure state machine: a request and a moment in, an answer out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

from smsdeclare.simulator import account, granting, lists, replies
from smsdeclare.simulator.auth import authenticate
from smsdeclare.simulator.history import History
from smsdeclare.simulator.messages import Answer, Refused, Request, Response, no_such_url, refused, to_bytes
from smsdeclare.simulator.posting import post_job
from smsdeclare.simulator.settings import Service, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smsdeclare.simulator.history import Record
    from smsdeclare.simulator.settings import Credential


class Simulator:
    """One world and its history. No I/O, no clock, no chance; whoever shares it between threads locks it."""

    def __init__(self, settings: Settings = Settings(), records: Iterable[Record] = ()) -> None:  # noqa: B008 - frozen
        self.settings = settings
        self.history = History(settings, records)
        self._queries = 0

    @property
    def journal(self) -> list[Record]:
        """Everything that happened, a line each; `Simulator(records=journal)` is in the same state."""
        return self.history.since(0)

    def change(self, settings: Settings) -> None:
        """Go on in a world that is otherwise."""
        self.settings = self.history.settings = settings

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float) -> Response:
        """The answer; `path` holds base and query, `now` is the caller's true time in epoch seconds."""
        self._queries += 1
        standing = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Ovh-QueryID": f"SIM.ws-1.{self._queries:08x}",
        }
        try:
            answer = _serve(self.history, Request.of(method, path, headers, body), now + self.settings.clock_ahead)
        except Refused as refusal:
            return Response(status=refusal.status, headers=standing, body=to_bytes(refusal.content))
        return Response(status=200, headers=standing | dict(answer.headers), body=to_bytes(answer.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    request: Request
    settings: Settings
    history: History
    #: The server's clock. Epoch seconds.
    at: float
    #: Without a name where the route has none.
    service: Service
    #: None for open routes and for OAuth2.
    credential: Credential | None
    #: The last segment of the path, where it names an object.
    key: str

    def listing(self, keys: Sequence[object], view: Callable[[int], object]) -> Answer:
        return lists.listing(self.request, self.settings, keys, view)

    def one(self, view: Callable[[str], object]) -> Answer:
        return lists.one_or_batch(self.request, self.settings, self.key, view)


def _serve(history: History, request: Request, at: float) -> Answer:
    """Route, then caller, then account: an unknown URL needs no key. UNKNOWN: the real order."""
    settings = history.settings
    for method, pattern, answer, is_open in _ROUTES:
        match = re.fullmatch(pattern, request.path)
        if match is None or method != request.method:
            continue
        credential = None if is_open else authenticate(request, settings, at, granting.credentials(history))
        named = match.groupdict()
        service = settings.service(unquote(named["service"])) if "service" in named else Service(name="")
        if service is None:
            raise refused(404, "This service does not exist")
        return answer(
            _Call(
                request=request,
                settings=settings,
                history=history,
                at=at,
                service=service,
                credential=credential,
                key=unquote(named.get("key", "")),
            )
        )
    raise no_such_url()


def _time(call: _Call) -> Answer:
    return Answer(value=int(call.at))


def _current_credential(call: _Call) -> Answer:
    if call.credential is None:
        raise refused(403, "User not granted for this request")
    return Answer(
        value={
            "allowedIPs": None if call.credential.allowed_ips is None else list(call.credential.allowed_ips),
            "applicationId": 1,
            "creation": "2026-01-01T00:00:00+01:00",
            "credentialId": 1 + granting.credentials(call.history).index(call.credential),
            "expiration": call.credential.expiration,
            "lastUse": lists.datetime_text(call.at, call.settings),
            "ovhSupport": False,
            "rules": [{"method": method, "path": path} for method, path in call.credential.rules],
            "status": call.credential.state,
        }
    )


def _ask_credential(call: _Call) -> Answer:
    return granting.ask(call.history, call.request, call.at)


def _services(call: _Call) -> Answer:
    return Answer(value=[service.name for service in call.settings.services])


def _account(call: _Call) -> Answer:
    return Answer(value=account.account_view(call.history, call.service))


def _senders(call: _Call) -> Answer:
    names = [sender.name for sender in call.service.senders]
    return call.listing(names, lambda place: account.sender_view(call.service, names[place]))


def _sender(call: _Call) -> Answer:
    return call.one(lambda name: account.sender_view(call.service, name))


def _blacklists(call: _Call) -> Answer:
    numbers = call.history.blacklist(call.service)
    return call.listing(numbers, lambda place: account.blacklist_view(call.history, call.service, numbers[place]))


def _blacklist(call: _Call) -> Answer:
    return call.one(lambda number: account.blacklist_view(call.history, call.service, number))


def _post_job(call: _Call) -> Answer:
    return post_job(call.history, call.service, call.request.body, call.at)


def _jobs(call: _Call) -> Answer:
    found = lists.waiting(call.history, call.service.name, call.at)
    return call.listing(
        [sms.id + call.settings.jobs_id_shift for sms in found],
        lambda place: lists.job_view(found[place], call.settings),
    )


def _job(call: _Call) -> Answer:
    def view(number: str) -> object:
        sms = lists.find_waiting(call.history, call.service.name, number, call.at)
        return lists.job_view(sms, call.settings)

    return call.one(view)


def _cancel(call: _Call) -> Answer:
    return lists.cancel(call.history, call.service.name, call.key, call.at)


def _outgoing_list(call: _Call) -> Answer:
    found = lists.sent(call.history, call.service.name, call.request.query, call.at)
    keys = [sms.id + call.settings.outgoing_id_shift for sms in found]
    return call.listing(keys, lambda place: lists.outgoing_view(found[place], call.history, call.at))


def _outgoing(call: _Call) -> Answer:
    def view(number: str) -> object:
        sms = lists.find_sent(call.history, call.service.name, number, call.at)
        return lists.outgoing_view(sms, call.history, call.at)

    return call.one(view)


def _incoming_list(call: _Call) -> Answer:
    found = replies.received(call.history, call.service.name, call.request.query)
    return call.listing([one.id for one in found], lambda place: replies.incoming_view(found[place], call.settings))


def _incoming(call: _Call) -> Answer:
    def view(number: str) -> object:
        return replies.incoming_view(replies.find(call.history, call.service.name, number), call.settings)

    return call.one(view)


def _delete_incoming(call: _Call) -> Answer:
    return replies.delete(call.history, call.service.name, call.key, call.at)


def _estimate(call: _Call) -> Answer:
    return account.estimate(call.settings, call.request.body)


def _rates(call: _Call) -> Answer:
    return account.destination_rates(call.settings, call.request.query)


def _ptts(call: _Call) -> Answer:
    return account.ptt_details(call.request.query)


_SERVICE = r"/sms/(?P<service>[^/]+)"
_KEY = r"/(?P<key>[^/]+)"

_Route: TypeAlias = "tuple[str, str, Callable[[_Call], Answer], bool]"

#: Method, path, who answers, and whether it is open to callers without a key. The first one that fits wins.
_ROUTES: tuple[_Route, ...] = (
    ("GET", r"/auth/time", _time, True),
    ("POST", r"/auth/credential", _ask_credential, True),
    ("GET", r"/auth/currentCredential", _current_credential, False),
    ("GET", r"/sms/rates/destinations", _rates, True),
    ("GET", r"/sms/ptts", _ptts, False),
    ("POST", r"/sms/estimate", _estimate, False),
    ("GET", r"/sms/?", _services, False),
    ("GET", _SERVICE, _account, False),
    ("GET", _SERVICE + r"/senders", _senders, False),
    ("GET", _SERVICE + r"/senders" + _KEY, _sender, False),
    ("GET", _SERVICE + r"/blacklists", _blacklists, False),
    ("GET", _SERVICE + r"/blacklists" + _KEY, _blacklist, False),
    ("POST", _SERVICE + r"/jobs", _post_job, False),
    ("GET", _SERVICE + r"/jobs", _jobs, False),
    ("GET", _SERVICE + r"/jobs" + _KEY, _job, False),
    ("DELETE", _SERVICE + r"/jobs" + _KEY, _cancel, False),
    ("GET", _SERVICE + r"/outgoing", _outgoing_list, False),
    ("GET", _SERVICE + r"/outgoing" + _KEY, _outgoing, False),
    ("GET", _SERVICE + r"/incoming", _incoming_list, False),
    ("GET", _SERVICE + r"/incoming" + _KEY, _incoming, False),
    ("DELETE", _SERVICE + r"/incoming" + _KEY, _delete_incoming, False),
)
