"""Whatever happened to a state and its copy: an accepted push forgets nothing, a refused one changes nothing."""

import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

import ledgers
from hypothesis import event, given, settings
from hypothesis import strategies as st
from ledgers import AT, BINDING, A, B

from smsdeclare.errors import PlanStale, SmsdeclareError, StateError
from smsdeclare.records import Key, Stopped
from smsdeclare.states import BARRED, ENDED, FREE, IN_DOUBT, MOVES, State, later

MESSAGES = ("hello", "other", "third")
KEYS = st.builds(Key, st.sampled_from(MESSAGES[:2]), st.just(1), st.sampled_from([A, B]))
#: What a run, or a person, does to a state.
STEPS = st.one_of(
    st.tuples(
        st.just("send"), KEYS, st.sampled_from([State.ACCEPTED, State.SCHEDULED, State.REJECTED, State.NOT_SENT])
    ),
    st.tuples(st.just("observe"), KEYS, st.sampled_from([State.ACCEPTED, State.DELIVERED])),
    st.tuples(st.just("take_back"), KEYS, st.sampled_from(["stop", "sha256:plan"])),
    st.tuples(st.just("release"), KEYS),
    st.tuples(st.just("late"), KEYS),
    st.tuples(st.just("resend"), KEYS),
    st.tuples(st.just("miss"), KEYS),
    st.tuples(st.just("rename"), st.sampled_from(MESSAGES), st.sampled_from(MESSAGES)),
    st.tuples(st.just("complete"), st.sampled_from(MESSAGES)),
    st.tuples(st.just("stop")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("nothing")),
)
PASTS = st.lists(STEPS, max_size=8)
#: Doubt refuses nearly every push, so it is rare.
DOUBTS = st.sampled_from([None] * 6 + [State.INTENDED, State.UNKNOWN])


class Line:
    """A state that things happen to."""

    def __init__(self, path):
        self.path = path
        self.ledger = ledgers.opened(path)
        #: Message → its name now.
        self.renamed = {message: message for message in MESSAGES}

    def do(self, kind, *what):
        with suppress(SmsdeclareError):  # what a step may not do, it does not do
            getattr(self, kind)(*what)

    def nothing(self):
        pass

    def send(self, key, state):
        ledgers.send(self.ledger, state, key.number, message=key.message)

    def doubt(self, state):
        if state is State.INTENDED:
            ledgers.claim(self.ledger, A, message="third")
        elif state is State.UNKNOWN:
            ledgers.send(self.ledger, state, A, message="third")

    def observe(self, key, after):
        """What the provider says later: a legal move that is neither a claim nor a resend."""
        legal = [at.value for at in State if after in MOVES[at] and after is not State.NOT_SENT]
        self.change_one(key, f"state = '{after}'", "state IN (" + ", ".join(f"'{at}'" for at in legal) + ")")

    def take_back(self, key, by):
        self.change_one(key, f"state = 'cancelled', taken_back = '{by}'", "state = 'scheduled'")

    def release(self, key):
        """A POST of which no trace is found."""
        if self.ledger.trusts_absence and ledgers.claim(self.ledger, key.number, message=key.message):
            freed = "state = 'notSent', released_from = ordinal"
            self.change_one(key, freed, "state = 'intended' AND released_from IS NULL")
            self.change_one(key, "state = 'accepted'", "state = 'intended'")

    def late(self, key):
        """The provider lists what was given back for want of a trace."""
        self.change_one(key, "state = 'accepted'", "state = 'notSent' AND released_from = ordinal")
        self.change_one(key, "released_from = NULL", "released_from IS NOT NULL")
        ledgers.change(self.path, "INSERT INTO meta (name, value) VALUES ('absence', 'ask') ON CONFLICT DO NOTHING")

    def change_one(self, key, what, where):
        ledgers.change(
            self.path,
            f"UPDATE sends SET {what} WHERE message = '{key.message}' AND number = '{key.number}' AND {where}",
        )

    def resend(self, key):
        self.ledger.resend([key], "again", AT)

    def miss(self, key):
        self.ledger.miss(ledgers.intent(key.number, message=key.message), epoch=self.ledger.epoch)

    def rename(self, old, new):
        # A plan takes the history of a message along only to a name that has none.
        if old != new and not self.ledger.revisions(new):
            self.ledger.rename(old, new, AT)
            self.renamed = {message: new if name == old else name for message, name in self.renamed.items()}

    def complete(self, message):
        self.ledger.complete([(message, 1)], AT)

    def outgrow(self, other):
        """Write until the serial alone refuses nothing any more."""
        while int(ledgers.meta(self.path)["serial"]) <= int(ledgers.meta(other.path)["serial"]):
            self.resume()

    def stop(self):
        self.ledger.stop(Stopped(reason="enough", actor="ana", at=AT))

    def resume(self):
        self.ledger.resume(AT)


