"""What a plan and a preview say of costs, as a user reads it."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
import worlds

from smsdeclare.formats.phrases import lasting
from smsdeclare.schema import load_schema
from smsdeclare.simulator.settings import Credential

ROWS = {
    # Line of the file → what stands in firstName from now on.
    17: "Françoise",
    101: "Bo 🎉",
    1001: "L’Oréal",
    10_001: "Maximilien-Alexandre de la Très Longue Rue du Faubourg Saint-Honoré, escalier B, troisième étage",
}


@pytest.fixture
def parcels(tmp_path):
    """The example with ten thousand rows, four of them odd, and a text that is nearly one part long."""
    folder = shutil.copytree(worlds.EXAMPLES / "parcel-notices", tmp_path / "parcels")
    text = (folder / "notices.sms.yaml").read_text()
    (folder / "notices.sms.yaml").write_text(text.replace("{{ hour }} h.", "{{ hour }} h. Merci de rester chez vous."))
    path = folder / "data" / "customers.csv"
    lines = path.read_text().splitlines()
    for line, name in ROWS.items():
        phone, _, *rest = lines[line - 1].split(";")
        lines[line - 1] = ";".join([phone, name, *rest])
    path.write_text("\n".join(lines) + "\n")
    return folder


def check(document, name="plan"):
    jsonschema.validate(document, load_schema(f"{name}.v1"), cls=jsonschema.Draft202012Validator)


EXPECTED = {
    17: "2 parts instead of 1, 1 credit more: `ç` U+00E7 (`c` would do) in firstName forces Unicode",
    101: "2 parts instead of 1, 1 credit more: `🎉` U+1F389 in firstName forces Unicode",
    1001: "2 parts instead of 1, 1 credit more: `’` U+2019 (`'` would do) in firstName forces Unicode",
    10_001: "2 parts instead of 1, 1 credit more: the text is long, most of all by firstName",
}


def test_a_plan_names_each_row_that_costs_more_and_why_and_no_value(command, parcels):
    document = command("plan", "-C", parcels, "--json").json
    check(document)
    assert {line: f"A row costs more: message.parcel-tomorrow@1: {why}" for line, why in EXPECTED.items()} == {
        one["line"]: one["message"] for one in document["warnings"] if one["code"] == "SMS351"
    }
    (change,) = document["changes"]
    assert (10_004.0, True, {"min": 1, "max": 2}) == (change["credits"], change["creditsExact"], change["parts"])
    assert {"gsm7": 9_997, "unicode": 3} == change["encodings"]
    for how in ("text", "markdown", "github"):
        shown = command("plan", "-C", parcels, "--format", how).out
        assert all(f"customers.csv:{line}" in shown or f"line={line}" in shown for line in ROWS) or how == "markdown"
        assert not any(name in shown for name in ROWS.values())
        if how == "text":
            assert all(f"data/customers.csv:{line}:1: warning SMS351" in shown for line in ROWS)


def test_so_does_a_preview(command, parcels):
    document = command("preview", "-C", parcels, "--json").json
    check(document, "preview")
    (message,) = document["messages"]
    assert [
        (17, "firstName", ["ç"], 2, 1, 1.0),
        (101, "firstName", ["🎉"], 2, 1, 1.0),
        (1001, "firstName", ["’"], 2, 1, 1.0),
        (10_001, "firstName", [], 2, 1, 1.0),
    ] == [
        (row["line"], row["name"], row["characters"], row["parts"], row["partsInstead"], row["creditsMore"])
        for row in message["rows"]
    ]
    assert 0 == message["moreRows"]
    text = command("preview", "-C", parcels).out
    assert all(f"data/customers.csv:{line}: {why}" in text for line, why in EXPECTED.items())


def test_rows_that_were_sent_are_named_no_more(command, parcels):
    (parcels / "smsdeclare.yaml").write_text(
        (parcels / "smsdeclare.yaml").read_text() + "policy: {maxReceivers: 20000}\n"
    )
    csv = parcels / "data" / "customers.csv"
    everybody = csv.read_text().splitlines()
    csv.write_text("\n".join(everybody[:20]) + "\n")
    assert 1 == command("plan", "-C", parcels).out.count("SMS351")
    command("apply", "-C", parcels, "--auto-approve")
    csv.write_text("\n".join(everybody[:102]) + "\n")
    assert [101] == [
        one["line"] for one in command("plan", "-C", parcels, "--json").json["warnings"] if one["code"] == "SMS351"
    ]


def test_of_many_such_rows_ten_are_named_and_the_rest_is_counted(command, tmp_path):
    rows = "".join(f"06399800{place:02d},Françoise\n" for place in range(30))
    more = "receivers: {all: {csv: all.csv, defaultCountry: FR}}\n" + worlds.message("{{ n }}" + "a" * 70, "all")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more), "all.csv": f"number,n\n{rows}"})
    found = [one for one in command("plan", "-C", project, "--json").json["warnings"] if one["code"] == "SMS351"]
    assert 11 == len(found)
    assert "A row costs more: message.hello@1: 20 more rows, 20 credits more" in [one["message"] for one in found]
    assert ["SMS307", "SMS351"] == list(
        dict.fromkeys(one["code"] for one in command("plan", "-C", project, "--json").json["warnings"])
    )
    assert "and 20 more rows" in command("preview", "-C", project).out


NORMALIZED = """\
receivers: {all: {numbers: [{number: "+33639980001", n: "l’Été"}, {number: "+33639980002", n: "Ana"}]}}
messages:
  hello:
    text: "Ça va, {{ n }} ? Votre forêt… est à vous. Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    to: all
    options: {sender: ACME, noStopClause: true}
