"""Carrying out a plan against the simulator, over a real client; the simulator's journal is the witness."""

import json
from contextlib import closing
from datetime import timedelta

import pytest
import timed
from requests import RequestException

from smsdeclare.apply import FRESH_SECONDS, JobDone, JobMissed, Trouble, apply
from smsdeclare.clock import SystemClock
from smsdeclare.columns import Text
from smsdeclare.conclusions import DOUBTS_IN_A_ROW
from smsdeclare.definitions import Times
from smsdeclare.errors import Held, PlanStale, ProviderError
from smsdeclare.jobs import Job
from smsdeclare.lanes import OneLane, Threads
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.rates import bill
from smsdeclare.records import Binding, Key, Stopped
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Credential, Service, Settings
from smsdeclare.states import State

BINDING = Binding(project="test", provider="ovh", endpoint="loopback", service="sms-ab12345-1")
NUMBERS = [f"+336399800{place:02d}" for place in range(100)]


def job(*numbers, text="Hello", **options):
    options = {"noStopClause": True, **options}
    return Job(
        message="hello",
        revision=1,
        text=Text(text, text.encode().hex().ljust(64, "0")[:64], bill(text, options)),
        template_digest="t" * 64,
        options=options,
        times=Times(),
        credits=float(len(numbers)),
        numbers=numbers,
    )


def texts(*numbers):
    """A job for each, since each has a text of its own."""
    return [job(number, text=f"Hello {place}") for place, number in enumerate(numbers)]


def other(*numbers):
    return job(*numbers)._replace(message="other")


class World:
    """A ledger, a provider over HTTP, and the journal of the simulator behind it."""

    def __init__(self, folder, script="", **settings):
        self.simulator = Simulator(Settings(**settings))
        self.server = Server(self.simulator, script=script, clock=lambda: SystemClock().now().timestamp())
        self.path = folder / "test.state"

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *caught):
        self.server.__exit__(*caught)

    def provider(self, clock=None, keys=None, requests_per_minute=None):
        (known,) = self.simulator.settings.credentials
        return OvhProvider(
            url=self.server.url,
            credentials=keys
            or ApplicationKeys(
                application_key=known.application_key,
                application_secret=known.application_secret,
                consumer_key=known.consumer_key,
            ),
            service="sms-ab12345-1",
            clock=clock or SystemClock(),
            requests_per_minute=requests_per_minute,
        )

    def apply(self, *jobs, clock=None, keys=None, stop=lambda: False, parallelism=1, requests_per_minute=None):
        ledger = SqliteLedger(self.path)
        try:
            ledger.bind(BINDING)
            provider = self.provider(clock, keys, requests_per_minute)
            clock = clock or SystemClock()
            with Threads(parallelism) as threads:
                lanes = threads if parallelism > 1 else OneLane()
                return list(apply(jobs, ledger, provider, clock, plan_digest="sha256:plan", stop=stop, lanes=lanes))
        finally:
            ledger.close()

    @property
    def posts(self):
        return sum(method == "POST" for method, *_ in self.server.requests)

    @property
    def states(self):
        ledger = SqliteLedger(self.path)
        try:
            return {record.number: record.state for record in ledger.records()}
        finally:
            ledger.close()

    @property
    def received(self):
        return [record["receiver"] for record in self.simulator.journal]


@pytest.fixture
def world(tmp_path):
    worlds = []

    def make(script="", **settings):
        worlds.append(World(tmp_path, script, **settings).__enter__())
        return worlds[-1]

    yield make
    for one in worlds:
        one.__exit__(None, None, None)


A, B, C, D = NUMBERS[:4]


def test_every_receiver_gets_one_sms_and_the_ledger_says_so(world):
    here = world()
    events = here.apply(job(A, B), job(C, text="Hello Ana"))
    assert [JobDone, JobDone] == [type(event) for event in events]
    assert sorted([A, B, C]) == sorted(here.received)
    assert {A: State.ACCEPTED, B: State.ACCEPTED, C: State.ACCEPTED} == here.states


def test_a_second_run_posts_nothing(world):
    here = world()
    here.apply(job(A, B))
    assert [] == here.apply(job(A, B))
    assert [A, B] == sorted(here.received)


def test_a_second_run_posts_only_what_the_first_had_not(world):
    here = world()
    here.apply(job(A))
    here.apply(job(A, B))
    assert [A, B] == here.received


