"""OVHcloud's signature: the official clients' published vectors, and the official Python client as a peer.

The keys are revoked ones that python-ovh and go-ovh publish in their tests.
"""

import ovh
import pytest
import responses
from requests import Request

from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh_signature import OvhAuth, sign

KEYS = ApplicationKeys(
    application_key="TDPKJdwZwAQPwKX2",
    application_secret="9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk",
    consumer_key="5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY",
)
EU = "https://eu.api.ovh.com/1.0"
SMS = f"{EU}/sms/sms-ab12345-1"
OFFICIAL, OURS = 1_457_018_875, 1_700_000_000
AB = '{"a":"b","c":"d"}'

VECTORS = {
    "V1": ("GET", f"{EU}/auth", "", OFFICIAL, "e9556054b6309771395efa467c22e627407461ad"),
    "V2": ("POST", f"{EU}/auth", AB, OFFICIAL, "ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1"),
    "V3": ("PUT", f"{EU}/auth", AB, OFFICIAL, "8a75a9e7c8e7296c9dbeda6a2a735eb6bd58ec4b"),
    "V4": ("DELETE", f"{EU}/auth", "", OFFICIAL, "a1eecd00b3b02b6cf5708b84b9ff42059a950d85"),
    "V5": ("GET", f"{EU}/call", "", OFFICIAL, "7f2db49253edfc41891023fcd1a54cf61db05fbb"),
    "V6": ("GET", "https://eu.api.ovh.com/v1/call", "", OFFICIAL, "e6e7906d385eb28adcbfbe6b66c1528a42d741ad"),
    "V7": ("GET", "https://eu.api.ovh.com/v2/call", "", OFFICIAL, "bb63b132a6f84ad5433d0c534d48d3f7c3804285"),
    "V8 GET": ("GET", f"{EU}/authTO", "", OFFICIAL, "1f0958be70f095ddaba525778a9ac1dcffac89f3"),
    "V8 POST": ("POST", f"{EU}/authTO", AB, OFFICIAL, "b592effcb3bc2d37860eceb06a1b17670fbe49c6"),
    "V8 PUT": ("PUT", f"{EU}/authTO", AB, OFFICIAL, "6b27c2a693a0eb4980217046b2fe10d74ba796f0"),
    "V8 DELETE": ("DELETE", f"{EU}/authTO", "", OFFICIAL, "bd59b15361548c388058009e00c508081e991e8b"),
    "S1": ("GET", f"{EU}/sms", "", OURS, "bb4a8f11529608b0f30022c334110d4e336bd4b9"),
    "S2": ("GET", f"{EU}/sms/", "", OURS, "11d5c1b937c9fb421e9d72f3647f2fad58f65abf"),
    "S3": (
        "POST",
        f"{SMS}/jobs",
        '{"message":"Hello","receivers":["+33612345678"],"sender":"MyShop","noStopClause":true,"priority":"high"}',
        OURS,
        "12bbe7145ec07d0f93cfb6a9f3201c4d758f8601",
    ),
    "S4": (
        "POST",
        f"{SMS}/jobs",
        (
            r'{"message":"Caf\u00e9 10\u20ac / \u00e0 bient\u00f4t \ud83d\udc4b","receivers":["+33612345678"],'
            r'"senderForResponse":true}'
        ),
        OURS,
        "13673223ead2eee4aa50e9ad710f303962877dba",
    ),
    "S4b": (
        "POST",
        f"{SMS}/jobs",
        '{"message":"Café 10€ / à bientôt 👋","receivers":["+33612345678"],"senderForResponse":true}',
        OURS,
        "dcac9e3623acb63a6db30376b000bc375bdd556d",
    ),
    "S5": (
        "GET",
        f"{SMS}/outgoing?tag=abc&creationDatetime.from=2026-01-01T00%3A00%3A00%2B01%3A00",
        "",
        OURS,
        "724f2e682563ec1d70dc0306736d278e5820e628",
    ),
    "S6": ("GET", f"{SMS}/outgoing?flag=true&ptt=null", "", OURS, "942ff52423b5c26176da67f6510488106ed3621f"),
    "S7": ("DELETE", f"{SMS}/jobs/27814656", "", OURS, "38d7927239b4159c8029cb2a05d598dc52ccf4fb"),
    "S8": ("GET", f"{EU}/sms", "", OURS + 90, "cda2aa6756b33ab64dcd265427521fb309895c7c"),
    "S9": (
        "PUT",
        SMS,
        '{"callBack":"https://example.org/dlr?x=1&y=2"}',
        OURS,
        "d01f8b9f0a311b55696002ba96b2a4478474d541",
    ),
    "S10": ("GET", "https://ca.api.ovh.com/1.0/sms", "", OURS, "092a8a9beb15f1d48488eca3c97a9556f109b183"),
    "S11": (
        "POST",
        f"{SMS}/batches/7b0f2d0e-0000-4000-8000-000000000000/cancel",
        "",
        OURS,
        "16eaf1bdf26d901e128051511f2f7979bbb4db98",
    ),
    "S12": ("GET", "https://eu.api.ovh.com/v1/sms", "", OURS, "d8ec58f3db57fe84cc0026d2c13282d5e7143ecb"),
    "S13": ("GET", f"{SMS}/senders/My%20Shop", "", OURS, "9f3547e5f13483e3dd8e1f591d9ed3ac0a88e39b"),
    "S14": (
        "POST",
        f"{SMS}/jobs",
        (
            '{ "charset": "UTF-8", "receivers": [ "+33660000000" ], "message": "Test SMS OVH", "priority": "high",  '
            '"senderForResponse": true, "sender": "YOURSENDER"}'
        ),
        OURS,
        "534f29e9a8c844c390548eba7a1b0385d76892e1",
    ),
}


@pytest.mark.parametrize(("method", "url", "body", "timestamp", "digest"), VECTORS.values(), ids=VECTORS)
def test_the_signature_is_the_official_one(method, url, body, timestamp, digest):
    assert f"$1${digest}" == sign(KEYS, method, url, body.encode(), timestamp)


@pytest.mark.parametrize(("method", "url", "body", "timestamp", "digest"), VECTORS.values(), ids=VECTORS)
def test_the_very_bytes_and_the_very_url_that_are_sent_are_signed(method, url, body, timestamp, digest):
    auth = OvhAuth(KEYS, lambda: timestamp)
    request = Request(method, url, data=body.encode() or None, auth=auth).prepare()
    assert (url, f"$1${digest}") == (request.url, request.headers["X-Ovh-Signature"])
    assert (body.encode() or None) == request.body
    assert str(timestamp) == request.headers["X-Ovh-Timestamp"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/sms", "/sms/", "/sms/sms-ab12345-1/jobs", "/sms/sms-ab12345-1/senders/My%20Shop"])
def test_the_official_client_signs_the_same(method, path):
    official = ovh.Client(
        endpoint="ovh-eu",
        application_key=KEYS.application_key,
        application_secret=KEYS.application_secret,
        consumer_key=KEYS.consumer_key,
    )
    official._time_delta = 3000
    content = {"message": "Café 10€ 👋", "noStopClause": True} if method in ("POST", "PUT") else None
    with responses.RequestsMock() as mock:
        mock.add(method, f"{EU}{path}", body="null", content_type="application/json")
        official.call(method, path, content, need_auth=True)
        sent = mock.calls[0].request
    body = sent.body.encode() if sent.body else b""
    timestamp = int(sent.headers["X-Ovh-Timestamp"])
    assert sign(KEYS, method, sent.url, body, timestamp) == sent.headers["X-Ovh-Signature"]
