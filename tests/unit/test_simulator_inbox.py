"""The page beside the API: what phones got, what they did, what goes wrong, and who may say so."""

import itertools
import re
from base64 import b64encode
from hashlib import sha256

import pytest
import requests

from smsdeclare.simulator import inbox_page, replies
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import MEANINGS, Faults
from smsdeclare.simulator.inbox import Inbox
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Sender, Service, Settings

SERVICE = "sms-ab12345-1"
NOON = 1764586800.0
FIRST, SECOND = "+33639980001", "+33639980002"
HOSTILE = "</div><script>alert(1)</script>\"'&lt; \x00\u202e\ud800 é 🖤"


class Here:
    """A sandbox on loopback, and a browser of few words."""

    def __init__(self, **account):
        self.now = NOON
        self.world = Simulator(Settings(bearer_tokens=("token",), services=(Service(**account),)))
        self.faults = Faults()
        self.server = Server(Inbox(self.world, self.faults), clock=lambda: self.now, script=self.faults)
        self.origin = self.server.url.removesuffix("/1.0")
        self.session = requests.Session()
        self.session.trust_env = False

    def api(self, method, path, **options):
        headers = {"Authorization": "Bearer token", **options.pop("headers", {})}
        place = f"{self.server.url}/sms/{SERVICE}{path}"
        return self.session.request(method, place, headers=headers, timeout=10, **options)

    def post(self, *receivers, **body):
        return self.api("POST", "/jobs", json={"message": "Hello", "receivers": receivers or (FIRST,), **body})

    def get(self, path="/", **headers):
        return self.session.get(self.origin + path, headers=headers, timeout=10)

    def fill_in(self, path, headers=None, token=None, **fields):
        own = token or re.search('name="token" value="([^"]+)"', self.get().text)[1]
        return self.session.post(
            self.origin + path, data={"token": own, **fields}, headers=headers, timeout=10, allow_redirects=False
        )

    def outgoing(self, number):
        return self.api("GET", f"/outgoing/{number}").json()


@pytest.fixture
def here():
    here = Here()
    with here.server, here.session:
        yield here


def test_each_receiver_is_a_phone_and_each_sms_a_bubble(here):
    here.post(FIRST, SECOND, sender="SMSDECLARE")
    here.post(FIRST, message="later", differedPeriod=60)
    page = here.get().text
    assert [FIRST, SECOND] == sorted(re.findall("<h3[^>]*>([^<]+)</h3>", page))
    assert 3 == page.count('class="bubble"')
    assert 2 == page.count("Hello\nSTOP:36111")
    assert (1, 1) == (page.count("class=waits") + page.count('class="waits"'), page.count("Scheduled"))
    assert "2025-12-01 12:00:00 UTC" in page
    assert "997.00 credits left" in page


def test_no_text_becomes_markup(here):
    here.post()
    before = re.findall(r"<[a-z!/][^>]*>", here.get().text)
    again = Here()
    with again.server, again.session:
        again.post(message=HOSTILE)
        after = re.findall(r"<[a-z!/][^>]*>", again.get(f"/?number={FIRST}").text)
        (number,) = again.world.history.all(SERVICE)
        again.fill_in("/reply", id=number.id, text=HOSTILE.replace("\ud800", ""))
        answered = again.get().text
    assert "&lt;/div&gt;&lt;script&gt;alert(1)" in answered.partition('class="mine"')[2]
    assert "<script>alert" not in answered
    assert [re.sub('"[^"]*"', "", tag) for tag in before] == [re.sub('"[^"]*"', "", tag) for tag in after]


def test_what_is_looked_for_becomes_no_markup(here):
    page = here.get('/?number="><script>alert(1)</script>').text
    assert "<script>alert" not in page
    assert "No phone has such a number" in page


def test_the_policy_of_the_page_lets_in_what_it_brings_and_nothing_else(here):
    answer = here.get()
    policy = dict(one.split(" ", 1) for one in answer.headers["Content-Security-Policy"].split("; "))
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (brought,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(brought.encode()).digest()).decode()}'" == policy[rule]
    assert ("'none'", "'self'", "'none'") == tuple(
        policy[rule] for rule in ("default-src", "form-action", "frame-ancestors")
    )
    assert not re.search(r"https?:| style=| on[a-z]+=", answer.text)