def test_only_invalid_receivers_are_rejected_for_good(world):
    here = world(services=(Service(blacklist=(B,)),))
    here.apply(job(A, B))
    assert {A: State.ACCEPTED, B: State.REJECTED} == here.states
    assert [] == here.apply(job(B))


@pytest.mark.parametrize(
    ("letter", "reached"),
    [
        pytest.param("l", True, id="accepted, answer lost"),
        pytest.param("d", False, id="dropped before it was handled"),
        pytest.param("5", True, id="accepted, 503 in HTML"),
        pytest.param("0", True, id="accepted, 500 in JSON"),
        pytest.param("t", True, id="accepted, answer cut"),
        pytest.param("r", False, id="redirected"),
        pytest.param("x", False, id="HTML with 200"),
        pytest.param("4", False, id="403 without a query id"),
    ],
)
def test_an_answer_that_says_nothing_for_sure_is_never_followed_by_another_post(world, letter, reached):
    here = world(script=letter)
    here.apply(job(A))
    assert {A: State.UNKNOWN} == here.states
    here.apply(job(A))
    assert ([A] if reached else []) == here.received
    assert 1 == sum(method == "POST" for method, *_ in here.server.requests)


def test_three_doubts_in_a_row_end_the_run(world):
    here = world(script="llllll")
    events = here.apply(*(job(number, text="abcdef"[place]) for place, number in enumerate(NUMBERS[:6])))
    assert DOUBTS_IN_A_ROW == len(here.received)
    assert "SMS608" == events[-1].code.id


def test_doubts_that_are_not_in_a_row_do_not_end_it(world):
    here = world(script="llalla")
    here.apply(*(job(number, text="abcdef"[place]) for place, number in enumerate(NUMBERS[:6])))
    assert 6 == len(here.received)


def test_a_refusal_of_rights_leaves_everything_to_be_sent_and_ends_the_run(world):
    credential = Credential(rules=(("GET", "/sms/*"), ("GET", "/auth/*")))
    here = world(credentials=(credential,))
    events = here.apply(job(A), job(B, text="other"))
    assert ({A: State.NOT_SENT}, []) == (here.states, here.received)
    assert "granted" in events[-1].reason


def test_what_was_refused_as_a_whole_is_sent_once_the_reason_is_gone(world, tmp_path):
    broken = world(credentials=(Credential(rules=(("GET", "/sms/*"),)),))
    broken.apply(job(A))
    mended = world()
    mended.apply(job(A))
    assert ([], [A], {A: State.ACCEPTED}) == (broken.received, mended.received, mended.states)


def test_a_bad_request_leaves_that_job_and_goes_on(world):
    here = world()
    contact = "See https://example.org"
    events = here.apply(job(A, text=contact), job(C, text=contact + "/"), other(B))
    assert ({A: State.NOT_SENT, B: State.ACCEPTED}, [B]) == (here.states, here.received)
    assert ["SMS620"] == [event.code.id for event in events if isinstance(event, Trouble)]


def test_the_provider_s_clock_counts_not_ours(world):
    here = world(clock_ahead=3000.0)
    here.apply(job(A))
    assert {A: State.ACCEPTED} == here.states


def test_nothing_is_claimed_where_nobody_listens(world):
    here = world()
    here.server.__exit__(None, None, None)
    with pytest.raises(Exception, match="out of reach"):
        here.apply(job(A))
    assert {} == here.states


class Hurrying(SystemClock):
    """An hour passes at each look."""

    def __init__(self):
        self.looks = 0

    def now(self):
        self.looks += 1
        return super().now() + timedelta(hours=self.looks)


def test_what_expires_while_the_run_goes_on_is_missed_and_not_posted(world):
    here = world(signature_window=1e9)
    late = job(A, text="late")._replace(times=Times(expires_at=SystemClock().now() + timedelta(minutes=30)))
    events = here.apply(late, job(B), clock=Hurrying())
    assert ([JobMissed, JobDone], [B]) == ([type(event) for event in events], here.received)
    assert {A: State.MISSED, B: State.ACCEPTED} == here.states


def test_a_stop_is_heeded_before_the_next_claim(world):
    here = world()
    here.apply(job(A), job(B, text="other"), stop=lambda: bool(here.received))
    assert ({A: State.ACCEPTED}, [A]) == (here.states, here.received)


def serial(path):
    """Every write raises it."""
    with closing(SqliteLedger(path)) as ledger:
        return int(ledger._meta["serial"])


