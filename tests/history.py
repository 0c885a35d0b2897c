"""One history from its first edit to its end: what people, runs and time do to a project, and what is true of it.

The witness is the simulator's journal alone: who was sent which SMS. Each text names its message and revision, so that
no rule of the tool is needed to read it. What the state says is only compared with it.
"""

import re
import threading
from collections import Counter, defaultdict
from contextlib import closing
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from chaos import CALM, NUMBERS, REFUSED, WELL, Process, Watch
from keeping import KINDS
from timed import Time

from smsdeclare import planning, settle
from smsdeclare.cli.opening import SIGNATURE_WINDOW
from smsdeclare.clock import timestamp
from smsdeclare.define import define
from smsdeclare.errors import StateError
from smsdeclare.events import Settled
from smsdeclare.project import read
from smsdeclare.records import STOP, Key, Stopped
from smsdeclare.schedule import LATE, TOO_CLOSE
from smsdeclare.settle import Rules
from smsdeclare.simulator.api import Simulator
from smsdeclare.states import ENDED, IN_DOUBT, State

MESSAGES = ("one", "two")
#: What differs between reasons that are one.
_TIMES = re.compile(" before [0-9].*")
_TEXT = re.compile(r"(one|two) r([0-9]+) w([0-9]+)(?: for [A-E])?")
#: How long people wait between two things they do. Seconds.
WAITS = (1, 29, 130, 600, 1201, 1801, 3600, 3 * 3600, 11 * 3600, 26 * 3600)
#: How long they wait before each of the last runs, by which everything is settled that can be.
LAST_WAITS = (timedelta(minutes=1), timedelta(minutes=40), timedelta(hours=20), timedelta(days=3))
#: So many more may post, before what never ends is wrong.
_FURTHER_RUNS = 3
#: From an edit to `sendAt`. Minutes.
DELAYS = (12, 45, 180, 780)
#: What is held goes out so much later at most than it was asked to: whole minutes are posted, and rounded up. Seconds.
_ROUNDING = 90.0
_FAR_TOO_CLOSE = TOO_CLOSE + timedelta(minutes=5)
_TAKEN = (State.ACCEPTED, State.SCHEDULED, State.DELIVERED, State.FAILED)
_NOT_TAKEN = (State.REJECTED, State.MISSED, State.CANCELLED)


class _Row(NamedTuple):
    """What the state says of one send."""

    message: str
    revision: int
    number: str
    state: State
    taken_back: str | None
    tag: str
    #: The name that the message has in the state; `message` is what its texts call it.
    name: str

    @property
    def key(self):
        return Key(self.message, self.revision, self.number)


class Message:
    """One message as the files have it."""

    def __init__(self, name):
        #: What its texts call it, whatever its name is.
        self.called = self.name = name
        self.renamed_from = None
        self.revision = self.highest = 1
        self.wording = 1
        self.enabled = True
        self.receivers = NUMBERS[:3]
        #: `sendAt`; None for now.
        self.when = None
        #: `differedPeriod`. Minutes.
        self.held = 0
        #: Revisions that ever had an end.
        self.ending = set()

    def yaml(self, place):
        """Its part of `messages` and of `receivers`."""
        text = f"{self.called} r{self.revision} w{self.wording}" + (" for {{ name }}" if place.personal else "")
        lines = [
            f"  {self.name}:",
            f"    text: '{text}'",
            f"    to: {self.called}s",
            f"    revision: {self.revision}",
            f"    enabled: {str(self.enabled).lower()}",
            (
                f"    options: {{sender: SMSDECLARE, noStopClause: {str(not place.advertising).lower()}"
                f"{f', differedPeriod: {self.held}' if self.held else ''}}}"
            ),
        ]
        if self.when:
            lines.append(f"    sendAt: '{timestamp(self.when)}'")
        if self.renamed_from:
            lines.append(f"    renamedFrom: {self.renamed_from}")
        rows = [f"      - {{number: '{one}', name: {'ABCDE'[NUMBERS.index(one)]}}}" for one in self.receivers]
        return "\n".join(lines), "\n".join((f"  {self.called}s:\n    numbers:", *rows))