"""


def test_what_normalizing_does_is_shown_and_sent(command, tmp_path):
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=NORMALIZED)})
    before = command("plan", "-C", project, "--json").json
    assert "look-alikes would save 2 parts" in json.dumps(before["warnings"])
    (project / "smsdeclare.yaml").write_text(worlds.root(more=NORMALIZED + "    normalize: gsm7\n"))
    document = command("plan", "-C", project, "--json").json
    check(document)
    (change,) = document["changes"]
    assert {
        "receivers": 2,
        "partsSaved": 2,
        "replaced": [
            {"character": "ê", "instead": "e", "count": 2},
            {"character": "…", "instead": "...", "count": 2},
            {"character": "’", "instead": "'", "count": 1},
        ],
    } == change["normalized"]
    assert ("gsm7", 2.0, []) == (change["encoding"], change["credits"], document["warnings"])
    assert "‹n› ? Votre foret... est" in change["sample"]
    assert before["digest"] != document["digest"]
    told = "normalized for 2 receivers, 2 parts saved: `ê` -> `e` 2x, `…` -> `...` 2x, `’` -> `'` 1x"
    assert told in command("plan", "-C", project).out
    assert told in command("preview", "-C", project).out
    assert "normalized for 2 receivers" in command("plan", "-C", project, "--format", "markdown").out
    assert command("preview", "-C", project, "--json").json["messages"][0]["normalized"] == change["normalized"]
    command("plan", "-C", project, "--out", "plan.json")
    assert told in command("show", "-C", project, "plan.json").out
    assert 0 == command("apply", "-C", project, "plan.json").code
    assert ["Ça va, l'Été ? Votre foret... est", "Ça va, Ana ? Votre foret... est"] == [
        sms["message"].partition(" à")[0] for sms in sorted(worlds.outbox(project), key=lambda sms: sms["receiver"])
    ]


@pytest.mark.parametrize("names", [("l'Été", "l’Été"), ("l’Été", "l'Été")])
def test_texts_that_are_equal_once_normalized_count_each_for_what_was_replaced_in_it(command, tmp_path, names):
    people = ", ".join(f'{{number: "+3363998000{place}", n: "{name}"}}' for place, name in enumerate(names))
    more = worlds.message("{{ n }} " * 20, "all", "    normalize: gsm7\n    options: {noStopClause: true}\n")
    more = f"receivers: {{all: {{numbers: [{people}]}}}}\n{more}"
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    (change,) = command("plan", "-C", project, "--json").json["changes"]
    assert {
        "receivers": 1,
        "partsSaved": 1,
        "replaced": [{"character": "’", "instead": "'", "count": 20}],
    } == change["normalized"]
    assert command("preview", "-C", project, "--json").json["messages"][0]["normalized"] == change["normalized"]


def test_the_parts_of_a_normalized_text_are_drawn_with_names(command, tmp_path):
    people = 'receivers: {all: {numbers: [{number: "+33639980001", n: "l’Été… ça"}]}}\n'
    more = people + worlds.message(
        "Bonjour {{ n }}" + "… " * 60, "all", "    normalize: gsm7\n    options: {noStopClause: true}\n"
    )
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    example = command("preview", "-C", project, "--json").json["messages"][0]["example"]
    assert ("gsm7", 2, example["text"]) == (example["encoding"], len(example["split"]), "".join(example["split"]))
    assert example["text"].startswith("Bonjour ‹n›... ... ...")


def test_a_text_of_which_nothing_is_left_is_an_error(command, tmp_path):
    more = 'receivers: {all: {numbers: [{number: "+33639980001", n: "\u200b"}]}}\n'
    more += worlds.message("{{ n }}", "all", "    normalize: gsm7\n")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    result = command("plan", "-C", project)
    assert (1, True) == (result.code, "SMS305" in result.err)


ABROAD = worlds.message(
    to='["+33639980001", "+32470000001", "+447700900123"]',
    more="    options: {sender: SMSDECLARE, noStopClause: true}\n",
)


def test_rates_are_asked_for_and_charged(command, tmp_path, serve):
    here = serve(rates={"33": 1.0, "32": 1.5, "44": 0.5}, report_credits_left=True)
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, ABROAD)})
    document = command("plan", "-C", project, "--json").json
    check(document)
    (change,) = document["changes"]
    assert (3.0, True) == (change["credits"], change["creditsExact"])
    assert (1000.0, 997.0, True) == tuple(
        document["summary"][name] for name in ("creditsLeft", "creditsAfter", "creditsExact")
    )
    assert [] == document["warnings"]
    offline = command("plan", "-C", project, "--json", "--offline").json
    assert (4.7, False) == (offline["changes"][0]["credits"], offline["summary"]["creditsExact"])
    (warning,) = [one for one in offline["warnings"] if one["code"] == "SMS450"]
    assert warning["message"].endswith("message.hello@1: BE, a shared prefix, for 2; counted are 1.6 to 2.1 a part")
    assert offline["digest"] == document["digest"]
    assert 3.0 == command("apply", "-C", project, "--auto-approve", "--json").json["summary"]["credits"]


def test_a_place_without_a_rate_of_its_own_goes_by_its_prefix(command, tmp_path, serve):
    """Guernsey's numbers are no destination of OVHcloud's: they count as Britain's, and as a guess."""
    here = serve(rates={"44": 0.5})
    project = worlds.write(
        tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message(to='["+447781000000"]'))}
    )
    (change,) = command("plan", "-C", project, "--json").json["changes"]
    assert (0.5, False) == (change["credits"], change["creditsExact"])


