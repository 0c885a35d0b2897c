"""What the provider is asked of costs, over a real client; the simulator answers."""

import json
from datetime import UTC, datetime
from functools import partial

import pytest
import timed
import worlds

from smsdeclare import planning
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.quotes import Quotes
from smsdeclare.rates import Rate
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Credential, Settings

LONG = "a" * 155
RATES = "GET /1.0/sms/rates/destinations?country="
ESTIMATE = "POST /1.0/sms/estimate"


class World:
    """A provider that may be asked, and what it was asked."""

    def __init__(self, tmp_path, **settings):
        self.settings = Settings(origin="https://eu.api.ovh.com", **settings)
        time = timed.Time()
        self.line = timed.Faulty(Simulator(self.settings), time)
        (credential,) = self.settings.credentials
        self.provider = OvhProvider(
            url="https://eu.api.ovh.com/1.0",
            credentials=ApplicationKeys(
                application_key=credential.application_key,
                application_secret=credential.application_secret,
                consumer_key=credential.consumer_key,
            ),
            service=timed.SERVICE,
            clock=time,
            adapter=self.line,
        )
        self.ledger = SqliteLedger(tmp_path / "test.state")

    def quotes(self, billed_in=None, known=None):
        return Quotes(self.provider, billed_in, known or {})

    def draft(self, definitions, quotes=None):
        work_out = partial(
            planning.work_out, definitions, ledger=self.ledger, binding=timed.BINDING, now=datetime.now(tz=UTC)
        )
        return (quotes or self.quotes()).drafted(planning.expand(definitions), work_out).plan

    @property
    def asked(self):
        return [one for one in self.line.requests if "/auth/time" not in one]


@pytest.fixture
def world(tmp_path):
    return lambda **settings: World(tmp_path, **settings)


def costs(plan):
    (change,) = plan.changes
    return change.parts["max"], change.credits, change.credits_exact


@pytest.mark.parametrize("rate", [1.0, 1.5, 0.4])
def test_each_destination_is_asked_for_once_and_its_rate_counts(world, rate):
    here = world(rates={"32": rate})
    definitions, quotes = worlds.definitions("Hi", [{}] * 3, country="BE", noStopClause=True), here.quotes()
    for _ in range(2):
        assert (1, round(3 * rate, 6), True) == costs(here.draft(definitions, quotes))
    assert [f"{RATES}be"] == here.asked
    assert {"BE": rate} == quotes.answered


def test_the_country_of_billing_goes_with_the_question(world):
    here = world(rates={"32": 1.5}, billed_rates={"gb": {"32": 0.7}}, billing_country="gb")
    definitions = worlds.definitions("Hi", [{}], country="BE", noStopClause=True)
    assert (1, 0.7, True) == costs(here.draft(definitions, here.quotes("GB")))
    assert [f"{RATES}be&billingCountry=gb"] == here.asked


def test_rates_take_no_right(world):
    assert 1.5 == world(credentials=(Credential(rules=()),), rates={"32": 1.5}).provider.rate("BE", None)


def test_whoever_insists_on_credentials_is_shown_some(world):
    here = world(rates={"32": 1.5})
    serve = here.line._handler.handle

    class Gateway:
        def handle(self, method, path, headers, *rest):
            found = serve(method, path, headers, *rest)
            if "rates" in path and "X-Ovh-Signature" not in headers:
                return type(found)(status=401, body=b'{"message": "You must login first"}', headers={})
            return found

    here.line._handler = Gateway()
    assert 1.5 == here.provider.rate("BE", None)


@pytest.mark.parametrize(
    ("options", "settings", "expected"),
    [
        pytest.param({}, {}, (1, 1.0, True), id="a short number gets no clause here"),
        pytest.param({}, {"stop_for_all_senders": True}, (2, 2.0, True), id="or it does"),
        pytest.param({"sender": "+33639980009"}, {}, (1, 1.0, True), id="a number, of whatever type"),
        pytest.param({"sender": "ACME"}, {}, (2, 2.0, True), id="a name always gets it"),
    ],
)
def test_the_provider_settles_what_the_rules_leave_open(world, options, settings, expected):
    here = world(**settings)
    plan = here.draft(worlds.definitions(LONG, [{}, {}], **options))
    assert (expected[0], 2 * expected[1], expected[2]) == costs(plan)
    asked = {"+33639980009": 2, "ACME": 0}.get(options.get("sender"), 1)
    assert [ESTIMATE] * asked == [one for one in here.asked if one.startswith("POST")]


