"""The simulator's gate: keys, clock, signature, access rules."""

import hashlib
import json

import pytest

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.auth import granted, signature
from smsdeclare.simulator.settings import Credential, Settings

# Published, revoked keys of the official clients' test suites.
PUBLISHED = Credential(
    application_key="TDPKJdwZwAQPwKX2",
    application_secret="9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk",
    consumer_key="5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY",
)
EU = "https://eu.api.ovh.com"
BODY = b'{"a":"b","c":"d"}'
JOBS = "/1.0/sms/sms-ab12345-1/jobs"


def headers(credential, method, url, body=b"", timestamp="1700000000", **changes):
    """The four headers, signed here and not by the code under test."""
    secret, key = credential.application_secret, credential.consumer_key
    text = f"{secret}+{key}+{method}+{url}+{body.decode()}+{timestamp}"
    return {
        "X-Ovh-Application": credential.application_key,
        "X-Ovh-Consumer": credential.consumer_key,
        "X-Ovh-Timestamp": timestamp,
        "X-Ovh-Signature": "$1$" + hashlib.sha1(text.encode()).hexdigest(),
    } | changes


def get(settings, path="/1.0/sms", *, now=1700000000.0, credential=None, method="GET", **changes):
    signed = headers(credential or settings.credentials[0], method, settings.origin + path, **changes)
    response = Simulator(settings).handle(method, path, signed, b"", now)
    return response.status, json.loads(response.body)


@pytest.mark.parametrize(
    ("method", "url", "body", "timestamp", "expected"),
    [
        ("GET", f"{EU}/1.0/auth", b"", "1457018875", "e9556054b6309771395efa467c22e627407461ad"),
        ("POST", f"{EU}/1.0/auth", BODY, "1457018875", "ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1"),
        ("PUT", f"{EU}/1.0/auth", BODY, "1457018875", "8a75a9e7c8e7296c9dbeda6a2a735eb6bd58ec4b"),
        ("DELETE", f"{EU}/1.0/auth", b"", "1457018875", "a1eecd00b3b02b6cf5708b84b9ff42059a950d85"),
        ("GET", f"{EU}/1.0/call", b"", "1457018875", "7f2db49253edfc41891023fcd1a54cf61db05fbb"),
        ("GET", f"{EU}/v1/call", b"", "1457018875", "e6e7906d385eb28adcbfbe6b66c1528a42d741ad"),
        ("GET", f"{EU}/v2/call", b"", "1457018875", "bb63b132a6f84ad5433d0c534d48d3f7c3804285"),
        ("GET", f"{EU}/1.0/authTO", b"", "1457018875", "1f0958be70f095ddaba525778a9ac1dcffac89f3"),
        ("POST", f"{EU}/1.0/authTO", BODY, "1457018875", "b592effcb3bc2d37860eceb06a1b17670fbe49c6"),
        ("PUT", f"{EU}/1.0/authTO", BODY, "1457018875", "6b27c2a693a0eb4980217046b2fe10d74ba796f0"),
        ("DELETE", f"{EU}/1.0/authTO", b"", "1457018875", "bd59b15361548c388058009e00c508081e991e8b"),
        (
            "PUT",
            f"{EU}/1.0/sms/sms-ab12345-1",
            b'{"callBack":"https://example.org/dlr?x=1&y=2"}',
            "1700000000",
            "d01f8b9f0a311b55696002ba96b2a4478474d541",
        ),
        (
            "POST",
            f"{EU}/1.0/sms/sms-ab12345-1/batches/7b0f2d0e-0000-4000-8000-000000000000/cancel",
            b"",
            "1700000000",
            "16eaf1bdf26d901e128051511f2f7979bbb4db98",
        ),
    ],
)
def test_the_published_vectors_are_reproduced(method, url, body, timestamp, expected):
    assert f"$1${expected}" == signature(PUBLISHED, method, url, body, timestamp)