def test_what_was_asked_for_last_counts_where_nobody_can_be_asked(command, tmp_path, monkeypatch):
    last_week = datetime.now(tz=UTC) - timedelta(days=7)
    notes = {"ovh-eu -": {"BE": {"credits": 1.5, "asked": last_week.isoformat()}}}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = worlds.root("{name: ovh, endpoint: ovh-eu}", ABROAD.replace(', "+447700900123"', ""))
    project = worlds.write(tmp_path, {"p/smsdeclare.yaml": root, "smsdeclare/rates.json": json.dumps(notes)}) / "p"
    for document in (
        command("plan", "-C", project, "--offline", "--json").json["changes"],
        command("preview", "-C", project, "--json").json["messages"],
    ):
        assert (2.5, False) == (document[0]["credits"], document[0]["creditsExact"])


def test_a_plan_needs_rights_to_read_only(command, tmp_path, serve):
    """Where texts are in doubt it does without the provider's count of parts."""
    here = serve(credentials=(Credential(rules=(("GET", "/sms/*"),)),))
    more = worlds.message("a" * 155, more="    options: {senderForResponse: true}\n")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, more)})
    result = command("plan", "-C", project)
    assert (0, True) == (result.code, "gsm7   2 parts   about 2 credits" in result.out)
    assert "SMS350" in result.out


