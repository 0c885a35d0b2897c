"""The truth: every SMS accepted or cancelled, what phones did: an append-only journal, and look-ups over it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from smsdeclare.simulator.settings import Credential

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from smsdeclare.simulator.settings import Service, Settings

#: One line of the journal; JSON-able.
Record: TypeAlias = dict[str, Any]

#: So many fields of an SMS come first that may differ within a POST.
_OWN = 3
#: The first id of a reply; later ones follow.
_FIRST_REPLY = 911406
#: The first id; later ones leave gaps, as the real ones do.
_FIRST_ID = 27814656


class Sms(NamedTuple):
    """One accepted SMS. Times are epoch seconds on the server's clock."""

    #: These three may differ within a POST.
    id: int
    receiver: str
    credits: float
    service: str
    sender: str
    message: str
    tag: str
    parts: int
    encoding: str
    created_at: float
    due_at: float
    #: Which POST brought it, counted from 1 over all services.
    job_number: int
    #: Minutes, as posted; 0 where it was not.
    differed_period: int
    stop_clause: bool
    #: The rest of the POST, as posted.
    options: Mapping[str, Any]

    def record(self) -> Record:
        """Its line in the journal."""
        return {
            "id": self.id,
            "service": self.service,
            "receiver": self.receiver,
            "sender": self.sender,
            "message": self.message,
            "tag": self.tag,
            "parts": self.parts,
            "encoding": self.encoding,
            "credits": self.credits,
            "createdAt": self.created_at,
            "dueAt": self.due_at,
            "jobNumber": self.job_number,
            "differedPeriod": self.differed_period,
            "stopClause": self.stop_clause,
            "options": dict(self.options),
        }

    @staticmethod
    def of(record: Mapping[str, Any]) -> Sms:
        """From its line. Raises KeyError for a line that is none."""
        return Sms(
            id=record["id"],
            service=record["service"],
            receiver=record["receiver"],
            sender=record["sender"],
            message=record["message"],
            tag=record["tag"],
            parts=record["parts"],
            encoding=record["encoding"],
            credits=record["credits"],
            created_at=record["createdAt"],
            due_at=record["dueAt"],
            job_number=record["jobNumber"],
            differed_period=record["differedPeriod"],
            stop_clause=record["stopClause"],
            options=record["options"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What somebody answered to an SMS. Its time is epoch seconds on the server's clock."""

    id: int
    service: str
    #: The phone.
    sender: str
    #: Of the SMS that it answers.
    tag: str
    message: str
    credits: float
    at: float


class History:
    """The journal and what is derived from it; appending is the only way to change either."""

    def __init__(self, settings: Settings, records: Iterable[Record] = ()) -> None:
        self.settings = settings
        #: Of each POST its first SMS, and which one of all SMS that is.
        self._posts: list[Sms] = []
        self._firsts = array("Q")
        #: What of each SMS may differ within its POST. There may be a million, so none is an object.
        self._ids, self._receivers, self._credits = array("Q"), array("Q"), array("d")
        #: The lines that are no SMS, by their places in the journal.
        self._others: dict[int, Record] = {}
        #: Places among the POSTs.
        self._by_tag: dict[str, list[int]] = defaultdict(list)
        self._cancelled: set[int] = set()
        self._spent: dict[str, float] = defaultdict(float)
        self._jobs = 0
        self._receipts: dict[int, tuple[int, float]] = {}
        self._stops: dict[str, dict[str, float]] = defaultdict(dict)
        self._replies: dict[int, Reply] = {}
        self._deleted: set[int] = set()
        #: Token of its page → a consumer key that was asked for while this world ran.
        self.asked: dict[str, Credential] = {}
        for record in records:
            self.append(record)

    def append(self, record: Record) -> None:
        """Take one more line in. Raises KeyError, TypeError, ValueError or OverflowError for what is none."""
        if "cancelled" in record:
            sms = self._named(record["cancelled"])
            self._cancelled.add(sms.id)
            if self.settings.cancel_refunds:
                self._spent[sms.service] -= sms.credits
        elif "receipt" in record:
            self._receipts[record["receipt"]] = (record["ptt"], record["at"])
        elif "stop" in record:
            self._stops[record["service"]].setdefault(record["stop"], record["at"])
        elif "reply" in record:
            self._answer(record)
        elif "deleted" in record:
            self._deleted.add(record["deleted"])
        elif "asked" in record:
            self.asked[record["asked"]] = self._credential(record)
        elif "decided" in record:
            self.asked[record["decided"]] = replace(self.asked[record["decided"]], state=record["state"])
        else:
            self._take(Sms.of(record))
            return
        self._others[len(self)] = record

    def _take(self, sms: Sms) -> None:
        before = self._posts[-1] if self._posts else sms
        if before is sms or before[_OWN:] != sms[_OWN:]:
            self._by_tag[sms.tag].append(len(self._posts))
            # What is as in the POST before is held once: texts for each receiver may make a million POSTs.
            self._posts.append(Sms._make(old if old == new else new for old, new in zip(before, sms, strict=True)))
            self._firsts.append(len(self._ids))
            self._jobs = max(self._jobs, sms.job_number)
        self._add(sms.id, sms.receiver, sms.credits)

    def append_like(self, number: int, receiver: str) -> None:
        """Take in an SMS that is as the one before in all but its id and receiver. Raises as `append` does."""
        self._add(number, receiver, self._credits[-1])

    def _add(self, number: int, receiver: str, credit: float) -> None:
        if self._ids and number <= self._ids[-1]:
            raise ValueError("ids ascend")
        self._ids.append(number)
        self._receivers.append(int(receiver))
        self._credits.append(credit)
        self._spent[self._posts[-1].service] += credit

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._ids) + len(self._others)

    def since(self, known: int) -> list[Record]:
        """The lines after so many."""
        news = range(known, len(self))
        sms = self._records(len(self._ids) - sum(line not in self._others for line in news))
        return [self._others[line] if line in self._others else next(sms) for line in news]

    def _records(self, first: int = 0) -> Iterator[Record]:
        """The lines of the SMS, from one on."""
        for post in range(max(bisect_right(self._firsts, first) - 1, 0), len(self._posts)):
            line = self._posts[post].record()
            for one in self._of_post(post):
                if one >= first:
                    yield line | {
                        "id": self._ids[one],
                        "receiver": f"+{self._receivers[one]}",
                        "credits": self._credits[one],
                    }

    def _of_post(self, post: int) -> range:
        """Which of all SMS are those of a POST."""
        is_last = post + 1 == len(self._posts)
        return range(self._firsts[post], len(self._ids) if is_last else self._firsts[post + 1])

    def _sms(self, one: int) -> Sms:
        """One of all SMS."""
        shared = self._posts[bisect_right(self._firsts, one) - 1]
        return shared._replace(id=self._ids[one], receiver=f"+{self._receivers[one]}", credits=self._credits[one])

    def _named(self, number: int) -> Sms:
        """The SMS of an id; raises KeyError."""
        one = bisect_left(self._ids, number)
        if one == len(self._ids) or self._ids[one] != number:
            raise KeyError(number)
        return self._sms(one)

    def _answer(self, record: Record) -> None:
        sms = self._named(record["to"])
        self._replies[record["reply"]] = Reply(
            id=record["reply"],
            service=sms.service,
            sender=sms.receiver,
            tag=sms.tag,
            message=record["message"],
            credits=record["credits"],
            at=record["at"],
        )
        self._spent[sms.service] += record["credits"]

    def _credential(self, record: Record) -> Credential:
        key = record["applicationKey"]
        secrets = (one.application_secret for one in self.settings.credentials if one.application_key == key)
        return Credential(
            application_key=key,
            application_secret=next(secrets),
            consumer_key=record["consumerKey"],
            rules=tuple((method, path) for method, path in record["rules"]),
            state="pendingValidation",
            allowed_ips=tuple(record["allowedIPs"]) if record["allowedIPs"] else None,
        )

    @property
    def next_job_number(self) -> int:
        """The number of the next POST that is accepted."""
        return self._jobs + 1

    def next_ids(self, count: int) -> list[int]:
        """Ids for that many SMS, ascending, not consecutive, above all others, whatever was taken out by hand."""
        known = max((self._ids[-1] - _FIRST_ID) // 3 + 1, 0) if self._ids else 0
        return [_FIRST_ID + 3 * place + place % 2 for place in range(known, known + count)]

    def spent(self, service: str) -> float:
        """Credits taken from the account so far."""
        return self._spent[service]

    def receipt(self, number: int) -> tuple[int, float] | None:
        """The ptt that was set by hand for the SMS of that id, and when."""
        return self._receipts.get(number)

    def stopped_at(self, service: str, number: str) -> float | None:
        """When somebody answered STOP while this world ran."""
        return self._stops[service].get(number)

    @property
    def next_reply_id(self) -> int:
        """The id of the next reply."""
        return _FIRST_REPLY + len(self._replies)

    def replies(self, service: str, *, deleted: bool = False) -> list[Reply]:
        """What was answered to the account, oldest first; what was deleted from the list only where that is asked."""
        return [
            one for one in self._replies.values() if one.service == service and (deleted or one.id not in self._deleted)
        ]

    def blacklist(self, service: Service) -> tuple[str, ...]:
        """Who answered STOP, before and since."""
        return (*service.blacklist, *(one for one in self._stops[service.name] if one not in service.blacklist))

    def find(self, service: str, number: int) -> Sms | None:
        """The SMS of that id, unless it was cancelled or belongs to another account."""
        try:
            sms = self._named(number)
        except KeyError:
            return None
        return sms if sms.service == service and number not in self._cancelled else None

    def all(self, service: str, *, tag: str | None = None, due_after: float | None = None) -> Iterator[Sms]:
        """The account's SMS that were not cancelled, oldest first; those of a tag, or not due by then, where asked."""
        for post in range(len(self._posts)) if tag is None else self._by_tag.get(tag, []):
            shared = self._posts[post]
            if shared.service == service and (due_after is None or shared.due_at > due_after):
                yield from (self._sms(one) for one in self._of_post(post) if self._ids[one] not in self._cancelled)

    def alive(self) -> list[Record]:
        """The lines of all SMS that were not cancelled, of all accounts."""
        return [line for line in self._records() if line["id"] not in self._cancelled]