def test_what_came_of_a_job_is_written_with_the_claim_of_the_next(world):
    here = world()
    here.apply()
    before = serial(here.path)
    events = here.apply(*texts(*NUMBERS[:3]))
    assert (3, 4) == (len(events), serial(here.path) - before)


def test_what_was_answered_comes_on_record_where_the_next_claim_is_refused(world):
    here = world()

    def stop():
        if here.received:
            with closing(SqliteLedger(here.path)) as other:
                other.stop(Stopped(reason="wrong text", actor="ana", at="2026-12-01T08:00:00Z"))
        return False

    with pytest.raises(Held):
        here.apply(job(A), job(B, text="b"), stop=stop)
    assert ({A: State.ACCEPTED}, [A]) == (here.states, here.received)


def test_what_was_answered_comes_on_record_where_the_next_job_can_not_be_built(world):
    here = world()
    with pytest.raises(TypeError):
        here.apply(job(A), job(B, text="b", sender=object()))
    assert ({A: State.ACCEPTED}, [A]) == (here.states, here.received)


class PacedClock(SystemClock):
    """Time passes only by waiting."""

    def __init__(self):
        self.elapsed = 1000.0
        self.waits = []

    def monotonic(self):
        return self.elapsed

    def sleep(self, seconds):
        self.waits.append(round(seconds, 6))
        self.elapsed += seconds


def test_requests_keep_the_pace_that_the_project_wants(world):
    here = world()
    clock = PacedClock()
    here.apply(*texts(*NUMBERS[:3]), clock=clock, requests_per_minute=60)
    # The time, three looks of the guard, three POSTs; the first request waits for none.
    assert (3, [0.0, *[1.0] * 6]) == (len(here.received), clock.waits)


def test_what_was_answered_comes_on_record_before_the_next_turn_is_waited_for(world):
    here = world()
    found = []

    class Watching(PacedClock):
        def sleep(self, seconds):
            found.append(here.states)
            super().sleep(seconds)

    here.apply(*texts(*NUMBERS[:3]), clock=Watching(), requests_per_minute=60)
    assert [{}, {A: State.ACCEPTED}, {A: State.ACCEPTED, B: State.ACCEPTED}] == found[-3:]


def test_a_slower_pace_is_kept_and_the_job_looked_for_before_it_is_posted_again(world):
    here = world(script="99a", retry_after="7")
    clock = PacedClock()
    here.apply(job(A), job(B, text="b"), clock=clock)
    assert ([A, B], 14.0) == (here.received, sum(clock.waits))
    assert {A: State.ACCEPTED, B: State.ACCEPTED} == here.states
    paths = [f"{method} {path.split('?')[0].rpartition('/')[2]}" for method, path, _ in here.server.requests]
    assert ["POST jobs", "GET outgoing", "POST jobs", "GET outgoing", "POST jobs"] == [
        path for path in paths[paths.index("POST jobs") :] if path in ("POST jobs", "GET outgoing")
    ][:5]


def test_where_nothing_can_be_seen_a_slower_pace_ends_the_run(world):
    here = world(script="99", credentials=(Credential(rules=(("POST", "/sms/*/jobs"),)),))
    events = here.apply(job(A), clock=PacedClock())
    assert ({A: State.UNKNOWN}, "SMS617") == (here.states, events[-1].code.id)
    assert 1 == sum(method == "POST" for method, *_ in here.server.requests)


def test_without_a_word_how_long_the_pauses_grow_and_end(world):
    here = world(script="9" * 9)
    clock = PacedClock()
    events = here.apply(job(A), clock=clock)
    assert (2.0 + 4.0 + 8.0 + 16.0 + 32.0 + 64.0, []) == (sum(clock.waits), here.received)
    assert ({A: State.NOT_SENT}, "SMS617") == (here.states, events[-1].code.id)


class SlowClock(SystemClock):
    """Far more time passes between two looks at it than a signature may wait."""

    def __init__(self):
        self.elapsed = 0.0

    def monotonic(self):
        self.elapsed += FRESH_SECONDS + 1
        return self.elapsed