def test_the_page_names_its_parts(here):
    here.post()
    page = here.get().text
    levels = [int(level) for level in re.findall("<h([1-6])", page)]
    assert 1 == levels[0] == levels.count(1)
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.count("<select") == len(re.findall(r"<select[^>]* aria-label=|<label>[^<]*<br><select", page))
    assert '<html lang="en">' in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_delivery_is_pushed_by_hand_and_seen_by_the_api(here):
    (number,) = here.post().json()["ids"]
    assert 303 == here.fill_in("/receipt", id=number, ptt=24).status_code
    assert (2, 24) == tuple(here.outgoing(number)[name] for name in ("deliveryReceipt", "ptt"))
    assert "Absent subscriber (ptt 24)" in here.get().text
    here.fill_in("/receipt", id=number, ptt=4)
    assert (1, 4) == tuple(here.outgoing(number)[name] for name in ("deliveryReceipt", "ptt"))
    assert Simulator(here.world.settings, here.world.journal).history.receipt(number) == (4, NOON)


def test_what_waits_has_no_receipt(here):
    (number,) = here.post(differedPeriod=60).json()["ids"]
    assert 400 == here.fill_in("/receipt", id=number, ptt=4).status_code
    assert 400 == here.fill_in("/stop", number=FIRST).status_code


def test_a_phone_that_answers_stop_is_on_the_blacklist(here):
    here.post(FIRST, SECOND)
    assert 303 == here.fill_in("/stop", number=FIRST).status_code
    assert [FIRST] == here.api("GET", "/blacklists").json()
    assert FIRST == here.api("GET", f"/blacklists/{FIRST}").json()["number"]
    assert [FIRST] == here.post(FIRST, SECOND).json()["invalidReceivers"]
    assert '<div class="bubble"><bdi>STOP</bdi>' in here.get().text
    here.fill_in("/stop", number=FIRST)
    assert 1 == sum("stop" in line for line in here.world.journal)
    assert 3 == len(here.world.history.alive())


def test_an_answer_is_a_bubble_of_the_phone_and_stands_in_the_list_of_what_came_in(here):
    (number,) = here.post(FIRST, tag="spring").json()["ids"]
    here.now += 60
    assert 303 == here.fill_in("/reply", id=number, text=" Yes, at 9 ♥ ").status_code
    (reply,) = here.api("GET", "/incoming").json()
    wanted = {
        "id": reply,
        "creationDatetime": "2025-12-01T12:01:00+01:00",
        "sender": FIRST,
        "message": "Yes, at 9 ♥",
        "tag": "spring",
        "credits": 1.0,
    }
    assert wanted == here.api("GET", f"/incoming/{reply}").json()
    page = here.get().text
    assert '<li class="mine">' in page
    assert "<bdi>Yes, at 9 &#9829;</bdi>" in page
    assert "998.00 credits left" in page
    assert wanted["message"] == Simulator(here.world.settings, here.world.journal).history.replies(SERVICE)[0].message


def test_what_came_in_is_found_by_who_by_what_it_answers_and_by_when(here):
    first = here.post(FIRST, tag="a").json()["ids"][0]
    second = here.post(SECOND, tag="b").json()["ids"][0]
    here.fill_in("/reply", id=first, text="one")
    here.now += 100
    here.fill_in("/reply", id=second, text="two")
    one, two = here.api("GET", "/incoming").json()

    def found(**query):
        return here.api("GET", "/incoming", params=query).json()

    assert [[one], [two], []] == [found(tag="a"), found(sender=SECOND), found(tag="a", sender=SECOND)]
    middle = "2025-12-01T12:01:00+01:00"
    assert [[two], [one]] == [found(**{f"creationDatetime.{side}": middle}) for side in ("from", "to")]
    assert 400 == here.api("GET", "/incoming", params={"receiver": FIRST}).status_code
    together = here.api("GET", f"/incoming/{one},{two}", headers={"X-Ovh-Batch": ","}).json()
    assert ["one", "two"] == [element["value"]["message"] for element in together]
    assert 200 == here.api("DELETE", f"/incoming/{one}").status_code
    assert [two] == found()
    assert [404, 404] == [here.api(method, f"/incoming/{one}").status_code for method in ("GET", "DELETE")]
    assert "<bdi>one</bdi>" in here.get().text


