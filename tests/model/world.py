"""A small world: two runs of the product, its ledger, a provider, time, and people, in every order there is.

The provider takes a request as long as its signature is young, at once, late, or never; what it took shows in its
lists late. A run may be paused anywhere for any time, and be killed anywhere.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import runs as processes
from books import BEGAN, BINDING, OLD, TICK, Books, moment
from setting import NUMBERS

from smsdeclare import codes, document, planning
from smsdeclare.clock import timestamp
from smsdeclare.define import define
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError, SmsdeclareError
from smsdeclare.project import Project
from smsdeclare.provider import Accepted, Refused, Unreached
from smsdeclare.records import Intent, Key, Outcome, Stopped
from smsdeclare.settle import Rules
from smsdeclare.states import State

#: Who had the message that the control is taken from.
CONTROL = "+33639980009"
OFF = (processes.OFF, 0, 0)
#: Calls that go on at once with the step before: what they read can't change between, or only where that is looked at
#: by another world, in which each is a step of its own.
QUIET = frozenset(
    {("post", name) for name in ("ledger.next_tags", "provider.sent", "ledger.has_given_out")}
    | {("settle", f"ledger.{name}") for name in ("posted_released", "trusts_absence", "control", "posted_held")}
    | {("settle", "ledger.is_on_record"), ("finish", "ledger.posted_in_doubt")}
)
_RIGHTS = Diagnostic(code=codes.PROVIDER_UNREACHABLE, detail="")


class World:
    """States, and what may follow each: (ledger, requests, sms, deletes, runs, counts, allowed, fault).

    A request is (tag, numbers, status, age, ticks to be held, report): F under way, A taken, X refused, H too fast. An
    SMS is (tag, number, place, age, ticks to its time): N sent and not listed yet, j held and not listed yet, J in
    `jobs`, G between the lists, O in `outgoing`, C taken back, P forgotten. A run is (place, ticks since its clock was
    read, whether it has posted or slept). The counts say how often something may still happen: weeks, stops, resends,
    restores, edits. `allowed` has the sends that may be there once more, since somebody had them sent again.
    """

    def __init__(self, setting, code):
        self.setting = s = setting
        after = s.after if s.after is not None else s.longest
        rules = Rules(after=after * TICK, trusts_absence=s.after is not None, moving=s.moving * TICK)
        self.limit = max(after, s.window, s.lag or 0, 2) + 1
        # A control is read in one step with the time, or that much later.
        later = self.limit if s.moving or not s.quiet else 0
        self.books = Books(code, self.limit + bool(later), 1 + later)
        self.runs = processes.Runs(code, rules, self._is_hasty, self.limit)
        self._rules, self._reading, self._planning = rules, code.ovh_answers, code.planning
        self._done, self._read, self._numbers, self._answers = {}, {}, {}, []
        self._judged, self._tags, self._waits = {}, {}, {}
        self._ids = {}
        self._steps = {}
        self._files = [[_definitions(each, s, place) for place, each in enumerate(_spread(edition, s.runners))]
                       for edition in s.files]  # fmt: skip
        self._same = {one.name: one.renamed_from or one.name for one in s.messages}
        self._symmetric = all(len(edition) == 1 for edition in s.files) and len(s.per_job) == 1
        self._start = self._first_ledger()
        self._approved = {}

    def _first_ledger(self):
        number = self.books.empty()
        if not self.setting.control:
            return number
        blank = dict.fromkeys(("text_digest", "template_digest", "plan_digest"), "c")
        intent = Intent(message="c", revision=1, numbers=(CONTROL,), options="{}", claimed_at=timestamp(BEGAN), **blank)
        request = SimpleNamespace(not_after=int(BEGAN.timestamp()), body_digest="d")
        number, claimed = self.books.do(number, 0, lambda book: book.claim(intent, lambda _: request, epoch=1))
        outcome = Outcome(states={CONTROL: State.ACCEPTED}, at=timestamp(BEGAN))
        number, _ = self.books.do(number, 0, lambda book: book.record(claimed[0], outcome))
        self._control_tag = claimed[0].tag
        for _ in range(self.books.limit):
            number = self.books.aged(number)
        return number

    # — what `search.explore` asks —

    def initial(self):
        s = self.setting
        sms = ((self._control_tag, CONTROL, "O", 0, None),) if s.control else ()
        if s.stranger:
            sms = (("", NUMBERS[0], "J", 0, None), *sms)
        counts = (s.weeks, s.stops, s.resends, s.restores, len(s.files) - 1)
        return (self._start, (), tuple(sorted(sms, key=str)), (), (OFF,) * s.runners, counts, (), "")

    def after(self, state):
        return [state for _, _, state in self._moves(state)]

    def told(self, before, after):
        return next(f"{who} {what}".strip() for who, what, state in self._moves(before) if state == after)

    def is_end(self, state):
        if any(run != OFF for run in state[4]):
            return False
        sends, jobs, *_ = self.books.rows[state[0]]
        standing = {one[:3]: one[3] for one in sends}
        spent = sum(job[0] != "c" for job in jobs) >= self.setting.jobs
        for message in self.setting.files[len(self.setting.files) - 1 - state[5][4]][0]:
            for place in message.to:
                found = standing.get((message.name, message.revision, NUMBERS[place]), "notSent")
                if found in ("accepted", "scheduled") or (found == "rejected" and self.setting.partial):
                    continue
                if found not in ("notSent", "cancelled") or not spent:
                    return False
        return True

    def reached(self):
        """In words, what became of sends on the way: a world in which nothing happens is safe in vain."""
        found = set()
        for sends, _, meta, *_ in self.books.rows:
            found |= {name for name, _ in meta}
            for message, _, _, standing, _, resends, released_from, _ in sends:
                if message != "c":
                    found |= {message, standing, "resent" if resends else "", "freed" if released_from else ""}
        return found

    def wrong(self, state):
        ledger, _, sms, _, _, _, allowed, fault = state
        if fault:
            return fault
        key = (ledger, sms, allowed)
        found = self._judged.get(key)
        if found is None:
            found = self._judged[key] = self._judge(ledger, sms, dict(allowed))
        return found

    def _judge(self, ledger, sms, allowed):
        counts = {}
        for tag, number, place, *_ in sms:
            if place != "C" and tag:
                key = (*self._tags.get(tag, ("c", 1)), number)
                counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            if count > self.setting.copies + allowed.get(key, 0):
                return "TWICE" if self.setting.copies == 1 else f"{count} TIMES"
        sends, jobs, *_ = self.books.rows[ledger]
        tags = {job[:3]: job[3] for job in jobs}
        live = {(tag, number) for tag, number, place, *_ in sms if place != "C"}
        for message, revision, number, standing, ordinal, *_ in sends:
            is_there = (tags[message, revision, ordinal], number) in live
            if standing in ("accepted", "scheduled") and not is_there:
                return f"LOST: on record as {standing}, not at the provider"
            if standing in ("rejected", "cancelled") and is_there:
                return f"WRONG: on record as {standing}, and at the provider"
        return ""

    def _is_hasty(self, phase, call):
        s = self.setting
        if not s.quiet or (phase, call.name) in QUIET:
            return s.quiet
        if call.name == "provider.held":
            return not (s.through_jobs or s.stranger or any(one.later for one in s.messages))
        return s.control and not s.blind and call.name == "provider.sent" and call.given[0] == self._control_tag

    # — what may happen —

    def _moves(self, state):
        yield from self._time(state)
        yield from self._provider(state)
        yield from self._people(state)
        for place, run in enumerate(state[4]):
            yield from self._step(state, place, run)

    def _next(self, ledger, requests, sms, deletes, running, counts, allowed, fault=""):
        """A state in the one form that stands for all that can't be told apart from it."""
        if requests:
            awaited = {self._awaited(run) for run in running}
            window = self.setting.window
            requests = tuple(
                sorted(one for one in requests if one[0] in awaited or (one[2] == "F" and one[3] <= window))
            )
        if self._symmetric:
            running = tuple(sorted(running))
        return (ledger, requests, sms, tuple(sorted(deletes)), running, counts, allowed, fault)

    def _awaited(self, run):
        """The tag of the request that a run waits for an answer to."""
        number, _, flag = run
        if not flag:
            return None
        found = self._waits.get(number)
        if found is None:
            call = self.runs.places[number].call
            is_post = call is not None and call.name == "provider.submit"
            found = self._waits[number] = call.given[0].body.decode().split()[0] if is_post else ""
        return found

    def _time(self, state):  # noqa: C901 - one branch for each thing that can't wait
        ledger, requests, sms, deletes, running, counts, allowed, _ = state
        s = self.setting
        lag = s.lag
        for _, _, place, age, left in sms:
            if (place in "Nj" and lag is not None and age >= lag) or (place == "G" and age >= s.gap):
                return
            if place in "Jj" and left is not None and left <= 0:
                return
        aged = []
        for run in running:
            number, elapsed, flag = run
            place = self.runs.places[number]
            if place.counts_time and not (flag and place.call.name == "provider.submit"):
                if place.phase[0] in ("settle", "post"):
                    elapsed = min(elapsed + 1, self.limit)
                elif elapsed >= s.longest:
                    return
                else:
                    elapsed += 1
            if number != processes.OFF and place.call.name == "sleep":
                flag = 1
            aged.append((number, elapsed, flag))
        yield (
            "", "a tick passes",
            self._next(
                self.books.aged(ledger),
                tuple((*one[:3], min(one[3] + 1, s.window + 1), *one[4:]) for one in requests),
                tuple(
                    (tag, number, place, min(age + 1, lag or 0) if place in "Nj" else age + 1 if place == "G" else age,
                     left if left is None else left - 1 if place in "Jj" else None)
                    for tag, number, place, age, left in sms
                ),
                tuple((*one[:2], one[2] + 1) for one in deletes if one[2] < s.window),
                tuple(aged), counts, allowed,
            ),
        )  # fmt: skip
        if counts[0] and all(run == OFF for run in running) and not any(place in "NjJG" for _, _, place, *_ in sms):
            kept = tuple((tag, number, place, OLD, None) for tag, number, place, *_ in sms)
            if s.forgets:
                kept = tuple((*one[:2], "P" if one[2] == "O" and one[1] != CONTROL else one[2], *one[3:])
                             for one in kept)  # fmt: skip
            yield (
                "", "eight days pass",
                self._next(self.books.aged(ledger, OLD), (), kept, (), running, (counts[0] - 1, *counts[1:]), allowed),
            )  # fmt: skip

    def _provider(self, state):  # noqa: C901, PLR0912 - one branch for each thing that may happen
        ledger, requests, sms, deletes, running, counts, allowed, _ = state
        s = self.setting

        def moved(requests=requests, sms=sms, deletes=deletes):
            return self._next(ledger, requests, tuple(sorted(sms, key=str)), deletes, running, counts, allowed)

        for place, (tag, numbers, status, age, left, _) in enumerate(requests):
            if status != "F":
                continue
            rest = requests[:place] + requests[place + 1 :]
            if age > s.window:
                yield "", f"request {tag[:4]} arrives too late", moved((*rest, (tag, numbers, "X", 0, None, ())))
                continue
            for valid, said in _verdicts(numbers, partial=s.partial):
                where = "j" if left is not None else "N"
                made = tuple((tag, number, where, 0, left) for number in valid)
                yield (
                    "", f"request {tag[:4]} is taken{'' if valid == numbers else f' for {len(valid)}'}",
                    moved((*rest, (tag, numbers, "A", 0, None, (valid, said))), sms + made),
                )  # fmt: skip
            if s.refusals:
                yield "", f"request {tag[:4]} is refused", moved((*rest, (tag, numbers, "X", 0, None, ())))
            if s.hurries:
                yield "", f"request {tag[:4]} is too fast", moved((*rest, (tag, numbers, "H", 0, None, ())))
        for place, (tag, number, where, _, left) in enumerate(sms):
            rest = sms[:place] + sms[place + 1 :]
            name = f"SMS {tag[:4] or 'of a stranger'}"
            if where == "N":
                yield "", f"{name} shows in outgoing", moved(sms=(*rest, (tag, number, "O", 0, None)))
                if s.through_jobs:
                    yield "", f"{name} shows in jobs", moved(sms=(*rest, (tag, number, "J", 0, None)))
            if where == "j":
                yield "", f"{name} shows in jobs", moved(sms=(*rest, (tag, number, "J", 0, left)))
            if where in "jJ" and (left is None or left <= 0):
                yield "", f"{name} goes out", moved(sms=(*rest, (tag, number, "G", 0, None)))
            if where == "G":
                yield "", f"{name} shows in outgoing", moved(sms=(*rest, (tag, number, "O", 0, None)))
        for one in deletes:
            after = tuple(each for each in deletes if each != one)
            yield "", f"a late DELETE of {one[0][:4]} arrives", moved(sms=_dropped(sms, one[:2])[0], deletes=after)

    def _people(self, state):  # noqa: C901 - one branch for each thing that people do
        ledger, requests, sms, deletes, running, counts, allowed, _ = state
        weeks, stops, resends, restores, edits = counts

        def done(ledger=ledger, counts=counts, allowed=allowed, running=running):
            return self._next(ledger, requests, sms, deletes, running, counts, allowed)

        if self.setting.people:
            yield from self._resolved(state)
        sends, jobs, meta, *_ = self.books.rows[ledger]
        if edits:
            yield "the user", "edits the files", done(counts=(*counts[:4], edits - 1))
        if stops:
            number, _ = self._do(ledger, "stop", lambda book: book.stop(Stopped(reason="", actor="", at="then")))
            yield "somebody", "stops it", done(ledger=number, counts=(weeks, stops - 1, *counts[2:]))
            if any(one[3] == "scheduled" for one in sends) and OFF in running:
                place = running.index(OFF)
                start = self.runs.start(("stop_all", _epoch(meta)))
                new = _with(running, place, (start.number, 0, 0))
                yield (
                    "somebody", "stops it, and takes back",
                    done(ledger=number, counts=(weeks, stops - 1, *counts[2:]), running=new),
                )  # fmt: skip
        if any(name == "stopped" for name, _ in meta):
            number, _ = self._do(ledger, "resume", lambda book: book.resume("then"))
            yield "somebody", "resumes", done(ledger=number)
        if resends:
            for message, revision, number, *_ in sends:
                if message == "c":
                    continue
                key = Key(message, revision, number)
                after, answer = self._do(ledger, ("resend", key), lambda book, key=key: book.resend([key], "", "then"))
                if isinstance(answer, Exception):
                    continue
                mine = (self._same.get(message, message), revision, number)
                live = sum(
                    place != "C" and self._tags.get(tag) == mine[:2] and number == to for tag, to, place, *_ in sms
                )
                more = tuple(sorted({**dict(allowed), mine: live}.items()))
                left = (*counts[:2], resends - 1, *counts[3:])
                yield "somebody", "resends", done(ledger=after, counts=left, allowed=more)
        if restores and jobs and all(run == OFF for run in running):
            settled = not requests and all(place in "OC" for _, _, place, *_ in sms)
            if settled or self.setting.early_restores:
                yield (
                    "somebody", "restores the state of the beginning",
                    done(ledger=self._start, counts=(*counts[:3], restores - 1, counts[4])),
                )  # fmt: skip

    def _resolved(self, state):
        ledger, requests, sms, deletes, running, counts, allowed, _ = state
        _, in_doubt = self._do(ledger, "in doubt", lambda book: tuple(book.posted_in_doubt()))
        for job in in_doubt:
            is_late = moment(0).timestamp() >= job.not_after + self._rules.after.total_seconds()
            for number, standing in job.states.items():
                place = next((where for tag, to, where, *_ in sms if (tag, to) == (job.tag, number)), "")
                sent = place not in ("", "C")
                if (standing is State.CANCELLING and place in "jJG") or (
                    not sent and not (is_late or self.setting.people == "any")
                ):
                    continue
                one = job._replace(states={number: standing})
                after, answer = self._do(
                    ledger,
                    ("resolve", job.tag, number, standing, sent),
                    lambda book, one=one, sent=sent: book.resolve(
                        [one], sent=sent, by={"actor": "", "reason": ""}, at="then"
                    ),
                )
                if not isinstance(answer, Exception):
                    yield (
                        "a person", f"says {'sent' if sent else 'not sent'} of {job.tag[:4]}",
                        self._next(after, requests, sms, deletes, running, counts, allowed),
                    )  # fmt: skip

    def _do(self, ledger, key, action):
        found = self._done.get((ledger, 0, key))
        if found is None:
            found = self._done[ledger, 0, key] = self.books.do(ledger, 0, action)
        return found

    # — one step of a run —

    def _step(self, state, place, run):
        """What one run may do next, whatever the other does."""
        ledger, requests, sms, deletes, running, counts, allowed, _ = state
        name = "AB"[place] if place < 2 else "C"
        wish = (len(self.setting.files) - 1 - counts[4], 0 if self._symmetric else place)
        key = (run, ledger, requests, sms, deletes, wish)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = tuple(self._steps_of(state, run, wish))
        for what, (ledger, requests, sms, deletes), after, fault in found:
            running_then = _with(running, place, after)
            yield name, what, self._next(ledger, requests, sms, deletes, running_then, counts, allowed, fault)

    def _steps_of(self, state, run, wish):
        """In words, what a step leaves of ledger, requests, SMS and deletes, where the run stands then, and a fault."""
        ledger, requests, sms, deletes, *_ = state
        world = (ledger, requests, sms, deletes)
        number, elapsed, flag = run
        if number == processes.OFF:
            _, _, meta, *_ = self.books.rows[ledger]
            if not any(one == "stopped" for one, _ in meta):
                yield "starts", world, (self.runs.start(("settle", _epoch(meta), wish)).number, 0, 0), ""
            return
        at = self.runs.places[number]
        if self.setting.crashes:
            yield "is killed", world, OFF, ""
        while at.is_lazy:
            at, elapsed = self.runs.framed_anew(at, elapsed), 0
            at = self.runs.answered(at, *self._kept((0,), lambda: BEGAN))
        for what, changed, answer in self._call(state, at, elapsed, flag):
            new = {"ledger": ledger, "requests": requests, "sms": sms, "deletes": deletes, "fault": ""} | changed
            if answer is _WAITS:
                after = (at.number, 0, 1)
            elif answer is _ENDS:
                after = OFF
            else:
                after = self._gone_on(new, at, elapsed, *answer)
            yield what, (new["ledger"], new["requests"], new["sms"], new["deletes"]), after, new["fault"]

    def _gone_on(self, new, at, elapsed, answer, number):
        """Where a run stands after an answer, and after what goes on at once."""
        while True:
            if at.reads_time:
                at, elapsed = self.runs.framed_anew(at, elapsed), 0
                answer, number = self._kept((0,), lambda: BEGAN)
            at = self.runs.answered(at, answer, number)
            if not at.counts_time:
                elapsed = 0
            while at.call is None:
                if at.then is None:
                    return OFF
                is_one_frame = at.phase[0] == "take_back" or at.then[0] == "take_back"
                elapsed = elapsed if is_one_frame else 0
                at = self.runs.start(at.then)
            if at.is_lazy or not at.is_hasty:
                return (at.number, elapsed if at.counts_time else 0, 0)
            ((_, changed, (answer, number)),) = self._call(
                (new["ledger"], new["requests"], new["sms"], new["deletes"]), at, elapsed, 0
            )
            new |= changed

    def _call(self, state, at, elapsed, flag):
        """What a call of a run may come to: in words, what changes, and the answer with its number."""
        ledger, requests, sms, deletes, *_ = state
        call = at.call
        name = call.name
        if name.startswith("ledger."):
            yield from self._ledger_call(ledger, at, elapsed)
        elif name == "plan":
            yield "plans", {}, self._kept(("plan", ledger, elapsed, at.key), lambda: self._plan(ledger, elapsed, call))
        elif name == "sleep":
            if flag:
                yield "wakes up", {}, self._numbered(None)
        elif name in ("provider.now", "provider.time"):
            yield "reads the time", {}, self._kept((elapsed,), lambda: moment(elapsed))
        elif name in ("provider.held", "provider.sent"):
            read = self._held if name == "provider.held" else self._sent
            what = "looks into jobs" if name == "provider.held" else f"looks into outgoing for {call.given[0][:4]}"
            yield what, {}, self._kept((at.key, sms, elapsed), lambda: read(sms, elapsed, *call.given))
        elif name == "provider.take_back":
            yield from self._delete(sms, deletes, call.given[0])
        elif name == "provider.submit":
            yield from self._post(requests, call.given[0], elapsed, flag)

    def _ledger_call(self, ledger, at, elapsed):
        call = at.call
        what = call.name.removeprefix("ledger.")
        if what == "claim_all" and self._spent(ledger):
            record = processes.Call("ledger.record_all", (call.more["outcomes"],))
            after, _ = self.books.do(ledger, elapsed, partial(_carry_out, record, "record_all", moment(elapsed)))
            yield "has no job left", {"ledger": after}, _ENDS
            return
        key = (ledger, elapsed, at.key)
        found = self._done.get(key)
        if found is None:
            after, answer = self.books.do(ledger, elapsed, partial(_carry_out, call, what, moment(elapsed)))
            fault = ""
            if what == "claim_all" and not isinstance(answer, Exception):
                fault = next((bad for one in answer if one and (bad := self._check_claim(ledger, one[0]))), "")
            found = self._done[key] = ({"ledger": after, "fault": fault}, self._numbered(answer))
        changed, answer = found
        yield f"ledger: {what}", changed, answer

    def _check_claim(self, ledger, claim):
        """Keep whose the tag is; what must not be claimed."""
        self._tags[claim.tag] = (self._same.get(claim.message, claim.message), claim.revision)
        sends, _, meta, *_ = self.books.rows[ledger]
        if any(name == "stopped" for name, _ in meta):
            return "CLAIMED although it is stopped"
        barred = {one[2] for one in sends if (one[3], one[7]) == ("cancelled", "stop") and one[0] == claim.message}
        return "CLAIMED what a stop took back" if barred & set(claim.numbers) else ""

    def _spent(self, ledger):
        return sum(job[0] != "c" for job in self.books.rows[ledger][1]) >= self.setting.jobs

    def _plan(self, ledger, elapsed, call):
        wish, approved = call.given
        edition, place = wish
        definitions, expanded = self._files[edition][place]
        if self.setting.approved:
            approved = self._approved.get(wish) or self._approved.setdefault(
                wish, self._draft(self._start, 0, definitions, expanded, None).digest
            )
        draft = self._draft(ledger, elapsed, definitions, expanded, approved)
        return None if draft is None or approved not in (None, draft.digest) else draft

    def _draft(self, ledger, elapsed, definitions, expanded, approved):
        _, draft = self.books.do(
            ledger,
            elapsed,
            lambda book: self._planning.work_out(
                definitions, expanded, book, BINDING, now=moment(elapsed), approved=approved
            ),
        )
        if isinstance(draft, SmsdeclareError):
            return None
        return _Draft(draft.plan.digest, draft.jobs, draft.take_backs, draft.renames)

    def _held(self, sms, elapsed):
        return tuple(self._listed(one, elapsed, is_held=True) for one in sms if one[2] == "J")

    def _sent(self, sms, elapsed, tag, since=None):
        if self.setting.blind:
            return ()
        found = [self._listed(one, elapsed, is_held=False) for one in sms if one[2] == "O" and one[0] == tag]
        return tuple(one for one in found if since is None or one.created_at >= since)

    def _listed(self, one, elapsed, *, is_held):
        tag, number, _, age, _ = one
        made = BEGAN - OLD * TICK if age == OLD else BEGAN
        spelled = f"00{number[1:]}" if self.setting.zeros else number
        return self._reading.read_listed(
            {"id": self._id(tag, number), "receiver": spelled, "creationDatetime": made.isoformat()}
            | ({} if is_held else {"tag": tag})
        )

    def _id(self, tag, number):
        return self._ids.setdefault((tag, number), len(self._ids) + 1)

    def _delete(self, sms, deletes, sms_id):
        mine = next(one for one, number in self._ids.items() if number == sms_id)
        after, was_there = _dropped(sms, mine)
        yield f"DELETE of {mine[0][:4]}: {'done' if was_there else '404'}", {"sms": after}, self._numbered(was_there)
        if not any(one[:2] == mine for one in deletes):
            lost = self._numbered(ProviderError(_RIGHTS))
            yield f"DELETE of {mine[0][:4]}: no answer", {"deletes": (*deletes, (*mine, 0))}, lost

    def _post(self, requests, prepared, elapsed, flag):
        tag, *numbers = prepared.body.decode().split()
        if not flag:
            # A run counts time from the moment at which it signed; a request, how long it asks to be held.
            age = elapsed
            later = round((prepared.not_after - BEGAN.timestamp()) / TICK.total_seconds())
            request = (tag, tuple(numbers), "F", min(age, self.setting.window + 1), later if later > 0 else None, ())
            yield f"POSTs {tag[:4]}", {"requests": (*requests, request)}, _WAITS
            if self.setting.unreached:
                yield "can't connect", {}, self._numbered(Unreached(reason=""))
            return
        for one, _, status, _, _, report in requests:
            if one == tag and status != "F":
                yield f"reads the answer to {tag[:4]}", {}, self._numbered(self._reply(tag, status, report))
        yield f"gets no answer to {tag[:4]}", {}, self._numbered(None)

    def _reply(self, tag, status, report):
        if status == "A":
            valid, said = report
            ids = tuple(self._id(tag, number) for number in valid)
            spell = (lambda number: self._reading.e164(f"00{number[1:]}")) if self.setting.zeros else str
            listed, refused = (tuple(map(spell, numbers)) for numbers in said)
            return Accepted(valid=listed, invalid=refused, ids=ids, credits=None, query_id="q")
        if status == "X":
            return Refused(status=403, code=codes.PROVIDER_REFUSED, message="", advice="", query_id="q")
        return Refused(status=429, code=codes.TOO_FAST, message="", advice="", query_id="q", wait=0.0)

    def _kept(self, key, make):
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = self._numbered(make())
        return found

    def _numbered(self, answer):
        text = repr(answer)
        return answer, self._numbers.setdefault(text, len(self._numbers))