def test_the_body_counts_by_its_bytes():
    body = '{"message":"Café 10€ / à bientôt 👋"}'.encode()
    expected = headers(PUBLISHED, "POST", f"{EU}{JOBS}", body)["X-Ovh-Signature"]
    assert expected == signature(PUBLISHED, "POST", f"{EU}{JOBS}", body, "1700000000")


VECTORS = [
    pytest.param(EU, "GET", "/1.0/sms", 0, "bb4a8f11529608b0f30022c334110d4e336bd4b9", 200, id="list"),
    pytest.param(EU, "GET", "/1.0/sms/", 0, "11d5c1b937c9fb421e9d72f3647f2fad58f65abf", 200, id="trailing slash"),
    pytest.param(
        EU,
        "GET",
        "/1.0/sms/sms-ab12345-1/outgoing?tag=abc&creationDatetime.from=2026-01-01T00%3A00%3A00%2B01%3A00",
        0,
        "724f2e682563ec1d70dc0306736d278e5820e628",
        200,
        id="percent-encoded query",
    ),
    pytest.param(
        EU,
        "GET",
        "/1.0/sms/sms-ab12345-1/outgoing?flag=true&ptt=null",
        0,
        "942ff52423b5c26176da67f6510488106ed3621f",
        400,
        id="filters that are none",
    ),
    pytest.param(
        EU,
        "DELETE",
        f"{JOBS}/27814656",
        0,
        "38d7927239b4159c8029cb2a05d598dc52ccf4fb",
        404,
        id="canceling what is not there",
    ),
    pytest.param(EU, "GET", "/1.0/sms", 90, "cda2aa6756b33ab64dcd265427521fb309895c7c", 200, id="server ahead"),
    pytest.param(
        "https://ca.api.ovh.com",
        "GET",
        "/1.0/sms",
        0,
        "092a8a9beb15f1d48488eca3c97a9556f109b183",
        200,
        id="CA",
    ),
    pytest.param(EU, "GET", "/v1/sms", 0, "d8ec58f3db57fe84cc0026d2c13282d5e7143ecb", 200, id="alias /v1"),
]


@pytest.mark.parametrize(("origin", "method", "path", "ahead", "vector", "expected"), VECTORS)
def test_a_vector_opens_the_gate(origin, method, path, ahead, vector, expected):
    settings = Settings(credentials=(PUBLISHED,), origin=origin, clock_ahead=ahead)
    changes = {"timestamp": str(1700000000 + ahead), "X-Ovh-Signature": f"$1${vector}"}
    assert expected == get(settings, path, method=method, **changes)[0]


@pytest.mark.parametrize(("origin", "method", "path", "ahead", "vector", "_status"), VECTORS)
def test_a_vector_with_one_digit_changed_does_not(origin, method, path, ahead, vector, _status):
    settings = Settings(credentials=(PUBLISHED,), origin=origin, clock_ahead=ahead)
    wrong = vector[:-1] + ("0" if vector[-1] != "0" else "1")
    changes = {"timestamp": str(1700000000 + ahead), "X-Ovh-Signature": f"$1${wrong}"}
    expected = {
        "errorCode": "INVALID_SIGNATURE",
        "httpCode": "400 Bad Request",
        "message": "Invalid signature",
    }
    assert (400, expected) == get(settings, path, method=method, **changes)


WORLD = Settings(credentials=(PUBLISHED,), origin=EU)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"X-Ovh-Application": "other"}, (403, "INVALID_KEY", "This application key is invalid"), id="key"),
        pytest.param(
            {"X-Ovh-Consumer": "other"},
            (403, "NOT_CREDENTIAL", "This credential does not exist"),
            id="consumer key",
        ),
        pytest.param({"timestamp": "1699999700"}, (400, "QUERY_TIME_OUT", "Query out of time"), id="300 s late"),
        pytest.param({"timestamp": "1700000300"}, (400, "QUERY_TIME_OUT", "Query out of time"), id="300 s early"),
        pytest.param({"timestamp": "soon"}, (400, "INVALID_SIGNATURE", "Invalid signature"), id="no time at all"),
    ],
)
def test_a_wrong_header_is_refused_in_the_known_words(changes, expected):
    status, content = get(WORLD, **changes)
    assert expected == (status, content["errorCode"], content["message"])


