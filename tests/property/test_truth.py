"""What a plan says of texts and credits is what the simulator charges, whatever the project and the account."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import timed
import worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsdeclare import codes, planning
from smsdeclare.encoding import is_gsm
from smsdeclare.errors import InputError
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.provider import Accepted
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.quotes import Quotes
from smsdeclare.rates import Rates, bill
from smsdeclare.simulator import text as simulator_text
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import ALL_RULES, Credential, Service, Settings

VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "parts-vectors.json").read_text(encoding="utf-8"))
#: Rights without the one to estimate.
NO_ESTIMATE = (("GET", "/sms"), ("GET", "/sms/*"), ("POST", "/sms/*/jobs"))
#: Number of a receiver → its country as the pipeline has it.
PEOPLE = {
    "+33639980001": "FR",
    "+33639980002": "FR",
    "+32470000001": "BE",
    "+34600000001": "ES",
    "+447700900123": None,
    "+12025550123": "US",
}
#: One price for all of North America: who of them shares a prefix has no rate of its own.
PREFIXES = {"33": "FR", "32": "BE", "34": "ES", "44": "GB", "1": "US"}
SENDERS = [{}, {"sender": "ACME"}, {"sender": "+33639980009"}, {"senderForResponse": True}]
RATES = st.fixed_dictionaries({prefix: st.sampled_from([0.1, 0.4, 0.5, 1.0, 1.5, 3.0]) for prefix in PREFIXES})
WORDS = st.text(st.sampled_from("aZ é€[ê’\u00a0ç…😀漢\n"), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A state in which nothing ever happened."""
    with closing(SqliteLedger(tmp_path_factory.mktemp("state") / "test.state")) as found:
        yield found


def charged(ledger, definitions, world, *, asks=True):
    """The plan, and what the simulator took for it: by receiver the text and parts, and the credits in all.

    Where nobody is asked, the plan is worked out as `--offline` does.
    """
    time = timed.Time()
    simulator = Simulator(world)
    provider = OvhProvider(
        url="https://eu.api.ovh.com/1.0",
        credentials=ApplicationKeys(
            application_key=world.credentials[0].application_key,
            application_secret=world.credentials[0].application_secret,
            consumer_key=world.credentials[0].consumer_key,
        ),
        service=timed.SERVICE,
        clock=time,
        adapter=timed.Faulty(simulator, time),
    )
    work_out = partial(planning.work_out, definitions, ledger=ledger, binding=timed.BINDING, now=time.now())
    expanded = planning.expand(definitions)
    draft = Quotes(provider, None, {}).drafted(expanded, work_out) if asks else work_out(expanded)
    taken = 0.0
    provider.connect()
    for place, job in enumerate(draft.jobs):
        answer = provider.submit(provider.prepare(job, f"tag{place}", job.numbers))
        assert isinstance(answer, Accepted), answer
        taken += answer.credits
    return draft, {sms.receiver: sms for sms in simulator.history.all(timed.SERVICE)}, round(taken, 6)


def account(**more):
    senders = Service(credits=1_000_000.0)
    return Settings(
        origin="https://eu.api.ovh.com",
        services=(senders,),
        any_sender=True,
        contact_check=False,
        default_rate=2.0,
        **more,
    )


def check(draft, went_out, taken):
    (change,) = draft.plan.changes
    assert set(went_out) == {number for job in draft.jobs for number in job.numbers}
    for job in draft.jobs:
        assert {job.text.text} == {went_out[number].message for number in job.numbers}
        encoding = {"gsm7": "7bits", "unicode": "unicode"}[job.text.bill.encoding]
        assert {encoding} == {went_out[number].encoding for number in job.numbers}
        counts = {went_out[number].parts for number in job.numbers}
        assert max(counts) <= job.text.bill.parts
        assert not job.text.bill.exact or counts == {job.text.bill.parts}
    if change.credits_exact:
        assert taken == change.credits
    assert taken <= change.credits
    assert change.parts["max"] >= max(sms.parts for sms in went_out.values())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"].rpartition("@")[2][:60])