def sends(path):
    """Key → the whole row."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    found = {
        Key(row["message"], row["revision"], row["number"]): dict(row)
        for row in connection.execute("SELECT * FROM sends")
    }
    connection.close()
    return found


def jobs(path):
    return {dict(row)["tag"] for row in ledgers.rows(path, "jobs")["jobs"]}


def log(path):
    return {(dict(row)["kind"], dict(row)["detail"]) for row in ledgers.rows(path, "events")["events"]}


def is_free(row):
    return row["state"] in FREE and not (row["state"] == State.CANCELLED and row["taken_back"] == "stop")


def check_nothing_is_forgotten(before, after, renamed):
    """No send is freer than it was, but for a resend that is counted and for what was seen to be taken back."""
    for key, row in before.items():
        now = after[key._replace(message=renamed[key.message])]
        assert all(now[name] >= row[name] for name in ("attempts", "resends", "ordinal"))
        if is_free(row) or now["resends"] > row["resends"]:
            continue
        if row["state"] == State.SCHEDULED:
            assert now["attempts"] > row["attempts"] or now["state"] != State.NOT_SENT, key
            continue
        assert not is_free(now), key
        assert now["attempts"] == row["attempts"], key


@settings(max_examples=150)
@given(PASTS, PASTS, PASTS, st.booleans(), st.sampled_from([True, True, True, False]), DOUBTS, DOUBTS)
def test_an_accepted_push_forgets_nothing_and_a_refused_one_changes_nothing(
    past, here, there, is_forked, is_newer, doubt_here, doubt_there
):
    with tempfile.TemporaryDirectory() as folder:
        state, copy = Line(Path(folder) / "test.state"), Path(folder) / "copy.state"
        for step in past:
            state.do(*step)
        state.ledger.pull(copy)
        pulled = ledgers.rows(state.path)
        copy = Line(copy)
        if is_forked:
            for step in here:
                state.do(*step)
        state.do("doubt", doubt_here)
        for step in there:
            copy.do(*step)
        copy.do("doubt", doubt_there)
        if is_newer:
            copy.outgrow(state)
        all_before, before, tags, said = (
            ledgers.rows(state.path),
            sends(state.path),
            jobs(state.path),
            log(state.path),
        )
        doubtful = any(row["state"] in IN_DOUBT for row in (*before.values(), *sends(copy.path).values()))
        epochs = [state.ledger.epoch, copy.ledger.epoch]
        stopped = state.ledger.stopped or copy.ledger.stopped
        trusts = state.ledger.trusts_absence and copy.ledger.trusts_absence
        try:
            pushed = state.ledger.push(copy.path, BINDING, AT)
        except StateError as error:
            code = error.diagnostics[0].code.id
            event(code)
            assert all_before == ledgers.rows(state.path)
            # Where only the copy went on, there is nothing to refuse.
            assert all_before != pulled or doubtful, code
            return
        event(f"changed: {pushed.is_changed}")
        if not pushed.is_changed:
            assert all_before == ledgers.rows(state.path)
            return
        check_nothing_is_forgotten(before, sends(state.path), copy.renamed)
        assert tags <= jobs(state.path)
        assert said <= log(state.path)
        tables = ("sends", "jobs", "completions")
        assert ledgers.rows(copy.path, *tables) == ledgers.rows(state.path, *tables)
        assert state.ledger.epoch > max(epochs)
        assert stopped == state.ledger.stopped
        assert state.ledger.trusts_absence <= trusts
        for epoch in epochs:
            with suppress(PlanStale):
                ledgers.claim(state.ledger, B, message="fresh", epoch=epoch)
                raise AssertionError(f"a claim under the epoch {epoch} was given out")
    state.ledger.close()
    copy.ledger.close()


@given(st.sampled_from([*sorted(State), BARRED]), st.lists(st.integers(0, 10), max_size=12))
def test_every_walk_of_legal_moves_ends_where_it_may(place, choices):
    at, claims, resends = place, 0, 0
    for choice in choices:
        if at == BARRED:
            steps = [(State.NOT_SENT, 0, 1)]
        else:
            observed = MOVES[State(at)] - {State.INTENDED} - ({State.NOT_SENT} if at == State.CANCELLED else set())
            steps = [(after, 0, int(after is State.NOT_SENT and at in ENDED)) for after in observed]
            steps += [(State.INTENDED, 1, 0), (State.MISSED, 1, 0)] if at in FREE else []
            steps += [(BARRED, 0, 0)] if at == State.CANCELLING else []
        after, claimed, freed = sorted(steps)[choice % len(steps)]
        at, claims, resends = after, claims + claimed, resends + freed
    assert at in later(place, min(claims, 3), min(resends, 3))