@pytest.mark.parametrize("state", ["expired", "pendingValidation", "refused"])
def test_a_credential_that_is_not_validated_is_refused(state):
    credential = Credential(consumer_key="other", state=state)
    status, content = get(Settings(credentials=(PUBLISHED, credential), origin=EU), credential=credential)
    assert (status, content["errorCode"]) == (403, "INVALID_CREDENTIAL")


def test_the_newer_error_shape_has_a_class():
    settings = Settings(credentials=(PUBLISHED,), origin=EU, error_shape="class")
    expected = {"class": "Client::Forbidden", "message": "This application key is invalid"}
    assert (403, expected) == get(settings, **{"X-Ovh-Application": "other"})


@pytest.mark.parametrize("missing", ["X-Ovh-Consumer", "X-Ovh-Timestamp", "X-Ovh-Signature"])
def test_an_unsigned_call_must_log_in(missing):
    expected = {"class": "Client::Unauthorized", "message": "You must login first"}
    assert (401, expected) == get(WORLD, **{missing: ""})


def test_the_host_header_stands_in_for_the_origin():
    settings = Settings(credentials=(PUBLISHED,))
    signed = headers(PUBLISHED, "GET", "http://127.0.0.1:8800/1.0/sms") | {"hOsT": "127.0.0.1:8800"}
    assert Simulator(settings).handle("GET", "/1.0/sms", signed, b"", 1700000000.0).status == 200


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        pytest.param("/sms/*", "/sms", False, id="the star does not cover its own root"),
        pytest.param("/sms/*", "/sms/", True, id="but the root with a slash"),
        pytest.param("/sms/*", "/sms/a/jobs/1", True, id="the star crosses slashes"),
        pytest.param("/sms/*/jobs", "/sms/a/jobs", True, id="a star in the middle"),
        pytest.param("/sms/*/jobs", "/sms/a/outgoing", False, id="another end"),
        pytest.param("/sms", "/sms/", False, id="a trailing slash is another path"),
        pytest.param("/sms/", "/sms", False, id="and so is a missing one"),
        pytest.param("*", "/auth/time", True, id="everything"),
        pytest.param("/sms ", "/sms", False, id="a stray blank matches nothing"),
    ],
)
def test_an_access_rule_covers(rule, path, expected):
    assert expected == granted(Credential(rules=(("GET", rule),)), "GET", path)


def test_a_rule_is_for_one_method():
    assert not granted(Credential(rules=(("GET", "/sms"),)), "POST", "/sms")


def test_a_call_without_its_rule_is_not_granted():
    credential = Credential(rules=(("GET", "/sms/*/jobs"),))
    status, content = get(Settings(credentials=(credential,), origin=EU))
    assert (
        status,
        content["errorCode"],
        content["message"],
    ) == (403, "NOT_GRANTED_CALL", "This call has not been granted")


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [("Bearer good", 200), ("Bearer bad", 401), ("good", 401), ("Basic good", 401)],
)
def test_an_oauth2_token_needs_no_signature(authorization, expected):
    simulator = Simulator(Settings(bearer_tokens=("good",)))
    response = simulator.handle("GET", "/1.0/sms", {"Authorization": authorization}, b"", 0.0)
    assert expected == response.status


def test_the_current_credential_names_its_rules():
    rules = (("GET", "/auth/*"), ("POST", "/sms/*/jobs"))
    status, content = get(Settings(credentials=(Credential(rules=rules),), origin=EU), "/1.0/auth/currentCredential")
    assert (200, "validated", [{"method": method, "path": path} for method, path in rules]) == (
        status,
        content["status"],
        content["rules"],
    )


def test_the_time_is_a_bare_integer_on_the_servers_clock():
    response = Simulator(Settings(clock_ahead=3000.0)).handle("GET", "/1.0/auth/time", {}, b"", 1700000000.9)
    assert response.body == b"1700003000"