def test_a_signature_that_waited_too_long_is_given_back_unposted(world):
    here = world()
    events = here.apply(job(A), clock=SlowClock())
    assert ({A: State.NOT_SENT}, []) == (here.states, here.received)
    assert isinstance(events[-1], Trouble)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param({"validReceivers": [A], "invalidReceivers": []}, {A: "accepted", B: "unknown"}, id="in neither"),
        pytest.param({"validReceivers": [A, B], "invalidReceivers": [B]}, {A: "accepted", B: "unknown"}, id="in both"),
        pytest.param(
            {"validReceivers": [A, B, C], "invalidReceivers": []}, {A: "unknown", B: "unknown"}, id="stranger"
        ),
        pytest.param(
            {"validReceivers": ["00" + A[1:]], "invalidReceivers": [B]}, {A: "accepted", B: "rejected"}, id="0033"
        ),
        pytest.param({"validReceivers": [A, B]}, {A: "unknown", B: "unknown"}, id="a list missing"),
        pytest.param(
            {"validReceivers": [A, B], "invalidReceivers": [], "ids": ["7"]},
            {A: "unknown", B: "unknown"},
            id="ids as text",
        ),
        pytest.param(
            {"validReceivers": [A, B], "invalidReceivers": [], "tag": "other"},
            {A: "unknown", B: "unknown"},
            id="foreign tag",
        ),
        pytest.param(
            {"validReceivers": [A, B], "invalidReceivers": [], "tag": None},
            {A: "accepted", B: "accepted"},
            id="no tag value",
        ),
        pytest.param([], {A: "unknown", B: "unknown"}, id="no object"),
    ],
)
def test_a_report_is_read_receiver_by_receiver(tmp_path, report, expected):
    import responses

    if isinstance(report, dict):
        report = {"ids": [1, 2], "totalCreditsRemoved": 2, **report}
    url = "https://eu.api.ovh.com/1.0"
    keys = ApplicationKeys(application_key="ak", application_secret="as", consumer_key="ck")
    ledger = SqliteLedger(tmp_path / "test.state")
    ledger.bind(BINDING)
    with responses.RequestsMock() as mock:
        mock.get(f"{url}/auth/time", json=1_700_000_000)
        mock.get(f"{url}/sms/sms-ab12345-1/outgoing", json=[])
        mock.post(f"{url}/sms/sms-ab12345-1/jobs", json=report, headers={"X-Ovh-QueryID": "EU.test"})
        provider = OvhProvider(url=url, credentials=keys, service="sms-ab12345-1", clock=SystemClock())
        list(apply([job(A, B)], ledger, provider, SystemClock(), plan_digest="sha256:plan"))
    states = {record.number: record.state.value for record in ledger.records()}
    ledger.close()
    assert expected == states


def test_the_kind_of_an_exception_does_not_decide_whether_something_was_sent(tmp_path):
    """requests raises the same error for a refused port and for a reset after the body."""
    from smsdeclare.provider import Unreached

    with Server(Simulator(Settings())) as server:
        url = server.url
    provider = OvhProvider(
        url=url,
        credentials=ApplicationKeys(application_key="ak", application_secret="as", consumer_key="ck"),
        service="sms-ab12345-1",
        clock=SystemClock(),
    )
    prepared = provider.prepare(job(A), "t" * 20, (A,))
    assert isinstance(provider.submit(prepared), Unreached)
    assert issubclass(ConnectionError, OSError)
    assert issubclass(RequestException, OSError)


LANES = 6


def each_alone(count, **options):
    """A job with a text of its own for each of so many receivers."""
    return [job(number, text=f"Hello {place}", **options) for place, number in enumerate(NUMBERS[:count])]


class Checking(Simulator):
    """A simulator that holds every POST against the state as it lies on the disk at that moment."""

    def __init__(self, settings, path):
        super().__init__(settings)
        self.path = path
        self.early = []

    def handle(self, method, path, headers, body, now):
        if method == "POST":
            ledger = SqliteLedger(self.path)
            on_record = {(job.tag, number) for job in ledger.posted_in_doubt() for number in job.states}
            ledger.close()
            posted = json.loads(body)
            self.early += {(posted["tag"], number) for number in posted["receivers"]} - on_record
        return super().handle(method, path, headers, body, now)


def test_with_threads_every_claim_is_durable_before_a_byte_of_its_post_is_read(world):
    here = world()
    here.server._simulator = here.simulator = Checking(Settings(), here.path)
    here.apply(*each_alone(40), parallelism=LANES)
    assert ([], sorted(NUMBERS[:40])) == (here.simulator.early, sorted(here.received))
    assert dict.fromkeys(NUMBERS[:40], State.ACCEPTED) == here.states