@dataclass(frozen=True)
class _Draft:
    """What of a plan's draft a run goes by."""

    digest: str
    jobs: tuple
    take_backs: tuple
    renames: tuple


_WAITS = object()
_ENDS = object()


def _carry_out(call, what, now, book):
    """One call to the real ledger."""
    if what == "trusts_absence":
        return book.trusts_absence
    if what == "rename":
        book.rename(*call.given)
        return book.epoch
    if what == "claim_all":
        signing = (now, lambda job: job.slot_at(now).due or now)
        wanted = [(intent, partial(live, signing)) for intent, live in zip(call.given[0], call.live, strict=True)]
        return tuple(book.claim_all(wanted, **call.more))
    found = getattr(book, what)(*call.given, **call.more)
    return tuple(found) if isinstance(found, list) else found


def _verdicts(numbers, *, partial):
    """Whom the provider takes, and what its report says: whom it took, whom it refused."""
    yield numbers, (numbers, ())
    if partial:
        for number in numbers:
            rest = tuple(one for one in numbers if one != number)
            yield rest, (rest, (number,))
            yield numbers, (rest, ())


def _dropped(sms, mine):
    """The SMS after one was asked to be dropped; whether it was there."""
    for place, one in enumerate(sms):
        if one[:2] == mine and one[2] in "jJ":
            rest = (*sms[:place], (*mine, "C", 0, None), *sms[place + 1 :])
            return tuple(sorted(rest, key=str)), True
    return sms, False


def _with(values, place, value):
    return (*values[:place], value, *values[place + 1 :])


def _epoch(meta):
    return int(dict(meta)["epoch"])


def _spread(edition, runners):
    """What the files say, for each runner."""
    return tuple(edition[place % len(edition)] for place in range(runners))


def _definitions(messages, setting, place):
    size = setting.per_job[place % len(setting.per_job)]
    written = f"version: 1\nproject: p\nprovider: {{name: sandbox, receiversPerJob: {size}}}\nmessages:\n"
    root = document.parse((written + "".join(one.yaml for one in messages)).encode(), file="smsdeclare.yaml")
    found = define(Project(folder=Path(), root=root, parts=(), found=(), elsewhere=frozenset(), is_complete=True))
    return found, planning.expand(found)