class History:
    """A project, its state, the provider that it sends by, and the time that passes for all of them."""

    def __init__(self, folder, place):
        self.folder = folder
        self.place = place
        self.time = Time()
        self.watch = Watch(self.time)
        self.state = KINDS[place.keeping](folder, self.watch, place.seed)
        self.simulator = Simulator(place.settings)
        self.rules = Rules(after=place.after, trusts_absence=place.trusts_absence)
        self.margin = SIGNATURE_WINDOW
        self.messages = {name: Message(name) for name in MESSAGES}
        #: Requests that are still on their way: when they arrive, and what they are.
        self.late = []
        #: The digest of the latest plan that somebody approved.
        self.approved = None
        self.posts = 0
        self.faults = Counter()
        self.events = Counter()
        self.resends = Counter()
        #: Key of what a stop took back → when, on the provider's clock, and how often it had been resent.
        self.barred = {}
        #: Tag and number of everything that was ever in doubt, and of that what a person settled.
        self.doubted, self.resolved = set(), set()

    # — the world —

    def true_time(self):
        return self.time.now().timestamp()

    def deliver_late(self):
        """Let the requests arrive whose time has come."""
        while self.late and min(self.late, key=lambda one: one[0])[0] <= self.true_time():
            request = min(self.late, key=lambda one: one[0])
            self.late.remove(request)
            at, method, path, headers, body = request
            self.posts += method == "POST"
            self.simulator.handle(method, path, headers, body, at)

    def files(self):
        """Today's definitions, and what they expand to."""
        messages, receivers = zip(*(message.yaml(self.place) for message in self.messages.values()), strict=True)
        return _defined(
            self.folder,
            "version: 1\nproject: test\ntimezone: UTC\n"
            f"provider: {{name: ovh, endpoint: ovh-eu, receiversPerJob: {self.place.receivers_per_job}}}\n"
            + "\n".join(("messages:", *messages, "receivers:", *receivers, "")),
        )

    # — what people do —

    def edit(self, what, message, value):  # noqa: C901 - one case for each kind of edit
        one = self.messages[MESSAGES[message % len(MESSAGES)]]
        match what:
            case "revise":
                one.revision, one.wording = one.highest + 1, one.wording + 1
                one.when, one.held = None, 0
            case "reword":
                one.wording += 1
            case "lower":
                one.revision = max(1, one.revision - 1)
            case "receivers":
                one.receivers = [number for place, number in enumerate(NUMBERS) if value >> place & 1] or [NUMBERS[0]]
            case "when":
                due = self.time.now() + timedelta(minutes=DELAYS[value % len(DELAYS)])
                one.when, one.held = due.replace(second=0, microsecond=0), 0
            case "hold":
                one.when, one.held = None, DELAYS[value % len(DELAYS)]
            case "now":
                one.when, one.held = None, 0
            case "rename":
                # As it has to be: from the name that the state knows, if it knows one.
                one.renamed_from = next((row.name for row in self.record() if row.message == one.called), None)
                one.name = f"{one.called}-{value}" if one.renamed_from != f"{one.called}-{value}" else one.called
            case "switch":
                one.enabled = not one.enabled
        one.highest = max(one.highest, one.revision)
        if one.when:
            one.ending.add(one.revision)
        due = one.when or f"in {one.held} minutes"
        return f"{one.name} r{one.revision} w{one.wording} {due} to {len(one.receivers)}, from {one.renamed_from}"

    def plan(self, ordeal=CALM):
        def look(process, run):
            self.approved = process.work_out(run).plan.digest

        return Process(self, ordeal).run(look)

    def advance(self, wait, nudge=0.0):
        """Time passes: so many seconds, or until shortly before or after the next thing that the provider holds."""
        if wait < len(WAITS):
            self.time.sleep(WAITS[wait])
        else:
            ahead = self.place.settings.clock_ahead
            due = [sms["dueAt"] - ahead for sms in self.simulator.history.alive()]
            left = min((one - self.true_time() for one in due if one > self.true_time()), default=0.0)
            self.time.sleep(max(0.0, left + nudge))
        self.deliver_late()
        return timestamp(self.time.now())

    def skew(self, seconds):
        """Somebody sets the tool's clock."""
        self.watch.ahead = timedelta(seconds=seconds)

    def stranger(self, number, minutes):
        """A colleague writes to one of our receivers from the panel, with the same account."""
        from smsdeclare.simulator.posting import post_job

        body = f'{{"message": "hello", "receivers": ["{NUMBERS[number % 4]}"], "sender": "SMSDECLARE", '
        body += f'"differedPeriod": {minutes}}}'
        at = self.true_time() + self.place.settings.clock_ahead
        post_job(self.simulator.history, self.place.settings.services[0], body.encode(), at)

    # — runs —

    def apply(self, ordeal=CALM, *, is_approved=False, wait=0, only=None):
        return Process(self, ordeal).run(self._applying(is_approved=is_approved, wait=wait, only=only))

    def _applying(self, *, is_approved=False, wait=0, only=None):
        approved = self.approved if is_approved else None
        target = () if only is None else (f"message.{self.messages[MESSAGES[only]].name}",)
        return lambda process, run: process.apply(run, approved, timedelta(minutes=wait), target)

    def settle(self, ordeal=CALM):
        return Process(self, ordeal).run(Process.settle)

    def refresh(self, ordeal=CALM):
        return Process(self, ordeal).run(Process.refresh)

    def stop(self, ordeal=CALM, *, cancel=False):
        def body(process, run):
            run.ledger.stop(Stopped(reason="test", actor="test", at=timestamp(self.watch.now())))
            if cancel:
                process.settle(run)
                run.take_back_everything(process.stop)

        return Process(self, ordeal).run(body) if self.state.exists else "no state"

    def resume(self):
        if self.state.exists:
            with closing(self.state.ledger()) as ledger:
                ledger.resume(timestamp(self.watch.now()))

    def resend(self, pick):
        """Somebody wants one to go out once more."""
        found = [one for one in self.record() if one.state in ENDED or one.taken_back == STOP]
        if not found:
            return "nothing has ended"
        one = found[pick % len(found)]
        with closing(self.state.ledger()) as ledger:
            try:
                ledger.resend([Key(one.name, one.revision, one.number)], "a test", timestamp(self.watch.now()))
            except StateError:
                return "refused"
        self.resends[one.key] += 1
        return f"{one.key}"

    def resolve(self, pick):
        """Somebody who knows what is true says it, where the tool lets them: as `smsdeclare resolve` does."""
        found = [one for one in self.record() if one.state in IN_DOUBT]
        if not found:
            return "nothing is in doubt"
        one = found[pick % len(found)]
        with closing(self.state.ledger()) as ledger:
            (job,) = [job for job in ledger.posted_in_doubt() if job.tag == one.tag]
            job = job._replace(states={one.number: job.states[one.number]})
            sms = self.living_by_tag()[one.tag, one.number]
            server_now = self.true_time() + self.place.settings.clock_ahead
            is_out = any(each["dueAt"] <= server_now for each in sms)
            if not is_out and (sms or server_now < job.not_after + self.place.after.total_seconds()):
                return "too early to say"
            by = {"actor": "a test", "reason": "seen"}
            ledger.resolve([job], sent=is_out, by=by, at=timestamp(self.watch.now()))
        self.resolved.add((one.tag, one.number))
        return f"{one.message}@{one.revision} {'sent' if is_out else 'not sent'}"

    def race(self, first, second, turns, *, is_approved=False):
        """Two applies at once; at each boundary `turns` says who goes on, and how much time passes: see `_Turns`."""
        body = self._applying(is_approved=is_approved)
        return _Turns(self, turns).run([(first, body), (second, body)])

    # — what is true —

    def record(self):
        """What the state says of each send, with the tag of its latest job."""
        if not self.state.exists:
            return []
        rows = self.state.rows(
            "SELECT s.message, s.revision, s.number, s.state, s.taken_back, j.tag FROM sends s JOIN jobs j"
            " ON j.message = s.message AND j.revision = s.revision AND j.ordinal = s.ordinal"
        )
        return [
            _Row(name.partition("-")[0], revision, number, State(state), taken_back, tag, name)
            for name, revision, number, state, taken_back, tag in rows
        ]

    def close(self):
        self.state.close()

    def living(self):
        """Key → the SMS that went out or will, oldest first."""
        found = defaultdict(list)
        for sms in self.simulator.history.alive():
            if read_text := _TEXT.fullmatch(sms["message"]):
                found[Key(read_text[1], int(read_text[2]), sms["receiver"])].append(sms)
        return found

    def living_by_tag(self):
        found = defaultdict(list)
        for sms in self.simulator.history.alive():
            found[sms["tag"], sms["receiver"]].append(sms)
        return found

    def wrongs(self):  # noqa: C901, PLR0912 - one branch for each thing that must never be
        """What must never be, at any moment."""
        living, by_tag = self.living(), self.living_by_tag()
        for key, sms in living.items():
            if len(sms) > 1 + self.resends[key]:
                yield f"twice: {key} has {len(sms)} SMS, resent {self.resends[key]} times"
        by_receiver = defaultdict(list)
        for key, sms in living.items():
            by_receiver[key.message, key.number] += [(key.revision, one) for one in sms]
        for who, sms in by_receiver.items():
            for revision, one in sms:
                # An old revision may be due before a new one is posted, and never after.
                after = one["createdAt"] + 60 * one["differedPeriod"] - _ROUNDING
                if any(higher > revision and newer["createdAt"] < after for higher, newer in sms):
                    yield f"twice: {who} gets revision {revision} after a higher one"
        for key, (since, resends) in self.barred.items():
            if resends == self.resends[key] and any(sms["createdAt"] > since for sms in living[key]):
                yield f"wrong post: {key} was taken back by a stop, and nobody resent it"
        for one in self.record():
            if one.state in IN_DOUBT:
                self.doubted.add((one.tag, one.number))
            if one.state is State.CANCELLED and one.taken_back == STOP:
                here = self.true_time() + self.place.settings.clock_ahead
                self.barred.setdefault(one.key, (here, self.resends[one.key]))
            if one.state in _TAKEN and not by_tag[one.tag, one.number]:
                yield f"lost: {one} is on record as taken and is not in the journal"
            if one.state in _NOT_TAKEN and by_tag[one.tag, one.number]:
                yield f"wrong record: {one} is in the journal"

    def end(self):
        """Nothing goes wrong any more; people wait, and run it again until nothing is left to do. What is true then."""
        self.resume()
        for place, wait in enumerate(LAST_WAITS):
            self.time.sleep(wait.total_seconds())
            self.deliver_late()
            before = self.posts
            said = self.apply()
            yield from self.wrongs()
            if place == 0 and said == WELL:
                yield from self.stale()
            is_open = any(one.state in IN_DOUBT for one in self.record()) or "" in dict(self.missing()).values()
            if place and self.posts == before and not self.late and not is_open:
                # This run was one more, and had nothing to do.
                break
        else:
            # The last of these may have found the first SMS to compare with, and so freed what the next one posts.
            for _ in range(_FURTHER_RUNS):
                before = self.posts
                self.apply()
                if self.posts == before:
                    break
                yield from self.wrongs()
                self.time.sleep(LAST_WAITS[-1].total_seconds())
            else:
                yield f"not quiet: {_FURTHER_RUNS} more runs, each posts again"
        for key, reason in self.missing():
            self.events[reason or "lost"] += 1
            if not reason:
                yield f"lost: {key} has no SMS"

    def stale(self):
        """What the provider still holds and the files do not ask for, after a run in which nothing went wrong."""
        states = {(one.tag, one.number): one.state for one in self.record()}
        now = self.true_time() + self.place.settings.clock_ahead
        for key, sms in self.living().items():
            asked = self.messages[key.message]
            for one in sms:
                words = _TEXT.fullmatch(one["message"])
                is_asked = (
                    asked.enabled
                    and key.number in asked.receivers
                    and (
                        key.revision > asked.revision
                        or (key.revision, int(words[3])) == (asked.revision, asked.wording)
                    )
                )
                # The night may hold it for longer, but its time is the one that it was posted for.
                due = min(one["dueAt"], one["createdAt"] + 60 * one["differedPeriod"])
                is_held = one["differedPeriod"] and due > now + _FAR_TOO_CLOSE.total_seconds()
                state = states.get((one["tag"], key.number))
                if is_held and not is_asked and state not in (*IN_DOUBT, State.NOT_SENT):
                    yield f"stale: {key} is held and not asked for, on record as {state}"

    def missing(self):
        """Whoever is asked for and has nothing, and the reason; empty where there is no good one."""
        living, record = self.living(), {one.key: one for one in self.record()}
        for message in self.messages.values():
            for number in message.receivers if message.enabled else ():
                key = Key(message.called, message.revision, number)
                if not living[key]:
                    yield key, self._reason(key, message, record)

    def _reason(self, key, message, record):  # noqa: PLR0911 - one for each reason
        one = record.get(key)
        others = [each for each in record.values() if (each.message, each.number) == (key.message, key.number)]
        # A message can't be renamed while any of it is in doubt, and until it is nothing goes on.
        blocked = [each.name != self.messages[each.message].name for each in record.values() if each.state in IN_DOUBT]
        if any(blocked) or any(each.state in IN_DOUBT for each in others):
            return "with a person"
        higher = [each for each in others if each.revision > key.revision]
        # A send that is to be resent was had once.
        if any(each.state not in (State.NOT_SENT, State.CANCELLED) or self.resends[each.key] for each in higher):
            return "had a higher revision"
        if one and one.state is State.REJECTED and key.number == REFUSED:
            return "refused"
        if one and one.state is State.MISSED and key.revision in message.ending:
            return "missed"
        if one and one.state is State.CANCELLED and one.taken_back == STOP:
            return "taken back by a stop"
        is_late = message.when is not None and self.time.now() > message.when + LATE
        if is_late and (one is None or one.state in (State.NOT_SENT, State.CANCELLED)):
            return "closed"
        return ""

    def doubts(self):
        """Of each send that was ever in doubt and no person settled: whether it was taken, and why it is still open.

        The reasons are those of a last look; empty for what is settled.
        """
        posted = {(sms["tag"], sms["receiver"]) for sms in self.simulator.journal if "tag" in sms}
        open_ones = self._still_open()
        for one in self.doubted - self.resolved:
            yield one in posted, open_ones.get(one, "")

    def _still_open(self):
        """Tag and number of all that is in doubt → why."""
        why = {}

        def look(process, run):
            opened = run.opened
            for event in settle.settle(run.ledger, opened.provider, opened.clock, opened.rules):
                if isinstance(event, Settled):
                    why.update({(event.job.tag, number): reason for number, reason in event.left.items()})

        in_doubt = [one for one in self.record() if one.state in IN_DOUBT]
        if not in_doubt:
            return {}
        Process(self, CALM).run(look)
        left = [one for one in self.record() if one.state in IN_DOUBT]
        return {
            (one.tag, one.number): "whether it was taken back"
            if one.state is State.CANCELLING
            else _TIMES.sub("", why.get((one.tag, one.number), "no look"))
            for one in left
        }