def test_a_sender_that_may_be_of_two_types_stays_in_doubt_where_they_differ(world):
    here = world()
    serve = here.line._handler.handle

    class Choosy:
        def handle(self, method, path, headers, body, now):
            found = serve(method, path, headers, body, now)
            parts = 2 if b'"virtual"' in body else 1
            answer = json.dumps({"parts": parts}).encode()
            return type(found)(status=200, body=answer, headers={}) if "estimate" in path else found

    here.line._handler = Choosy()
    assert (2, 2.0, False) == costs(here.draft(worlds.definitions(LONG, [{}], sender="+33639980009")))


@pytest.mark.parametrize("limit", [295, 302])
def test_so_it_does_between_the_two_models_of_the_clause(world, limit):
    here = world(stop_limit=limit)
    parts = 3 if limit == 295 else 2
    assert (parts, float(parts), True) == costs(here.draft(worlds.definitions("a" * 300, [{}], sender="ACME")))


def test_one_question_serves_all_texts_that_count_alike(world):
    here = world()
    people = [{"n": f"{place:03d}"} for place in range(40)]
    assert (1, 40.0, True) == costs(here.draft(worlds.definitions(LONG + "{{ n }}", people)))
    assert 1 == here.asked.count(ESTIMATE)


def test_where_nothing_is_in_doubt_no_text_is_shown_to_anybody(world):
    here = world()
    here.draft(worlds.definitions("Hi", [{}]))
    assert [f"{RATES}fr"] == here.asked


def test_without_the_right_the_larger_figure_stands_and_nothing_is_asked_twice(world):
    here = world(credentials=(Credential(rules=(("GET", "/sms/*"),)),))
    people = [{"n": "a" * place} for place in range(5)]
    plan = here.draft(worlds.definitions(LONG + "{{ n|default('') }}", people))
    assert (2, 10.0, False) == costs(plan)
    assert ["SMS350"] == [warning.code for warning in plan.warnings if warning.code != "SMS624"]
    assert 1 == here.asked.count(ESTIMATE)


def test_an_answer_serves_texts_that_count_alike_even_after_questions_have_ended(world):
    here = world()
    serve = here.line._handler.handle

    class Tired:
        def handle(self, method, path, *rest):
            found = serve(method, path, *rest)
            return found if here.line.requests.count(ESTIMATE) < 2 else type(found)(status=403, body=b"{}", headers={})

    here.line._handler = Tired()
    people = [{"n": "b"}, {"n": "aa"}, {"n": "c"}, {"n": "aaa"}]
    assert (2, 6.0, False) == costs(here.draft(worlds.definitions(LONG + "{{ n }}", people)))
    assert 2 == here.asked.count(ESTIMATE)


def test_where_nobody_answers_what_is_known_from_earlier_counts_and_no_plan_fails(world):
    here = world()
    definitions = worlds.definitions("Hi", [{}], country="BE", noStopClause=True)
    here.line.send = lambda *_, **__: (_ for _ in ()).throw(OSError)
    assert (1, 2.1, False) == costs(here.draft(definitions))
    assert (1, 1.5, False) == costs(here.draft(definitions, here.quotes(known={"BE": Rate(1.5, exact=False)})))


@pytest.mark.parametrize("answer", ["null", "[]", '{"credit": "1"}', '{"credit": -1}', '{"credit": true}', "{}", "x"])
def test_an_answer_that_is_none_counts_for_nothing(world, answer):
    here = world(rates={"32": 1.5})
    serve = here.line._handler.handle

    class Odd:
        def handle(self, method, path, *rest):
            found = serve(method, path, *rest)
            return found if "auth/time" in path else type(found)(status=200, body=answer.encode(), headers={})

    here.line._handler = Odd()
    assert (1, 2.1, False) == costs(here.draft(worlds.definitions("Hi", [{}], country="BE", noStopClause=True)))
    assert (2, 2.0, False) == costs(here.draft(worlds.definitions(LONG, [{}])))