@pytest.mark.parametrize("word", ["STOP", "stop", " Stop "])
def test_stop_in_an_answer_is_a_stop(here, word):
    (number,) = here.post(FIRST).json()["ids"]
    assert 303 == here.fill_in("/reply", id=number, text=word).status_code
    assert [[FIRST], []] == [here.api("GET", path).json() for path in ("/blacklists", "/incoming")]


def test_a_name_can_not_be_answered_and_the_page_says_so(here):
    (number,) = here.post(FIRST, sender="SMSDECLARE").json()["ids"]
    page = here.get().text
    assert "SMSDECLARE can&#x27;t be answered: it is a name, not a number." in page
    assert "/reply" not in page
    assert 400 == here.fill_in("/reply", id=number, text="yes").status_code
    (later,) = here.post(FIRST, message="from a number").json()["ids"]
    assert f'<input type="hidden" name="id" value="{later}"><label>Answer to' in here.get().text


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("alpha", "is a name"),
        ("numeric", "goes to the phone +33756000000"),
        ("virtual", ""),
        ("time2chat", ""),
        ("shortcode", ""),
    ],
)
def test_who_can_be_answered_depends_on_the_kind_of_the_sender(kind, why):
    here = Here(senders=(Sender(name="+33756000000", type=kind),))
    with here.server, here.session:
        (number,) = here.post(FIRST, sender="+33756000000").json()["ids"]
        page = here.get().text
        assert (not why, True) == ("/reply" in page, why in page)
        assert (400 if why else 303) == here.fill_in("/reply", id=number, text="yes").status_code


def test_a_short_number_is_answered_for_two_days(here):
    (number,) = here.post(FIRST).json()["ids"]
    here.now += 48 * 3600 + 1
    assert "38069 could be answered for 48 hours." in here.get().text
    assert 400 == here.fill_in("/reply", id=number, text="late").status_code


@pytest.mark.parametrize("text", ["", "   ", "x" * (replies.LONGEST + 1)])
def test_an_answer_has_to_be_one(here, text):
    (number,) = here.post(FIRST).json()["ids"]
    assert 400 == here.fill_in("/reply", id=number, text=text).status_code


def test_what_waits_can_not_be_answered(here):
    (number,) = here.post(FIRST, differedPeriod=60).json()["ids"]
    assert "/reply" not in here.get().text
    assert 400 == here.fill_in("/reply", id=number, text="yes").status_code


def test_a_fault_is_switched_on_once_or_until_it_is_switched_off(here):
    here.fill_in("/fault", letter="0", often="once")
    assert "for the next POST" in here.get().text
    assert [500, 200] == [here.post().status_code for _ in range(2)]
    here.fill_in("/fault", letter="0", often="once")
    here.fill_in("/fault", letter="9", often="always")
    assert [429, 429] == [here.post().status_code for _ in range(2)]
    here.fill_in("/fault", letter="a", often="always")
    assert 200 == here.post().status_code
    assert 3 == len(here.world.history.alive())