@lru_cache(maxsize=4096)
def _defined(folder, text):
    """Definitions of a project of one file, and what they expand to."""
    (folder / "smsdeclare.yaml").write_text(text, encoding="utf-8")
    definitions = define(read(folder))
    return definitions, planning.expand(definitions)


class _Turns:
    """Two runs that take turns: at each boundary a figure says whether the other goes on, and what time passes."""

    #: Seconds that pass, by figure; an odd figure hands over.
    PAUSES = (0.0, 0.0, 25.0, 25.0, 1900.0, 1900.0)

    def __init__(self, history, turns):
        self._history = history
        self._turns = list(turns)
        self._gates = []
        self._over = set()
        self.results = {}

    def run(self, works):
        self._gates = [threading.Semaphore(0) for _ in works]
        threads = [
            threading.Thread(target=self._work, args=(me, ordeal, body)) for me, (ordeal, body) in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        self._gates[0].release()
        for thread in threads:
            thread.join()
        for result in self.results.values():
            if isinstance(result, BaseException):
                raise result
        return "; ".join(self.results[me] for me in sorted(self.results))

    def _work(self, me, ordeal, body):
        self._gates[me].acquire()
        try:
            self.results[me] = Process(self._history, ordeal, lambda _: self._cross(me)).run(body)
        except BaseException as error:  # noqa: BLE001 - it is raised where the race was begun
            self.results[me] = error
        finally:
            self._over.add(me)
            self._gates[1 - me].release()

    def _cross(self, me):
        figure = self._turns.pop(0) if self._turns else 0
        self._history.time.sleep(self.PAUSES[figure % len(self.PAUSES)])
        if figure % 2 and 1 - me not in self._over:
            self._gates[1 - me].release()
            self._gates[me].acquire()
