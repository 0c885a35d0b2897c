"""The simulated SMS API, called as an OAuth2 client would: no signature in the way."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Sender, Service, Settings

SN = "sms-ab12345-1"
ONE, TWO, THREE = "+33639980001", "+33639980002", "+33639980003"
NOON = 1764586800.0  # 2025-12-01T12:00:00+01:00, a Monday
SENDERS = (Sender(name="SMSDECLARE"), Sender(name="LATER", status="waitingValidation"), Sender(name="A,B"))


def world(**settings):
    service = {name: settings.pop(name) for name in ("credits", "blacklist", "senders") if name in settings}
    service = Service(name=SN, **({"senders": SENDERS} | service))
    return Simulator(Settings(bearer_tokens=("token",), services=(service,), **settings))


def call(simulator, method, path, body=None, *, now=NOON, **headers):
    sent = b"" if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer token"} | {name.replace("_", "-"): value for name, value in headers.items()}
    response = simulator.handle(method, f"/1.0{path}", headers, sent, now)
    return response.status, json.loads(response.body)


def post(simulator, *receivers, now=NOON, **fields):
    body = {
        "message": "Hello",
        "receivers": list(receivers),
        "sender": "SMSDECLARE",
        "noStopClause": True,
    } | fields
    body = {name: value for name, value in body.items() if value is not ...}
    return call(simulator, "POST", f"/sms/{SN}/jobs", body, now=now)


def posted(simulator, *receivers, **fields):
    status, report = post(simulator, *receivers, **fields)
    assert status == 200, report
    return report


def jobs(simulator, now=NOON):
    return call(simulator, "GET", f"/sms/{SN}/jobs", now=now)[1]


def outgoing(simulator, query="", now=NOON):
    return call(simulator, "GET", f"/sms/{SN}/outgoing{query}", now=now)[1]


def test_services_are_listed_with_and_without_a_slash():
    assert [call(world(), "GET", path) for path in ("/sms", "/sms/")] == [(200, [SN])] * 2


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        pytest.param("GET", "/sms/sms-zz0-1/jobs", "This service does not exist", id="service"),
        pytest.param("GET", "/telephony", "Got an invalid (or empty) URL", id="route"),
        pytest.param("PATCH", "/sms", "Got an invalid (or empty) URL", id="method"),
        pytest.param("GET", f"/sms/{SN}/jobs/", "Got an invalid (or empty) URL", id="slash behind a list"),
        pytest.param("GET", f"/sms/{SN}/jobs/x", "The requested object (id = x) does not exist", id="id"),
        pytest.param("GET", f"/sms/{SN}/outgoing/{'9' * 5000}", None, id="endless id"),
    ],
)
def test_what_is_not_there_is_404(method, path, message):
    status, content = call(world(), method, path)
    assert (404, message or content["message"]) == (status, content["message"])


def test_another_base_is_404():
    assert Simulator().handle("GET", "/2.0/sms", {}, b"", NOON).status == 404


def test_every_answer_has_a_query_id_of_its_own():
    simulator = world()
    ids = [simulator.handle("GET", path, {}, b"", NOON).headers["X-Ovh-QueryID"] for path in ("/1.0/sms", "/x", "/x")]
    assert len(ids) == len(set(ids))


def test_a_post_is_reported():
    report = posted(world(), ONE, "0639980002", TWO, message="a" * 161)
    tag = report.pop("tag")
    assert report == {
        "totalCreditsRemoved": 4.0,
        "invalidReceivers": ["0639980002"],
        "ids": [27814656, 27814660],
        "validReceivers": [ONE, TWO],
    }
    assert len(tag) == 16


def test_the_journal_holds_the_truth_of_each_sms():
    simulator = world(ids_in_order=True)
    posted(simulator, ONE, TWO, tag="t1", priority="high", differedPeriod=10)
    expected = {
        "id": 27814656,
        "service": SN,
        "receiver": ONE,
        "sender": "SMSDECLARE",
        "message": "Hello",
        "tag": "t1",
        "parts": 1,
        "encoding": "7bits",
        "credits": 1.0,
        "createdAt": NOON,
        "dueAt": NOON + 600,
        "jobNumber": 1,
        "differedPeriod": 10,
        "stopClause": False,
        "options": {"noStopClause": True, "priority": "high"},
    }
    assert expected == simulator.journal[0]
    assert [line["receiver"] for line in simulator.journal] == [ONE, TWO]


def test_ids_do_not_follow_the_receivers_unless_told():
    simulator = world()
    posted(simulator, ONE, TWO)
    assert [line["receiver"] for line in simulator.journal] == [TWO, ONE]


def test_each_post_has_its_own_number_and_tag():
    simulator = world()
    tags = {posted(simulator, ONE)["tag"] for _ in range(3)}
    assert (len(tags), [line["jobNumber"] for line in simulator.journal]) == (3, [1, 2, 3])


def test_only_invalid_receivers_are_a_success_without_ids():
    report = posted(world(), "0639980001", "hello", "+0123456789")
    assert (report["totalCreditsRemoved"], report["ids"], report["validReceivers"]) == (0, [], [])


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("+33639980001", True),
        ("0033639980001", True),
        ("33639980001", False),
        ("0639980001", False),
        ("+033639980001", False),
        ("+3363998", False),
        ("+33 639980001", False),
        ("+33639980001\n", False),
        ("+٣٣639980001", False),
    ],
)
def test_a_number_is_international_or_invalid(number, valid):
    assert ([ONE] if valid else []) == posted(world(), number)["validReceivers"]


@pytest.mark.parametrize(("echo", "expected"), [("+", ONE), ("00", "0033639980001"), ("as sent", "0033639980001")])
def test_the_report_spells_numbers_by_setting(echo, expected):
    assert [expected] == posted(world(echo=echo), "0033639980001")["validReceivers"]


@pytest.mark.parametrize(
    ("duplicates", "valid", "invalid"),
    [("each", [ONE, ONE], []), ("once", [ONE], []), ("invalid", [ONE], ["0033639980001"])],
)
def test_a_number_standing_twice_follows_the_setting(duplicates, valid, invalid):
    report = posted(world(duplicates=duplicates), ONE, "0033639980001")
    assert (valid, invalid, len(valid)) == (
        report["validReceivers"],
        report["invalidReceivers"],
        len(report["ids"]),
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"message": ...}, "Missing parameter: message", id="no message"),
        pytest.param({"message": ""}, "Invalid parameter message: is empty", id="empty message"),
        pytest.param({"message": 5}, "Invalid parameter message: string expected", id="message type"),
        pytest.param({"receivers": ...}, "Missing parameter: receivers", id="no receivers"),
        pytest.param({"receivers": []}, "Missing parameter: receivers", id="empty receivers"),
        pytest.param({"receivers": ONE}, "Invalid parameter receivers: string[] expected", id="receivers type"),
        pytest.param({"receivers": [1]}, "Invalid parameter receivers: string[] expected", id="receiver type"),
        pytest.param(
            {"senderForResponse": "true"},
            "Invalid parameter senderForResponse: boolean expected",
            id="boolean as text",
        ),
        pytest.param({"noStopClause": 1}, "Invalid parameter noStopClause: boolean expected", id="boolean as figure"),
        pytest.param({"differedPeriod": "5"}, "Invalid parameter differedPeriod: long expected", id="long as text"),
        pytest.param({"differedPeriod": True}, "Invalid parameter differedPeriod: long expected", id="long as boolean"),
        pytest.param({"differedPeriod": -1}, "Invalid deferred time", id="negative wait"),
        pytest.param({"validityPeriod": 1.5}, "Invalid parameter validityPeriod: long expected", id="fraction"),
        pytest.param({"validityPeriod": -1}, "Invalid parameter validityPeriod", id="negative validity"),
        pytest.param(
            {"priority": "urgent"},
            "Invalid parameter priority: high or medium or low or veryLow expected",
            id="enum",
        ),
        pytest.param({"tag": None}, "Invalid parameter tag: string expected", id="null"),
        pytest.param({"tag": "t" * 21}, "Invalid tag: is too long", id="long tag"),
        pytest.param({"from": "X"}, "Unknown parameter: from", id="unknown field"),
        pytest.param(
            {"receiversSlotId": "1"},
            "Invalid parameter receiversSlotId: the simulator keeps no lists of receivers",
            id="slot",
        ),
    ],
)
def test_a_wrong_body_is_400_and_sends_nothing(fields, message):
    simulator = world()
    status, content = post(simulator, ONE, **fields)
    assert (400, message, []) == (status, content["message"], simulator.journal)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_400(body):
    headers = {"Authorization": "Bearer token"}
    assert world().handle("POST", f"/1.0/sms/{SN}/jobs", headers, body, NOON).status == 400


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        pytest.param({"unknown_fields": "ignore"}, {"from": "X"}, id="unknown fields ignored"),
        pytest.param({"null_is_absent": True}, {"priority": None}, id="null is absent"),
        pytest.param({"tag_limit": None}, {"tag": "t" * 21}, id="no limit for tags"),
        pytest.param({"any_sender": True}, {"sender": "Anyone"}, id="any sender"),
        pytest.param({"contact_check": False}, {"sender": ..., "message": "www.example.org"}, id="no contact check"),
    ],
)
def test_a_setting_lets_it_pass(settings, fields):
    assert (
        post(world(), ONE, **fields)[0] // 100 * 100,
        post(world(**settings), ONE, **fields)[0],
    ) == (400, 200)


@pytest.mark.parametrize(
    ("settings", "fields", "expected"),
    [
        pytest.param({"max_receivers": 1}, {"receivers": [ONE, TWO]}, 400, id="receivers"),
        pytest.param({"max_parts": 1}, {"message": "a" * 161}, 400, id="parts"),
        pytest.param({"max_differed_minutes": 5}, {"differedPeriod": 6}, 400, id="wait"),
        pytest.param({"no_sender": "refuse"}, {"sender": ...}, 400, id="sender"),
        pytest.param({"sender_status": 500}, {"sender": "Nobody"}, 500, id="status for senders"),
        pytest.param({"credits": 0.5}, {}, 403, id="credits"),
        pytest.param({"credits": 0.5, "no_credits_status": 402}, {}, 402, id="status for credits"),
    ],
)
def test_a_setting_holds_it_back(settings, fields, expected):
    assert expected == post(world(**settings), ONE, **fields)[0]


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Nobody", "Sms sender Nobody does not exists. Please create it first"),
        ("LATER", "Sms sender LATER is pending validation or was not accepted"),
    ],
)
def test_an_unusable_sender_is_403(sender, expected):
    status, content = post(world(), ONE, sender=sender)
    assert (403, expected) == (status, content["message"])


@pytest.mark.parametrize(
    "fields", [{"senderForResponse": True}, {"sender": ...}, {"senderForResponse": True, "sender": "X"}]
)
def test_the_short_number_wins_and_is_the_default(fields):
    simulator = world()
    posted(simulator, ONE, **fields)
    assert simulator.journal[0]["sender"] == "38069"


def test_a_short_number_refuses_contact_information():
    status, content = post(world(), ONE, senderForResponse=True, message="See www.example.org")
    assert (status, content["message"]) == (400, "cannot send contact information with shortcode")


@pytest.mark.parametrize(
    ("settings", "fields", "expected"),
    [
        pytest.param({}, {"noStopClause": ...}, 2, id="alphanumeric sender"),
        pytest.param({}, {"noStopClause": False}, 2, id="false"),
        pytest.param({}, {"noStopClause": True}, 1, id="true"),
        pytest.param({}, {"noStopClause": False, "senderForResponse": True}, 1, id="short number"),
        pytest.param(
            {"stop_for_all_senders": True},
            {"noStopClause": False, "senderForResponse": True},
            2,
            id="by setting",
        ),
        pytest.param({"any_sender": True}, {"noStopClause": False, "sender": ONE}, 1, id="numeric sender"),
    ],
)
def test_who_gets_the_stop_clause(settings, fields, expected):
    assert expected == posted(world(**settings), TWO, message="a" * 150, **fields)["totalCreditsRemoved"]


def test_the_longest_prefix_sets_the_rate():
    simulator = world(rates={"33": 1.0, "3363998": 2.5, "33639989": 3.0})
    assert posted(simulator, ONE, "+33639989001")["totalCreditsRemoved"] == 5.5


def test_a_prefix_that_is_not_known_has_the_default_rate():
    assert posted(world(rates={"44": 1.0}, default_rate=9.0), ONE)["totalCreditsRemoved"] == 9.0


def test_credits_are_taken_and_given_back_by_canceling():
    simulator = world(credits=10.0, report_credits_left=True)
    report = posted(simulator, ONE, TWO, differedPeriod=5)
    call(simulator, "DELETE", f"/sms/{SN}/jobs/{report['ids'][0]}")
    assert (report["creditsLeft"], call(simulator, "GET", f"/sms/{SN}")[1]["creditsLeft"]) == (8.0, 9.0)


def test_credits_that_do_not_suffice_refuse_the_whole_post():
    simulator = world(credits=1.0)
    assert (post(simulator, ONE, TWO)[0], simulator.journal) == (403, [])


@pytest.mark.parametrize(
    ("blacklisted", "valid", "receipt"), [("invalid", [TWO], None), ("fails", [ONE, TWO], (2, 53))]
)
def test_a_blacklisted_receiver_follows_the_setting(blacklisted, valid, receipt):
    simulator = world(blacklist=(ONE,), blacklisted=blacklisted, ids_in_order=True)
    report = posted(simulator, ONE, TWO)
    view = call(simulator, "GET", f"/sms/{SN}/outgoing/{report['ids'][0]}", now=NOON + 60)[1]
    assert (valid, receipt or (1, 4)) == (report["validReceivers"], (view["deliveryReceipt"], view["ptt"]))


def test_an_sms_for_now_is_never_in_jobs():
    simulator = world()
    ids = posted(simulator, ONE)["ids"]
    assert ([], ids) == (jobs(simulator), outgoing(simulator))


@pytest.mark.parametrize(
    ("settings", "fields", "in_jobs", "in_outgoing"),
    [
        pytest.param({}, {"differedPeriod": 2}, range(120), range(120, 400), id="scheduled"),
        pytest.param({"list_lag": 60}, {}, range(0), range(60, 400), id="the list lags"),
        pytest.param({"processing_seconds": 30}, {}, range(30), range(30, 400), id="processing"),
        pytest.param({"processing_seconds": 30, "list_lag": 10}, {}, range(30), range(40, 400), id="both"),
        pytest.param({"lists_gap": 60}, {"differedPeriod": 2}, range(120), range(180, 400), id="a gap"),
        pytest.param({"lists_gap": 60}, {}, range(0), range(400), id="no gap for what never waited"),
        pytest.param({"lists_gap": -60}, {"differedPeriod": 2}, range(120), range(60, 400), id="in both"),
    ],
)
def test_when_an_sms_stands_in_which_list(settings, fields, in_jobs, in_outgoing):
    simulator = world(**settings)
    ids = posted(simulator, ONE, **fields)["ids"]
    moments = range(0, 400, 10)
    seen = [(jobs(simulator, NOON + s) == ids, outgoing(simulator, now=NOON + s) == ids) for s in moments]
    assert [(s in in_jobs, s in in_outgoing) for s in moments] == seen


def test_a_waiting_sms_is_cancelled_once():
    simulator = world()
    (number,) = posted(simulator, ONE, differedPeriod=5)["ids"]
    path = f"/sms/{SN}/jobs/{number}"
    answers = [call(simulator, "DELETE", path)[0] for _ in range(2)]
    first = simulator.journal[-1]
    assert ([200, 404], {"cancelled": number, "at": NOON}) == (answers, first)
    assert (jobs(simulator), outgoing(simulator, now=NOON + 600)) == ([], [])


def test_canceling_answers_null():
    simulator = world()
    (number,) = posted(simulator, ONE, differedPeriod=5)["ids"]
    assert call(simulator, "DELETE", f"/sms/{SN}/jobs/{number}") == (200, None)


def test_a_sent_sms_can_not_be_cancelled():
    simulator = world()
    (number,) = posted(simulator, ONE, differedPeriod=5)["ids"]
    assert call(simulator, "DELETE", f"/sms/{SN}/jobs/{number}", now=NOON + 300)[0] == 404


def test_a_job_and_what_becomes_of_it():
    simulator = world()
    (number,) = posted(simulator, ONE, differedPeriod=1, tag="t1", message="€")["ids"]
    job = call(simulator, "GET", f"/sms/{SN}/jobs/{number}")[1]
    sent = call(simulator, "GET", f"/sms/{SN}/outgoing/{number}", now=NOON + 65)[1]
    expected = {
        "id": number,
        "creationDatetime": "2025-12-01T12:00:00+01:00",
        "sentAt": None,
        "deliveredAt": None,
        "deliveryReceipt": 0,
        "ptt": 0,
        "differedDelivery": 1,
        "sender": "SMSDECLARE",
        "receiver": ONE,
        "message": "€",
        "messageLength": 1,
        "numberOfSms": 1,
        "credits": 1.0,
    }
    assert expected == job
    assert (
        expected
        | {
            "sentAt": "2025-12-01T12:01:00+01:00",
            "deliveredAt": "2025-12-01T12:01:05+01:00",
            "deliveryReceipt": 1,
            "ptt": 4,
            "tag": "t1",
            "tariffCode": "",
            "batchID": None,
            "messageID": None,
        }
        == sent
    )


@pytest.mark.parametrize(
    ("settings", "seconds", "expected"),
    [
        pytest.param({}, 4, (0, 0, None), id="before the receipt"),
        pytest.param({}, 5, (1, 4, "2025-12-01T12:00:05+01:00"), id="delivered"),
        pytest.param({"failures": {ONE: 23}}, 5, (2, 23, None), id="failed"),
        pytest.param({"delivery_seconds": None}, 10**6, (0, 0, None), id="no receipt ever"),
        pytest.param({"ptt_before_receipt": 3}, 4, (0, 3, None), id="another ptt before"),
    ],
)
def test_receipts_come_after_a_while(settings, seconds, expected):
    simulator = world(**settings)
    (number,) = posted(simulator, ONE)["ids"]
    view = call(simulator, "GET", f"/sms/{SN}/outgoing/{number}", now=NOON + seconds)[1]
    assert expected == (view["deliveryReceipt"], view["ptt"], view["deliveredAt"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", [ONE, TWO, THREE], id="none"),
        pytest.param("?tag=t2", [TWO], id="tag"),
        pytest.param("?tag=nothing", [], id="other tag"),
        pytest.param(f"?receiver={quote(ONE)}", [ONE], id="receiver"),
        pytest.param(f"?receiver={ONE}", [], id="a plus sign that is not escaped is a blank"),
        pytest.param("?sender=38069", [THREE], id="sender"),
        pytest.param("?differedDelivery=1", [TWO], id="differedDelivery"),
        pytest.param("?deliveryReceipt=2", [ONE], id="deliveryReceipt"),
        pytest.param("?ptt=4&sender=SMSDECLARE", [TWO], id="two filters"),
        pytest.param("?creationDatetime.from=2025-12-01T11:00:10Z", [TWO, THREE], id="from"),
        pytest.param("?creationDatetime.to=2025-12-01T12:00:10%2B01:00", [ONE, TWO], id="to"),
        pytest.param("?creationDatetime.to=2025-12-01T12:00:00", [ONE], id="without offset"),
        pytest.param("?batchID=7b0f2d0e-0000-4000-8000-000000000000", [], id="batch"),
    ],
)
def test_outgoing_is_filtered(query, expected):
    simulator = world(failures={ONE: 23})
    posted(simulator, ONE, tag="t1", now=NOON)
    posted(simulator, TWO, tag="t2", now=NOON + 10.7, differedPeriod=1)
    posted(simulator, THREE, tag="t3", now=NOON + 20, senderForResponse=True)
    receivers = {line["id"]: line["receiver"] for line in simulator.journal}
    assert expected == [receivers[number] for number in outgoing(simulator, query, now=NOON + 600)]


@pytest.mark.parametrize("query", ["?colour=red", "?ptt=null", "?creationDatetime.from=soon"])
def test_a_filter_that_is_none_is_400(query):
    assert call(world(), "GET", f"/sms/{SN}/outgoing{query}")[0] == 400


def test_a_filter_can_be_ignored():
    simulator = world(ignored_filters=frozenset({"tag"}))
    ids = posted(simulator, ONE, tag="t1")["ids"]
    assert ids == outgoing(simulator, "?tag=t2")


@pytest.mark.parametrize(
    ("settings", "later", "expected"),
    [
        pytest.param({"outgoing_order": "newest first"}, 0, [2, 1, 0], id="order"),
        pytest.param({"outgoing_cap": 2}, 0, [0, 1], id="cap"),
        pytest.param({"retention_days": 1}, 86400, [], id="retention"),
    ],
)
def test_the_list_follows_its_settings(settings, later, expected):
    simulator = world(**settings)
    ids = [posted(simulator, ONE)["ids"][0] for _ in range(3)]
    assert [ids[place] for place in expected] == outgoing(simulator, now=NOON + later)


def test_outgoing_may_have_ids_of_its_own():
    simulator = world(outgoing_id_shift=7)
    (number,) = posted(simulator, ONE)["ids"]
    assert [number + 7] == outgoing(simulator)
    assert call(simulator, "GET", f"/sms/{SN}/outgoing/{number + 7}")[1]["id"] == number + 7


def test_lists_may_spell_numbers_and_texts_otherwise():
    simulator = world(listed_numbers="00", message_shows_stop=True)
    (number,) = posted(simulator, ONE, noStopClause=False)["ids"]
    view = call(simulator, "GET", f"/sms/{SN}/outgoing/{number}")[1]
    assert (
        view["receiver"],
        view["message"],
        view["messageLength"],
    ) == ("0033639980001", "Hello\nSTOP:36111", 16)


def test_a_list_of_objects_comes_in_pages():
    simulator = world()
    posted(simulator, ONE, TWO, THREE)
    headers = {
        "Authorization": "Bearer token",
        "X-Pagination-Mode": "CachedObjectList-Pages",
        "X-Pagination-Size": "2",
        "X-Pagination-Number": "2",
    }
    response = simulator.handle("GET", f"/1.0/sms/{SN}/outgoing", headers, b"", NOON)
    assert (
        response.headers["X-Pagination-Elements"],
        [element["receiver"] for element in json.loads(response.body)],
    ) == ("3", [ONE])


@pytest.mark.parametrize("path", ["jobs", "outgoing", "senders", "blacklists"])
def test_objects_are_a_matter_of_the_setting(path):
    asked = {"X_Pagination_Mode": "CachedObjectList-Pages"}
    kinds = []
    for object_lists in (True, False):
        simulator = world(object_lists=object_lists, blacklist=(TWO,))
        posted(simulator, ONE)
        posted(simulator, ONE, differedPeriod=1)
        kinds.append({type(element) is dict for element in call(simulator, "GET", f"/sms/{SN}/{path}", **asked)[1]})
    assert [{True}, {False}] == kinds


@pytest.mark.parametrize("header", ["X_Pagination_Size", "X_Pagination_Number"])
def test_a_page_that_is_none_is_400(header):
    asked = {"X_Pagination_Mode": "CachedObjectList-Pages", header: "0"}
    assert call(world(), "GET", f"/sms/{SN}/outgoing", **asked)[0] == 400


def test_several_objects_come_in_one_batch():
    simulator = world()
    first, second = posted(simulator, ONE, TWO)["ids"]
    status, elements = call(simulator, "GET", f"/sms/{SN}/outgoing/{first},1,{second}", X_Ovh_Batch=",")
    assert (200, [str(first), "1", str(second)]) == (status, [element["key"] for element in elements])
    assert [first, None, second] == [element["value"] and element["value"]["id"] for element in elements]
    assert [element["error"] and element["error"]["class"] for element in elements] == [
        None,
        "Client::NotFound",
        None,
    ]


def test_a_batch_may_be_bare():
    simulator = world(batch_elements="bare")
    (number,) = posted(simulator, ONE, differedPeriod=1)["ids"]
    elements = call(simulator, "GET", f"/sms/{SN}/jobs/{number},1", X_Ovh_Batch=",")[1]
    assert [number, None] == [element and element["id"] for element in elements]


def test_a_batch_may_be_switched_off():
    assert call(world(batch_get=False), "GET", f"/sms/{SN}/jobs/1,2", X_Ovh_Batch=",")[0] == 404


def test_senders_are_batched_with_a_separator_of_their_own():
    elements = call(world(), "GET", f"/sms/{SN}/senders/LATER%7CA%2CB", X_Ovh_Batch="|")[1]
    assert [element["value"]["status"] for element in elements] == ["waitingValidation", "enable"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("senders", ["SMSDECLARE", "LATER", "A,B"]),
        ("blacklists", [TWO]),
    ],
)
def test_names_and_numbers_are_listed(path, expected):
    assert (200, expected) == call(world(blacklist=(TWO,)), "GET", f"/sms/{SN}/{path}")


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("senders/A%2CB", "status", "enable"),
        ("senders/Nobody", "class", "Client::NotFound"),
        (f"blacklists/{quote(TWO)}", "number", TWO),
        ("blacklists/%2B33639980009", "class", "Client::NotFound"),
    ],
)
def test_one_of_them_is_shown(path, name, expected):
    assert expected == call(world(blacklist=(TWO,)), "GET", f"/sms/{SN}/{path}")[1][name]


@pytest.mark.parametrize(
    ("body", "settings", "expected"),
    [
        pytest.param(("€", True, "alpha"), {}, (2, "7bits", 160, 1), id="hidden escape"),
        pytest.param(("a" * 150, False, "alpha"), {}, (161, "7bits", 153, 2), id="with clause"),
        pytest.param(("a" * 150, False, "shortcode"), {}, (150, "7bits", 160, 1), id="short number"),
        pytest.param(
            ("a" * 150, False, "alpha"),
            {"estimate_counts_stop": False},
            (150, "7bits", 153, 2),
            id="clause hidden",
        ),
        pytest.param(("ê" * 71, True, "alpha"), {}, (71, "unicode", 67, 2), id="unicode"),
    ],
)
def test_a_text_is_estimated(body, settings, expected):
    body = dict(zip(("message", "noStopClause", "senderType"), body, strict=True))
    content = call(world(**settings), "POST", "/sms/estimate", body)[1]
    assert expected == tuple(
        content[name] for name in ("characters", "charactersClass", "maxCharactersPerPart", "parts")
    )


@pytest.mark.parametrize(("country", "expected"), [("fr", 1.0), ("be", 0.5), ("all", 0.5)])
def test_rates_are_open_to_everybody(country, expected):
    simulator = world(default_rate=0.5)
    response = simulator.handle("GET", f"/1.0/sms/rates/destinations?country={country}", {}, b"", NOON)
    assert expected == json.loads(response.body)["credit"]


@pytest.mark.parametrize(
    ("billing", "told"), [pytest.param("", 0.5, id="unasked"), pytest.param("&billingCountry=fr", 1.5, id="asked")]
)
def test_rates_hang_on_the_country_of_billing(billing, told):
    simulator = world(rates={"44": 1.5}, billed_rates={"gb": {"44": 0.5}}, billing_country="gb")
    assert told == call(simulator, "GET", f"/sms/rates/destinations?country=gb{billing}")[1]["credit"]
    assert 0.5 == posted(simulator, "+447700900123")["totalCreditsRemoved"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sms/rates/destinations", 400),
        ("/sms/rates/destinations?country=xx", 400),
        ("/sms/rates/destinations?country=fr&billingCountry=be", 400),
        ("/sms/rates/destinations?country=FR", 400),
        ("/sms/ptts?ptt=4", 200),
        ("/sms/ptts?ptt=7", 404),
        ("/sms/ptts", 400),
    ],
)
def test_the_small_routes_check_what_they_are_asked(path, expected):
    assert expected == call(world(), "GET", path)[0]


@pytest.mark.parametrize(
    ("now", "fields", "expected"),
    [
        pytest.param(NOON, {}, "2025-12-01T12:00:00+01:00", id="inside"),
        pytest.param(NOON + 9.5 * 3600, {}, "2025-12-02T08:00:00+01:00", id="evening"),
        pytest.param(NOON + 9.5 * 3600, {"noStopClause": True}, "2025-12-01T21:30:00+01:00", id="without clause"),
        pytest.param(NOON + 6 * 86400, {}, "2025-12-08T08:00:00+01:00", id="Sunday"),
        pytest.param(NOON, {"differedPeriod": 600}, "2025-12-02T08:00:00+01:00", id="scheduled into the night"),
    ],
)
def test_marketing_may_be_held_for_the_night(now, fields, expected):
    simulator = world(marketing_hours=(8, 20))
    (number,) = posted(simulator, ONE, now=now, **({"noStopClause": False} | fields))["ids"]
    assert expected == call(simulator, "GET", f"/sms/{SN}/outgoing/{number}", now=now + 10 * 86400)[1]["sentAt"]


def test_a_late_server_stamps_with_its_own_clock():
    simulator = world(clock_ahead=3600.0)
    (number,) = posted(simulator, ONE)["ids"]
    view = call(simulator, "GET", f"/sms/{SN}/outgoing/{number}")[1]
    assert view["creationDatetime"] == "2025-12-01T13:00:00+01:00"


_POSTS = st.tuples(
    st.just("POST"),
    st.lists(st.sampled_from([ONE, TWO, THREE, "0033639980001", "0639980001"]), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "differedPeriod": st.integers(-1, 3),
            "tag": st.sampled_from(["t1", "t2"]),
            "noStopClause": st.booleans(),
            "message": st.text("a€ê👋\n", max_size=80),
        },
    ),
)
_CANCELS = st.tuples(st.just("DELETE"), st.integers(0, 10), st.none())
_QUESTIONS = ["/sms", f"/sms/{SN}", f"/sms/{SN}/jobs", f"/sms/{SN}/outgoing", f"/sms/{SN}/outgoing?tag=t1"]


@given(steps=st.lists(st.tuples(st.integers(0, 90), _POSTS | _CANCELS), max_size=8), later=st.integers(0, 300))
def test_a_world_rebuilt_from_its_journal_gives_equal_answers(steps, later):
    first, now = world(list_lag=30.0, credits=20.0), NOON
    for seconds, (method, what, fields) in steps:
        now += seconds
        if method == "POST":
            post(first, *what, now=now, **fields)
        else:
            call(first, "DELETE", f"/sms/{SN}/jobs/{27814656 + 3 * what + what % 2}", now=now)
    second = Simulator(first.settings, json.loads(json.dumps(first.journal)))
    questions = [("GET", path, None) for path in _QUESTIONS]
    questions.append(("POST", f"/sms/{SN}/jobs", {"message": "last", "receivers": [ONE, TWO]}))
    now += later
    for method, path, body in questions:
        assert call(first, method, path, body, now=now) == call(second, method, path, body, now=now)
    assert first.journal == second.journal