@pytest.mark.parametrize("letter", list("ld5txr04"))
def test_with_threads_a_provider_that_fails_from_the_start_is_asked_three_times(world, letter):
    here = world(script=letter * 50)
    events = here.apply(*each_alone(20), parallelism=LANES)
    assert (DOUBTS_IN_A_ROW, "SMS608") == (here.posts, events[-1].code.id)
    assert dict.fromkeys(NUMBERS[:3], State.UNKNOWN) == here.states


def test_with_threads_a_provider_that_fails_later_leaves_no_more_open_than_was_in_flight(world):
    here = world(script="a" * 25 + "l" * 50)
    events = here.apply(*each_alone(60), parallelism=LANES)
    assert list(here.states.values()).count(State.UNKNOWN) <= LANES
    assert ["SMS608"] == [event.code.id for event in events if isinstance(event, Trouble)]
    assert sorted(here.states) == sorted(here.received)


def test_with_threads_a_slower_pace_is_kept_and_nobody_gets_two(world):
    here = world(script="aaaaa" + "9a9" * 5, retry_after="0")
    here.apply(*each_alone(30), parallelism=LANES)
    assert sorted(NUMBERS[:30]) == sorted(here.received)
    assert dict.fromkeys(NUMBERS[:30], State.ACCEPTED) == here.states


def test_with_threads_a_refusal_of_the_account_is_told_once_and_ends_the_run(world):
    here = world(services=(Service(credits=10.0),))
    events = here.apply(*each_alone(60), parallelism=LANES)
    assert 10 == len(here.received)
    assert 1 == sum(isinstance(event, Trouble) for event in events)
    assert {State.ACCEPTED, State.NOT_SENT} == set(here.states.values())
    assert len(here.states) <= 10 + LANES


def test_with_threads_a_bad_request_is_told_once_and_its_message_left(world):
    here = world()
    bad = [job(number, text=f"See https://example.org/{number}")._replace(message="bad") for number in NUMBERS[50:70]]
    more = [one._replace(message="more") for one in each_alone(10)]
    events = here.apply(*each_alone(10), *bad, *more, parallelism=LANES)
    assert sorted(NUMBERS[:10] * 2) == sorted(here.received)
    assert ["SMS620"] == [event.code.id for event in events if isinstance(event, Trouble)]


def test_with_threads_who_leaves_in_the_middle_leaves_nothing_in_doubt(world):
    here = world()
    ledger = SqliteLedger(here.path)
    ledger.bind(BINDING)
    with Threads(LANES) as lanes:
        events = apply(each_alone(60), ledger, here.provider(), SystemClock(), plan_digest="sha256:plan", lanes=lanes)
        for _ in range(15):
            next(events)
        events.close()
    ledger.close()
    assert {State.ACCEPTED} == set(here.states.values())
    assert sorted(here.states) == sorted(here.received)


def test_with_threads_a_state_that_moves_on_lets_what_is_in_flight_come_on_record(world):
    here = world()
    resent = []

    def resend():
        if len(here.received) >= 15 and not resent:
            resent.append(here.received[0])
            other = SqliteLedger(here.path)
            other.resend([Key("hello", 1, resent[0])], "again", "2026-12-01T08:00:00Z")
            other.close()
        return False

    with pytest.raises(PlanStale):
        here.apply(*each_alone(60), parallelism=LANES, stop=resend)
    assert sorted(here.states) == sorted(here.received)
    assert {resent[0]} == {number for number, state in here.states.items() if state is not State.ACCEPTED}


def test_with_threads_nothing_is_claimed_where_nobody_listens(world):
    here = world()
    here.server.__exit__(None, None, None)
    with pytest.raises(ProviderError):
        here.apply(*each_alone(20), parallelism=LANES)
    assert {} == here.states


@pytest.mark.parametrize("held", [True, False])
def test_a_429_for_what_the_provider_may_hold_as_advertising_is_looked_for_there_too(tmp_path, held):
    """At night what is taken stands in `jobs`, and not in the list of what was sent."""
    hours = {"marketing_hours": (8, 20)} if held else {}
    here = timed.World(tmp_path, "p" if held else "9", holds_advertising=True, **hours)
    here.time.pass_(hours=13)
    here.apply(timed.job(NUMBERS[0], noStopClause=False, sender="SMSDECLARE"))
    assert 1 == len(here.simulator.history.alive())
    assert {NUMBERS[0]: "unknown" if held else "accepted"} == here.states
