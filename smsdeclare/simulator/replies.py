"""Replies: whether an SMS can be answered, what phones answered, and the list `incoming` of it.

Known is what an `sms.Incoming` holds, and that a name can't be answered. UNKNOWN: the order of the list, its lag, how
it spells numbers, and whether its ids are of one series with others; here the oldest comes first, at once, spelled as
in the other lists, and the series is its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smsdeclare.simulator.lists import datetime_text, filter_of_moment, listed_number, no_object
from smsdeclare.simulator.messages import Answer, refused
from smsdeclare.simulator.text import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.simulator.history import History, Reply, Sms
    from smsdeclare.simulator.settings import Settings

#: What somebody types on a phone, at most. Characters.
LONGEST = 1000


def hindrance(sms: Sms, settings: Settings, at: float) -> str:
    """Why no answer to this SMS reaches the account; empty where one does."""
    service = settings.service(sms.service)
    known = {sender.name: sender.type for sender in service.senders} if service else {}
    kind = known.get(sms.sender, "numeric" if sms.sender.removeprefix("+").isdigit() else "alpha")
    if sms.sender == settings.short_number:
        kind = "shortcode"
    if kind == "alpha":
        return f"{sms.sender} can't be answered: it is a name, not a number."
    if kind == "numeric":  # an inference: it is the number of somebody's own phone
        return f"An answer goes to the phone {sms.sender}, not to the account."
    if kind == "shortcode" and settings.reply_hours is not None and at > sms.due_at + 3600 * settings.reply_hours:
        return f"{sms.sender} could be answered for {settings.reply_hours:g} hours."
    return ""


def reply(history: History, sms: Sms, text: str, at: float) -> None:
    """Take an answer in: it costs credits, and carries the tag of the SMS that it answers."""
    settings = history.settings
    size = measure(text, settings, stop=False)
    history.append(
        {
            "reply": history.next_reply_id,
            "to": sms.id,
            "message": text,
            "credits": size.parts * settings.reply_rate,
            "at": at,
        }
    )


def received(history: History, service: str, query: Sequence[tuple[str, str]]) -> list[Reply]:
    """What `incoming` lists for these filters. Raises Refused 400 for a filter that is none."""
    found = history.replies(service)
    for name, value in query:
        match name:
            case "tag" | "sender":
                found = [one for one in found if incoming_view(one, history.settings)[name] == value]
            case "creationDatetime.from" | "creationDatetime.to":
                fits = filter_of_moment(name, value, history.settings)
                found = [one for one in found if fits(one.at)]
            case _:
                raise refused(400, f"Unknown parameter: {name}")
    return found


def find(history: History, service: str, number: str) -> Reply:
    """One of `incoming`. Raises Refused 404."""
    found = next((one for one in history.replies(service) if str(one.id) == number), None)
    if found is None:
        raise no_object(number)
    return found


def delete(history: History, service: str, number: str, at: float) -> Answer:
    """Take one out of the list: there is no other sign that it was read. Raises Refused 404."""
    history.append({"deleted": find(history, service, number).id, "at": at})
    return Answer(value=None)


def incoming_view(one: Reply, settings: Settings) -> dict[str, Any]:
    """An `sms.Incoming`: nothing in it says which number was called."""
    return {
        "id": one.id,
        "creationDatetime": datetime_text(one.at, settings),
        "sender": listed_number(one.sender, settings),
        "message": one.message,
        "tag": one.tag,
        "credits": one.credits,
    }