def test_lists_lag_and_receipts_come_as_is_said(here):
    assert 303 == here.fill_in("/times", lag="30", receipts="").status_code
    (number,) = here.post().json()["ids"]
    assert [] == here.api("GET", "/outgoing").json()
    here.now += 3600
    assert [number] == here.api("GET", "/outgoing").json()
    assert 0 == here.outgoing(number)["deliveryReceipt"]
    here.fill_in("/times", lag="0", receipts="2")
    assert 1 == here.outgoing(number)["deliveryReceipt"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/receipt", {"id": "1", "ptt": "4"}),
        ("/receipt", {"id": "", "ptt": ""}),
        ("/stop", {"number": "+33639980009"}),
        ("/reply", {"id": "1", "text": "yes"}),
        ("/reply", {"id": "", "text": ""}),
        ("/fault", {"letter": "q", "often": "once"}),
        ("/fault", {"letter": "al", "often": "once"}),
        ("/times", {"lag": "-1", "receipts": "5"}),
        ("/times", {"lag": "1e9", "receipts": "5"}),
        ("/times", {"lag": "0", "receipts": "soon"}),
    ],
)
def test_what_makes_no_sense_changes_nothing(here, path, fields):
    before = here.get("/version").text
    assert 400 == here.fill_in(path, **fields).status_code
    assert before == here.get("/version").text


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        pytest.param({"Origin": "http://elsewhere.example"}, None, id="another origin"),
        pytest.param({"Origin": "null"}, None, id="no origin to be named"),
        pytest.param({"Origin": "http://localhost:1"}, None, id="another port"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, None, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, None, id="another port of this machine"),
        pytest.param({}, "guessed", id="another token"),
        pytest.param({}, "é", id="a token beyond ASCII"),
    ],
)
def test_a_form_of_another_page_is_refused(here, headers, token):
    answer = here.fill_in("/fault", headers, token, letter="0", often="always")
    assert (403, "a") == (answer.status_code, here.faults.next())


def test_a_form_of_its_own_is_taken(here):
    headers = {"Origin": here.origin, "Sec-Fetch-Site": "same-origin"}
    assert 303 == here.fill_in("/fault", headers, letter="0", often="always").status_code
    assert "0" == here.faults.next()


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "localhost:x", "localhost@evil"])
def test_nothing_is_served_by_another_name(here, host):
    here.post()
    for path in ("/", "/version", "/1.0/auth/time"):
        assert 421 == here.get(path, Host=host).status_code


def test_other_paths_and_methods_are_not_found(here):
    assert 404 == here.get("/favicon.ico").status_code
    assert 404 == here.get("/fault").status_code
    assert 404 == here.session.delete(f"{here.origin}/", timeout=10).status_code
    assert 404 == here.fill_in("/nothing").status_code


def test_a_form_that_is_too_large_is_refused(here):
    assert 403 == here.fill_in("/fault", letter="0", often="x" * 20_000).status_code


def test_the_version_changes_with_what_is_seen_and_with_nothing_else(here):
    first = here.get("/version").text
    here.now += 100
    assert first == here.get("/version").text
    here.post()
    second = here.get("/version").text
    here.now += 5
    assert 3 == len({first, second, here.get("/version").text})
    assert f'data-version="{here.get("/version").text.strip()}"' in here.get().text


def test_of_many_phones_the_latest_are_shown_and_each_is_found(here):
    numbers = [f"+3363998{place:04d}" for place in range(inbox_page.PHONES + 5)]
    here.post(*numbers)
    page = here.get().text
    assert (inbox_page.PHONES, True) == (page.count("<h3"), "And 5 more phones" in page)
    assert numbers[-1] not in page
    assert numbers[-1] in here.get(f"/?number={numbers[-1]}").text


def test_of_many_sms_the_latest_are_shown(here):
    for place in range(inbox_page.EACH + 2):
        here.post(message=f"number {place}")
    page = here.get().text
    assert (inbox_page.EACH, True) == (page.count('class="bubble"'), "2 earlier SMS are not shown" in page)
    assert "number 1<" not in page


def test_an_answer_stands_where_it_was_given_and_counts_with_the_latest(here):
    (number,) = here.post(message="first").json()["ids"]
    here.now += 60
    here.fill_in("/reply", id=number, text="second")
    for place in range(inbox_page.EACH):
        here.now += 60
        here.post(message=f"number {place}")
        if not place:
            page = here.get().text
            assert page.index(">first<") < page.index(">second<") < page.index("number 0<")
    page = here.get().text
    assert (inbox_page.EACH, True) == (page.count('class="bubble"'), "2 earlier SMS are not shown" in page)
    assert ">second<" not in page


def test_every_fault_that_is_offered_has_a_meaning():
    assert {letter for letter, _ in inbox_page._FAULTS} <= set(MEANINGS)