def test_credits_that_do_not_suffice_are_told_before_anything_is_sent(command, tmp_path, serve):
    here = serve(rates={"33": 600.0})
    more = worlds.message(to='["+33639980001", "+33639980002"]', more="    options: {noStopClause: true}\n")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, more)})
    out = command("plan", "-C", project).out
    assert "warning SMS451: The credits do not suffice: 1,000 are left, the plan takes 1,200" in out
    assert "1,200 credits of 1,000 left, -200 afterwards" in out


def test_a_bill_beyond_the_plan_is_told(command, tmp_path, serve):
    here = serve(rates={"33": 1.0, "3363998": 2.5})
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url, worlds.message())})
    result = command("apply", "-C", project, "--auto-approve")
    assert (0, "Apply: 1 sent. 2.50 credits.\n") == (result.code, result.out)
    assert (
        "warning SMS650: The provider took more credits than the plan said: 2.5 for what the plan put at 1"
        in result.err
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(("hello:", "other:"), "message.hello names nothing in the files", id="its message is gone"),
        pytest.param(("shop:", "shoppe:"), "`shop`", id="its variable is gone"),
        pytest.param(("Hi", "Ho"), "the files and the state give sha256:", id="its text is another"),
        pytest.param(("project: test", "project: other"), "its project is test", id="its project is another"),
        pytest.param(("name: sandbox", "name: sandbox, service: sms-other"), "its service is", id="another account"),
    ],
)
def test_a_saved_plan_older_than_the_files_is_refused_with_the_reason(command, tmp_path, change, reason):
    more = "variables: {shop: {}}\n" + worlds.message("Hi {{ shop|default('you') }}")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=more)})
    save = command("plan", "-C", project, "--out", "plan.json", "--target", "message.hello", "--var", "shop=Acme")
    assert 0 == save.code, save.err
    path = project / "smsdeclare.yaml"
    path.write_text(path.read_text().replace(*change))
    result = command("apply", "-C", project, "plan.json")
    assert (7, True, []) == (result.code, reason in result.err, worlds.outbox(project))


def test_a_plan_says_how_long_its_posts_take(command, serve, tmp_path):
    """At least, by the project's own limit; without it, how long where answers come soon and at a fair pace."""
    here = serve()
    root = worlds.loopback(here.url).replace("service:", "requestsPerMinute: 30, service:")
    people = "[" + ", ".join(f'{{number: "{worlds.number(place)}", n: n{place}}}' for place in range(102)) + "]"
    more = f"receivers: {{all: {{numbers: {people}}}}}\n" + worlds.message("Hi {{ n }}", "all")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root + more})
    plan = command("plan", "-C", folder, "--offline")
    assert "102 POSTs, in 3 min 22 s at least." in plan.out
    document = command("plan", "-C", folder, "--offline", "--json").json
    check(document)
    assert (102, 202.0) == (document["summary"]["posts"], document["summary"]["secondsAtLeast"])
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(here.url) + more})
    document = command("plan", "-C", folder, "--offline", "--json").json
    check(document)
    assert (None, [6.4, 101.0]) == tuple(document["summary"][each] for each in ("secondsAtLeast", "secondsAbout"))
    told = "102 POSTs: 6 s where each is answered in 0.2 s, 1 min 41 s at 60 a minute.\n"
    assert told in command("plan", "-C", folder, "--offline").out


def test_the_sandbox_answers_at_once(command, tmp_path):
    people = "[" + ", ".join(f'{{number: "{worlds.number(place)}", n: n{place}}}' for place in range(102)) + "]"
    more = f"receivers: {{all: {{numbers: {people}}}}}\n" + worlds.message("Hi {{ n }}", "all")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root("{name: sandbox, requestsPerMinute: 30}", more)})
    assert "102 POSTs.\n" in command("plan", "-C", folder).out


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7_505, "2 h 5 min"), (4e6, "1,111 h 6 min")],
)
def test_how_long_something_lasts_is_told_in_two_units_at_most(seconds, told):
    assert told == lasting(seconds)