@pytest.mark.parametrize(
    ("options", "limits"),
    [
        pytest.param({"noStopClause": True}, [295], id="transactional"),
        pytest.param({"sender": "ACME"}, [295, 302], id="advertising from a name"),
        pytest.param({"sender": "+33639980009"}, [302], id="advertising from a number"),
        pytest.param({"senderForResponse": True}, [295], id="advertising from a short number"),
    ],
)
def test_every_known_text_costs_what_the_plan_says(ledger, vector, options, limits):
    text = vector["message"]
    if not text or text.isspace() or set("\r\f\x1b") & set(text):
        # No text of a project may be so; the counts are compared as they are.
        measured = simulator_text.measure(text, Settings(), stop=False)
        assert vector["segments"] == bill(text, {"noStopClause": True}).parts == measured.parts
        return
    definitions = worlds.definitions("{{ t }}", [{"t": text}], **options)
    for limit in limits:
        try:
            draft, went_out, taken = charged(ledger, definitions, account(stop_limit=limit))
        except InputError as error:
            if any(one.code is not codes.SHORT_NUMBER_CONTACT for one in error.diagnostics):
                raise
            # A short number carries no phone numbers, and one of the texts looks like one.
            return
        check(draft, went_out, taken)
        assert draft.plan.changes[0].credits_exact
        if options.get("noStopClause"):
            assert vector["segments"] == taken


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("advertises", [True, False])
@pytest.mark.parametrize("tail", [141, 152], ids=["an edge beside a clause", "an edge without one"])
def test_a_character_at_the_edge_of_a_part_costs_what_the_provider_counts(ledger, whole, advertises, tail):
    text = "a" * 152 + "€" + "a" * tail
    definitions = worlds.definitions("{{ t }}", [{"t": text}], sender="ACME", noStopClause=not advertises)
    draft, went_out, taken = charged(ledger, definitions, account(whole_characters=whole))
    check(draft, went_out, taken)
    assert draft.plan.changes[0].credits_exact


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORDS, min_size=1, max_size=8),
    filler=st.integers(0, 330),
    people=st.lists(
        st.tuples(st.sampled_from(sorted(PEOPLE)), WORDS), min_size=1, max_size=5, unique_by=lambda one: one[0]
    ),
    sender=st.sampled_from(SENDERS),
    advertises=st.booleans(),
    normalizes=st.booleans(),
    rates=RATES,
    everybody=st.booleans(),
    limit=st.sampled_from([295, 302]),
    whole=st.booleans(),
    may_estimate=st.booleans(),
    asks=st.booleans(),
)
def test_every_project_costs_what_its_plan_says(
    ledger, words, filler, people, sender, advertises, normalizes, rates, everybody, limit, whole, may_estimate, asks
):
    if sender.get("senderForResponse"):
        # A short number reaches no other country.
        people = [one for one in people if PEOPLE[one[0]] == "FR"] or [("+33639980001", "Z")]
    if not asks:
        # The most that the cautious figures stand for; a credit is what a part to France takes.
        rates = {prefix: Rates().of(f"+{prefix}", country).credits for prefix, country in PREFIXES.items()}
    text = "x" + "".join(words) + "a" * filler + "{{ n }}"
    definitions = worlds.definitions(
        text.replace("[", "]"),
        [{"n": own} for _, own in people],
        numbers=[(number, PEOPLE[number]) for number, _ in people],
        normalizes=normalizes,
        noStopClause=not advertises,
        **sender,
    )
    world = account(
        rates=rates,
        stop_for_all_senders=everybody,
        stop_limit=limit,
        whole_characters=whole,
        credentials=(Credential(rules=ALL_RULES if may_estimate else NO_ESTIMATE),),
    )
    draft, went_out, taken = charged(ledger, definitions, world, asks=asks)
    check(draft, went_out, taken)
    doubtful = any(not job.text.bill.exact for job in draft.jobs)
    assert not (asks and may_estimate and doubtful)
    if normalizes:
        assert all(is_gsm(sms.message) or {"😀", "漢"} & set(sms.message) for sms in went_out.values())
