"""POST jobs: who gets the text, as whom, in how many parts, for how many credits, and when."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from smsdeclare.simulator.fields import JOB, read_fields
from smsdeclare.simulator.history import Sms
from smsdeclare.simulator.messages import Answer, refused
from smsdeclare.simulator.settings import Sender
from smsdeclare.simulator.text import holds_contact, measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smsdeclare.simulator.history import History
    from smsdeclare.simulator.settings import Service, Settings

_NUMBER = re.compile(r"(?:\+|00)([1-9][0-9]{7,14})")

#: Fields that the journal keeps under names of their own.
_KEPT_APART = ("message", "receivers", "sender", "tag", "differedPeriod")


def international(number: str) -> str | None:
    """`+` and 8 to 15 digits; None for what the API puts into `invalidReceivers`."""
    match = _NUMBER.fullmatch(number)
    return f"+{match[1]}" if match else None


def post_job(history: History, service: Service, body: bytes, at: float) -> Answer:
    """Accept what can be accepted and report it. Raises Refused, and then nothing was accepted."""
    settings = history.settings
    fields = read_fields(body, JOB, settings)
    sender = _choose_sender(fields, service, settings)
    _check_limits(fields, settings)
    alphanumeric = sender is not None and sender.type == "alpha"
    stop = not fields.get("noStopClause", False) and (alphanumeric or settings.stop_for_all_senders)
    size = measure(fields["message"], settings, stop=stop)
    if settings.max_parts is not None and size.parts > settings.max_parts:
        raise refused(400, "Invalid message: is too long")
    valid, invalid = _sort_receivers(fields["receivers"], history.blacklist(service), settings)
    credits_each = [size.parts * settings.rate(number.removeprefix("+")) for _, number in valid]
    if sum(credits_each) > service.credits - history.spent(service.name):
        raise refused(settings.no_credits_status, settings.no_credits_message)
    job_number = history.next_job_number
    tag = fields.get("tag") or hashlib.sha256(f"tag {job_number}".encode()).hexdigest()[:16]
    ids = history.next_ids(len(valid))
    if not settings.ids_in_order:
        ids.reverse()
    shared = Sms(
        id=0,
        receiver="",
        credits=0.0,
        service=service.name,
        sender=sender.name if sender is not None else settings.short_number,
        message=fields["message"],
        tag=tag,
        parts=size.parts,
        encoding=size.encoding,
        created_at=at,
        due_at=_due_at(at, fields.get("differedPeriod", 0), settings, stop=stop),
        job_number=job_number,
        differed_period=fields.get("differedPeriod", 0),
        stop_clause=stop,
        options={name: value for name, value in fields.items() if name not in _KEPT_APART},
    ).record()
    receivers = [number for _, number in valid]
    for number_id, receiver, credit in sorted(zip(ids, receivers, credits_each, strict=True)):
        history.append(shared | {"id": number_id, "receiver": receiver, "credits": credit})
    report: dict[str, Any] = {
        "totalCreditsRemoved": sum(credits_each),
        "invalidReceivers": invalid,
        "ids": sorted(ids),
        "validReceivers": [_echo(written, number, settings) for written, number in valid],
    }
    if settings.report_tag:
        report["tag"] = tag
    if settings.report_credits_left:
        report["creditsLeft"] = service.credits - history.spent(service.name)
    return Answer(value=report)


def _choose_sender(fields: Mapping[str, Any], service: Service, settings: Settings) -> Sender | None:
    """The sender, None for a short number, which wins where both are asked for."""
    name = fields.get("sender")
    if fields.get("senderForResponse", False) or name is None:
        if not fields.get("senderForResponse", False) and settings.no_sender == "refuse":
            raise refused(400, "Missing parameter: sender")
        if settings.contact_check and holds_contact(fields["message"]):
            raise refused(400, "cannot send contact information with shortcode")
        return None
    return _find_sender(name, service, settings)


def _find_sender(name: str, service: Service, settings: Settings) -> Sender:
    """The validated sender of that name. Raises Refused, with OVHcloud's own grammar."""
    sender = next((sender for sender in service.senders if sender.name == name), None)
    if sender is None:
        if settings.any_sender:
            return Sender(name=name, type="numeric" if name.removeprefix("+").isdigit() else "alpha")
        raise refused(settings.sender_status, f"Sms sender {name} does not exists. Please create it first")
    if sender.status != "enable":
        raise refused(settings.sender_status, f"Sms sender {name} is pending validation or was not accepted")
    return sender


def _check_limits(fields: Mapping[str, Any], settings: Settings) -> None:
    if not fields["message"]:
        raise refused(400, "Invalid parameter message: is empty")
    for name in ("receiversSlotId", "receiversDocumentUrl"):
        if name in fields:
            raise refused(400, f"Invalid parameter {name}: the simulator keeps no lists of receivers")
    if not fields.get("receivers"):
        raise refused(400, "Missing parameter: receivers")
    if settings.max_receivers is not None and len(fields["receivers"]) > settings.max_receivers:
        raise refused(400, "Invalid parameter receivers: too many")
    if settings.tag_limit is not None and len(fields.get("tag", "")) > settings.tag_limit:
        raise refused(400, "Invalid tag: is too long")
    differed, longest = fields.get("differedPeriod", 0), settings.max_differed_minutes
    if differed < 0 or (longest is not None and differed > longest):
        raise refused(400, "Invalid deferred time")
    if fields.get("validityPeriod", 0) < 0:
        raise refused(400, "Invalid parameter validityPeriod")


def _sort_receivers(
    receivers: list[str], blacklist: Sequence[str], settings: Settings
) -> tuple[list[tuple[str, str]], list[str]]:
    """Valid ones as (as written, international), and invalid ones as written."""
    valid: list[tuple[str, str]] = []
    invalid: list[str] = []
    seen: set[str] = set()
    unreachable = {*settings.unreachable, *(blacklist if settings.blacklisted == "invalid" else ())}
    for written in receivers:
        number = international(written)
        if number is None or number in unreachable:
            invalid.append(written)
        elif number not in seen or settings.duplicates == "each":
            seen.add(number)
            valid.append((written, number))
        elif settings.duplicates == "invalid":
            invalid.append(written)
    return valid, invalid


def _echo(written: str, number: str, settings: Settings) -> str:
    match settings.echo:
        case "+":
            return number
        case "00":
            return f"00{number.removeprefix('+')}"
        case "as sent":
            return written


def _due_at(at: float, differed_minutes: int, settings: Settings, *, stop: bool) -> float:
    """When it goes out. One with a STOP clause waits for the marketing window, where there is one."""
    due = at + (60 * differed_minutes or settings.processing_seconds)
    if not stop or settings.marketing_hours is None:
        return due
    opens, closes = settings.marketing_hours
    zone = timezone(timedelta(minutes=settings.utc_offset_minutes))
    moment = datetime.fromtimestamp(due, UTC).astimezone(zone)
    for _ in range(8 * 24):
        if moment.weekday() in settings.marketing_days and opens <= moment.hour < closes:
            return moment.timestamp()
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return due
