"""The two pages in a real browser: clicks, keys, no script, phone and desk, light and dark.

Needs `pip install -e '.[browser]'` and a Chromium of the system. `SCREENSHOTS=docs/images pytest tests/browser` makes
the pictures of the documentation anew.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from smsdeclare.format import Overview, SendRow, Standing
from smsdeclare.formats import html
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import Faults
from smsdeclare.simulator.inbox import Inbox
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Sender, Service, Settings

playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

NOON = 1764586800.0
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1000, "height": 1040}
WHY = "no answer within 30 seconds"


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens an address as somebody sees it; what the browser complains of fails the test."""
    contexts, complaints = [], []

    def start(address, **look):
        context = chromium.new_context(**{"viewport": DESK, **look})
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if _leaves(request.url) else None)
        page.goto(address)
        return page

    yield start
    for context in contexts:
        context.close()
    # Chromium asks every server for it by itself.
    assert [] == [one for one in complaints if "404" not in one]


def _leaves(address):
    return not address.startswith(("http://127.0.0.1:", "file://"))


@pytest.fixture
def picture(tmp_path):
    """Takes a picture, for the documentation where that is asked for."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    return lambda page, name: page.screenshot(path=folder / f"{name}.png")


class Sandbox:
    def __init__(self):
        self.now = NOON
        account = Service(senders=(Sender(name="ACME"), Sender(name="SMSDECLARE")))
        self.world = Simulator(Settings(bearer_tokens=("token",), services=(account,)))
        self.faults = Faults()
        self.server = Server(Inbox(self.world, self.faults), clock=lambda: self.now, script=self.faults)
        self.address = self.server.url.removesuffix("1.0")

    def post(self, message, *numbers, **more):
        body = json.dumps({"message": message, "receivers": [f"+3363998000{one}" for one in numbers], **more}).encode()
        headers = {"Authorization": "Bearer token"}
        answer = self.world.handle("POST", "/1.0/sms/sms-ab12345-1/jobs", headers, body, self.now)
        assert 200 == answer.status


@pytest.fixture
def sandbox():
    sandbox = Sandbox()
    sandbox.post("Bonjour Léa, your parcel from acme arrives tomorrow between 9 and 12.", 1, 2)
    sandbox.post("Your appointment is on Monday at 9.", 1, 2, sender="ACME", noStopClause=True, differedPeriod=600)
    sandbox.post("Black week at acme: -30 % on everything that is black ♥", 1, sender="ACME")
    sandbox.now += 60
    with sandbox.server:
        yield sandbox


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_clicks_push_what_phones_do_and_switch_faults(visit, sandbox, picture, script):
    page = visit(sandbox.address, java_script_enabled=script, color_scheme="light")
    page.get_by_label("Answer to 38069 from +33639980002").fill("Thank you, I am at home.")
    page.get_by_role("button", name="Send the answer from +33639980002").click()
    page.get_by_text("in incoming").wait_for()
    page.get_by_role("button", name="Answer STOP from +33639980001").click()
    page.get_by_text("on the account's blacklist").wait_for()
    page.get_by_role("region", name="+33639980001").get_by_text("Failed", exact=True).last.click()
    page.get_by_text("Absent subscriber (ptt 24)").locator("visible=true").first.wait_for()
    page.get_by_label("What happens to a POST").select_option("0")
    page.get_by_role("button", name="Switch").click()
    page.get_by_text("Now: handled, then answered 500 with JSON, for the next POST").wait_for()
    assert "0" == sandbox.faults.next()
    assert 1 == sum("stop" in line for line in sandbox.world.journal)
    assert [24] == [line["ptt"] for line in sandbox.world.journal if "receipt" in line]
    page.goto(sandbox.address)
    page.set_viewport_size({"width": 1000, "height": 1130})
    picture(page, "inbox")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_an_answer_is_typed_and_sent(visit, sandbox, script):
    sandbox.post("Shall we keep your table?", 3, tag="table")
    sandbox.post("Only a name", 4, sender="ACME")
    page = visit(sandbox.address, java_script_enabled=script)
    name = page.get_by_role("region", name="+33639980004")
    assert name.get_by_text("ACME can't be answered: it is a name, not a number.").is_visible()
    assert 0 == name.get_by_role("textbox").count()
    page.get_by_label("Answer to 38069 from +33639980003").fill("Yes <b>please</b>")
    page.get_by_role("button", name="Send the answer from +33639980003").click()
    answers = page.get_by_role("region", name="+33639980003").locator(".mine .bubble")
    assert ["Yes <b>please</b>"] == answers.all_inner_texts()
    page.get_by_label("Answer to 38069 from +33639980003").focus()
    page.keyboard.type("At 8")
    page.keyboard.press("Enter")
    answers.nth(1).wait_for()
    headers = {"Authorization": "Bearer token"}
    path = "/1.0/sms/sms-ab12345-1/incoming"
    listed = json.loads(sandbox.world.handle("GET", f"{path}?tag=table", headers, b"", sandbox.now).body)
    read = [json.loads(sandbox.world.handle("GET", f"{path}/{one}", headers, b"", sandbox.now).body) for one in listed]
    assert ["Yes <b>please</b>", "At 8"] == [one["message"] for one in read]
    assert {"+33639980003"} == {one["sender"] for one in read}


def test_keys_alone_are_enough(visit, sandbox):
    page = visit(sandbox.address)
    button = page.get_by_role("button", name="Answer STOP from +33639980002")
    for _ in range(60):
        if button.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("on the account's blacklist").wait_for()


def test_a_new_sms_shows_by_itself_and_takes_nobody_from_a_form(visit, sandbox):
    page = visit(sandbox.address)
    sandbox.post("And another one", 3)
    page.get_by_text("And another one").wait_for()
    page.get_by_label("Number, or a part of it").fill("+336")
    sandbox.post("The last one", 3)
    page.get_by_text("There is something new").wait_for()
    assert "+336" == page.get_by_label("Number, or a part of it").input_value()


def test_every_control_has_a_name(visit, sandbox):
    page = visit(sandbox.address)
    controls = page.locator("button:visible, select:visible, input:visible, a:visible").all()
    assert len(controls) > 10
    for control in controls:
        assert not control.aria_snapshot().rstrip(":").endswith(("- button", "- combobox", "- textbox", "- link"))


@pytest.fixture
def status(tmp_path):
    rows = [
        SendRow(
            address="message.order-shipped@1", ref=ref, message="order-shipped", revision=1, receiver=f"+336•••••{end}",
            status="unknown", attempts=1, id=None, credits=None, send_at=None, accepted_at=None, delivered_at=None,
            reason=WHY, since="2026-12-07T08:00:31Z",
        )
        for ref, end in (("k3v41q8z", "41"), ("k3v77q8z", "77"))
    ]  # fmt: skip
    failed = [
        ("failed", "the destination is forbidden (ptt 54)", 31),
        ("failed", "the number is invalid or barred; do not use it again (ptt 23)", 26),
    ]
    seen = Overview(
        project="acme", provider="ovh", at="2026-12-07T09:14:00Z", in_doubt=rows, stopped=None,
        standings=[
            Standing(
                address="message.black-week@2", credits=17588, reasons=failed,
                counts={"delivered": 8421, "accepted": 312, "failed": 57},
            ),
            Standing(
                address="message.order-shipped@1", credits=1201, reasons=[("unknown", WHY, 2)],
                counts={"delivered": 1180, "accepted": 19, "unknown": 2},
            ),
            Standing(address="message.advent-calendar@1", counts={"scheduled": 2400}, credits=2400),
        ],
        spent=[
            *((f"2026-11-{day}", 40 + 13 * (day % 7)) for day in range(10, 22)),
            ("2026-11-23", 8200), ("2026-11-24", 5300), ("2026-11-25", 4100), ("2026-11-27", 900),
            ("2026-12-01", 2400), ("2026-12-07", 1201),
        ],
    )  # fmt: skip
    path = tmp_path / "status.html"
    path.write_text(html.overview(seen), encoding="ascii")
    return path.as_uri()


def test_the_status_is_one_file_that_a_browser_shows_whole(visit, status, picture):
    page = visit(status, color_scheme="light")
    assert page.get_by_role("img", name="Credits by the day").is_visible()
    assert page.locator("rect.bar").first.evaluate("one => one.getBoundingClientRect().height") > 1
    page.get_by_text("The figures").click()
    assert page.get_by_role("row", name="2026-11-23 8,200").is_visible()
    page.get_by_text("The figures").click()
    page.set_viewport_size({"width": 1000, "height": 1470})
    page.evaluate("scrollTo(0, 0)")
    picture(page, "status")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_pages_fit_and_follow_the_scheme(visit, sandbox, status, picture, size, scheme):
    for name, address in (("inbox", sandbox.address), ("status", status)):
        page = visit(address, viewport=size, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shades = page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(", ")
        assert (scheme == "dark") == (sum(map(int, shades)) < 380)
        if "SCREENSHOTS" not in os.environ:
            picture(page, f"{name}-{scheme}")


@pytest.mark.parametrize(
    "look", [{"viewport": PHONE, "color_scheme": "dark"}, {"viewport": DESK}], ids=["phone", "desk"]
)
def test_a_key_is_granted_by_a_click_and_by_a_key(sandbox, visit, look):
    body = json.dumps({"accessRules": [{"method": "POST", "path": "/sms/sms-ab12345-1/jobs"}]}).encode()
    headers = {
        "X-Ovh-Application": sandbox.world.settings.credentials[0].application_key,
        "Host": sandbox.address[7:-1],
    }
    asked = json.loads(sandbox.world.handle("POST", "/1.0/auth/credential", headers, body, sandbox.now).body)
    page = visit(asked["validationUrl"], **look)
    assert page.get_by_text("POST /sms/sms-ab12345-1/jobs").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if look["viewport"] == PHONE:
        page.get_by_role("button", name="Refuse").click()
    else:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    (key,) = sandbox.world.history.asked.values()
    assert ("refused" if look["viewport"] == PHONE else "validated") == key.state
