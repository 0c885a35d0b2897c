"""The two lists: `jobs` holds what still waits, `outgoing` what went out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from smsdeclare.simulator.messages import Answer, Refused, refused
from smsdeclare.simulator.text import STOP_CLAUSE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from smsdeclare.simulator.history import History, Sms
    from smsdeclare.simulator.messages import Request
    from smsdeclare.simulator.settings import Settings

_LONG = re.compile(r"[0-9]{1,18}")
_DELIVERED, _FAILED = 1, 2
_PTT_DELIVERED = 4
_PTT_BLACKLISTED = 53
_DEFAULT_PAGE = 1000


def datetime_text(moment: float, settings: Settings) -> str:
    """RFC 3339 with an offset, whole seconds."""
    zone = timezone(timedelta(minutes=settings.utc_offset_minutes))
    return datetime.fromtimestamp(int(moment), UTC).astimezone(zone).isoformat()


def waiting(history: History, service: str, at: float) -> list[Sms]:
    """What `jobs` lists: not sent yet and not cancelled."""
    lag = history.settings.jobs_lag
    return [sms for sms in history.all(service, due_after=at) if at >= sms.created_at + lag]


def waits(sms: Sms, at: float) -> bool:
    """Whether it has not gone out yet."""
    return at < sms.due_at


def find_waiting(history: History, service: str, number: str, at: float) -> Sms:
    """One of them. Raises Refused 404; UNKNOWN: what the API answers once an SMS was sent."""
    shift = history.settings.jobs_id_shift
    sms = history.find(service, int(number) - shift) if _LONG.fullmatch(number) else None
    if sms is None or not waits(sms, at):
        raise no_object(number)
    return sms


def cancel(history: History, service: str, number: str, at: float) -> Answer:
    """Take a waiting SMS out. Raises Refused 404 for one that was sent."""
    sms = find_waiting(history, service, number, at)
    history.append({"cancelled": sms.id, "at": at})
    return Answer(value=None)


def sent(history: History, service: str, query: Sequence[tuple[str, str]], at: float) -> list[Sms]:
    """What `outgoing` lists for these filters. Raises Refused 400 for a filter that is none."""
    settings = history.settings
    applied = [(name, value) for name, value in query if name not in settings.ignored_filters]
    tests = [_filter(name, value, history, at) for name, value in applied]
    tag = next((value for name, value in applied if name == "tag"), None)
    found = [
        sms
        for sms in history.all(service, tag=tag)
        if _is_listed(sms, settings, at) and all(test(sms) for test in tests)
    ]
    if settings.outgoing_order == "newest first":
        found.reverse()
    return found[: settings.outgoing_cap]


def find_sent(history: History, service: str, number: str, at: float) -> Sms:
    """One of `outgoing`. Raises Refused 404."""
    shift = history.settings.outgoing_id_shift
    sms = history.find(service, int(number) - shift) if _LONG.fullmatch(number) else None
    if sms is None or not _is_listed(sms, history.settings, at):
        raise no_object(number)
    return sms


def job_view(sms: Sms, settings: Settings) -> dict[str, Any]:
    """An `sms.Job`: no tag, and nothing has become of it."""
    return {
        "id": sms.id + settings.jobs_id_shift,
        "creationDatetime": datetime_text(sms.created_at, settings),
        "sentAt": None,
        "deliveredAt": None,
        "deliveryReceipt": 0,
        "ptt": settings.ptt_before_receipt,
        "differedDelivery": sms.differed_period,
        "sender": sms.sender,
        "receiver": listed_number(sms.receiver, settings),
        "message": _listed_message(sms, settings),
        "messageLength": len(_listed_message(sms, settings)),
        "numberOfSms": sms.parts,
        "credits": sms.credits,
    }


def outgoing_view(sms: Sms, history: History, at: float) -> dict[str, Any]:
    """An `sms.Outgoing`: a job, its tag and what became of it."""
    settings = history.settings
    receipt, ptt, delivered_at = receipt_of(sms, history, at)
    return job_view(sms, settings) | {
        "id": sms.id + settings.outgoing_id_shift,
        "tag": sms.tag,
        "sentAt": datetime_text(sms.due_at, settings),
        "deliveredAt": None if delivered_at is None else datetime_text(delivered_at, settings),
        "deliveryReceipt": receipt,
        "ptt": ptt,
        "tariffCode": "",
        "batchID": None,
        "messageID": None,
    }


def receipt_of(sms: Sms, history: History, at: float) -> tuple[int, int, float | None]:
    """`deliveryReceipt`, `ptt` and the moment of delivery; what was set by hand comes first."""
    settings = history.settings
    by_hand = history.receipt(sms.id)
    if by_hand is not None:
        ptt, moment = by_hand
        return (_DELIVERED, ptt, moment) if ptt == _PTT_DELIVERED else (_FAILED, ptt, None)
    if settings.delivery_seconds is None or at < sms.due_at + settings.delivery_seconds:
        return 0, settings.ptt_before_receipt, None
    if sms.receiver in settings.failures:
        return _FAILED, settings.failures[sms.receiver], None
    service = settings.service(sms.service)
    if service is not None and sms.receiver in service.blacklist:
        return _FAILED, _PTT_BLACKLISTED, None
    return _DELIVERED, _PTT_DELIVERED, sms.due_at + settings.delivery_seconds


def listing(request: Request, settings: Settings, keys: Sequence[Any], view: Callable[[int], Any]) -> Answer:
    """Bare keys, or a page of objects where the request asks for them; `view` makes the object at a place."""
    if not settings.object_lists or request.header("X-Pagination-Mode") != "CachedObjectList-Pages":
        return Answer(value=list(keys))
    size = _page_figure(request, "X-Pagination-Size", _DEFAULT_PAGE)
    first = (_page_figure(request, "X-Pagination-Number", 1) - 1) * size
    places = range(len(keys))[first : first + size]
    return Answer(value=[view(place) for place in places], headers={"X-Pagination-Elements": str(len(keys))})


def one_or_batch(request: Request, settings: Settings, key: str, view: Callable[[str], Any]) -> Answer:
    """The object of `key`, or those of all keys that `X-Ovh-Batch` names the separator of."""
    separator = request.header("X-Ovh-Batch")
    if not separator or not settings.batch_get:
        return Answer(value=view(key))
    elements: list[Any] = []
    for single in key.split(separator):
        error: dict[str, Any] | None = None
        value: Any = None
        try:
            value = view(single)
        except Refused as refusal:
            error = dict(refusal.content)
        bare = settings.batch_elements == "bare"
        elements.append(value if bare else {"key": single, "value": value, "error": error})
    return Answer(value=elements)


def _is_listed(sms: Sms, settings: Settings, at: float) -> bool:
    listed_from = sms.due_at + settings.list_lag
    if sms.due_at > sms.created_at:
        listed_from += settings.lists_gap
    kept = settings.retention_days
    return at >= listed_from and (kept is None or at < sms.created_at + kept * 86400)


def _filter(name: str, value: str, history: History, at: float) -> Callable[[Sms], bool]:
    settings = history.settings
    match name:
        case "tag":
            return lambda sms: sms.tag == value
        case "sender":
            return lambda sms: sms.sender == value
        case "receiver":
            return lambda sms: listed_number(sms.receiver, settings) == value
        case "creationDatetime.from" | "creationDatetime.to":
            fits = filter_of_moment(name, value, settings)
            return lambda sms: fits(sms.created_at)
        case "deliveryReceipt" | "ptt" | "differedDelivery":
            figure = _figure(name, value)
            return lambda sms: outgoing_view(sms, history, at)[name] == figure
        case "batchID" | "messageID":
            return lambda _: False
        case _:
            raise refused(400, f"Unknown parameter: {name}")


def filter_of_moment(name: str, value: str, settings: Settings) -> Callable[[float], bool]:
    """The test that a filter by `creationDatetime` stands for. Raises Refused 400 where the value is no moment."""
    bound = _moment(name, value, settings)
    if name.endswith(".from"):
        return lambda moment: int(moment) >= bound
    return lambda moment: int(moment) <= bound


def _figure(name: str, value: str) -> int:
    if _LONG.fullmatch(value) is None:
        raise refused(400, f"Invalid parameter {name}: long expected")
    return int(value)


def _moment(name: str, value: str, settings: Settings) -> float:
    """Epoch seconds. A value without offset counts in the server's own."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise refused(400, f"Invalid parameter {name}: datetime expected") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=settings.utc_offset_minutes)))
    return moment.timestamp()


def _page_figure(request: Request, header: str, default: int) -> int:
    value = request.header(header)
    if not value:
        return default
    figure = _figure(header, value)
    if figure < 1:
        raise refused(400, f"Invalid parameter {header}: at least 1 expected")
    return figure


def listed_number(number: str, settings: Settings) -> str:
    """A number as the lists spell it."""
    return number if settings.listed_numbers == "+" else f"00{number.removeprefix('+')}"


def _listed_message(sms: Sms, settings: Settings) -> str:
    return sms.message + STOP_CLAUSE if sms.stop_clause and settings.message_shows_stop else sms.message


def no_object(number: str) -> Refused:
    """There is none of that id."""
    return refused(404, f"The requested object (id = {number}) does not exist")
