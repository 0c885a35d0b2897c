"""Rules of a project, as a user meets them: the plan is shown, refused, and nothing is sent."""

import pytest
import worlds

LISTS = """receivers:
  people: {numbers: ["+33639980001", "+33639980002", "+33639980003"]}
  team: {numbers: ["+33639980002"]}
"""


def project(folder, policy, text="Hello", more="", message=""):
    files = {
        "smsdeclare.yaml": worlds.root(
            more=f"policy: {policy}\n"
            + LISTS
            + more
            + worlds.message(text, "people", "    options: {noStopClause: true}\n" + message)
        )
    }
    return worlds.write(folder, files)


@pytest.mark.parametrize(
    ("policy", "text", "rule", "limit", "actual"),
    [
        pytest.param("{maxCredits: 2.5}", "Hello", "maxCredits", 2.5, 3.0, id="credits"),
        pytest.param("{maxReceivers: 2}", "Hello", "maxReceivers", 2, 3, id="receivers"),
        pytest.param("{maxParts: 1}", "a" * 161, "maxParts", 1, 2, id="parts"),
    ],
)
def test_a_broken_rule_refuses_the_plan_and_names_its_line(command, tmp_path, policy, text, rule, limit, actual):
    folder = project(tmp_path, policy, text)
    plan = command("plan", "-C", folder, "--json")
    assert 5 == plan.code
    assert [
        {
            "rule": rule,
            "limit": limit,
            "actual": actual,
            "address": None,
            "file": "smsdeclare.yaml",
            "line": 4,
            "messageFile": None,
            "messageLine": None,
        }
    ] == plan.json["violations"]
    assert 5 == command("apply", "-C", folder, "--auto-approve").code
    assert 5 == command("apply", "-C", folder, "--expect-digest", plan.json["digest"]).code
    assert [] == worlds.outbox(folder)


@pytest.mark.parametrize("policy", ["{maxCredits: 3}", "{maxReceivers: 3}", "{maxParts: 1}"])
def test_a_limit_that_is_just_reached_is_kept(command, tmp_path, policy):
    folder = project(tmp_path, policy)
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 3 == len(worlds.outbox(folder))


def test_what_is_too_late_does_not_count(command, tmp_path):
    folder = project(tmp_path, "{maxReceivers: 1}", message="    expiresAt: 2020-01-01 00:00\n")
    assert 3 == command("apply", "-C", folder, "--auto-approve").code
    assert [] == worlds.outbox(folder)


def test_what_is_done_already_does_not_count_against_the_next_plan(command, tmp_path):
    folder = project(tmp_path, "{maxReceivers: 3}")
    command("apply", "-C", folder, "--auto-approve")
    path = folder / "smsdeclare.yaml"
    path.write_text(path.read_text().replace('"+33639980003"]', '"+33639980003", "+33639980004"]'))
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 4 == len(worlds.outbox(folder))


def test_a_message_s_own_limit_counts_all_that_its_revision_took(command, tmp_path):
    folder = project(tmp_path, "{}", message="    maxCredits: 3\n")
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    path = folder / "smsdeclare.yaml"
    path.write_text(path.read_text().replace('"+33639980003"]', '"+33639980003", "+33639980004"]'))
    plan = command("plan", "-C", folder, "--json")
    (violation,) = plan.json["violations"]
    assert (5, "maxCredits", "message.hello@1", 4.0) == (
        plan.code, violation["rule"], violation["address"], violation["actual"]
    )  # fmt: skip


def test_other_countries_are_skipped_and_counted(command, tmp_path):
    folder = project(tmp_path, "{allowedCountries: [BE]}")
    plan = command("plan", "-C", folder, "--json").json
    assert (0, {"SMS212"}, 3) == (
        plan["summary"]["send"],
        {row["code"] for row in plan["skipped"]},
        plan["summary"]["skip"],
    )


def test_only_the_only_receivers_get_something(command, tmp_path):
    folder = project(tmp_path, "{onlyReceivers: team}")
    command("apply", "-C", folder, "--auto-approve")
    assert ["+33639980002"] == [sms["receiver"] for sms in worlds.outbox(folder)]


@pytest.mark.parametrize(
    ("rows", "bad", "policy", "code"),
    [
        pytest.param(20, 1, "{}", 0, id="one in twenty is five percent"),
        pytest.param(20, 2, "{}", 5, id="two in twenty are more"),
        pytest.param(19, 9, "{}", 0, id="below twenty rows it does not count"),
        pytest.param(20, 20, "{}", 5, id="no number at all"),
        pytest.param(20, 2, "{maxSkipped: 10%}", 0, id="the project allows more"),
        pytest.param(20, 1, "{maxSkipped: 0%}", 5, id="the project allows none"),
    ],
)
def test_too_many_rows_without_a_number_refuse_the_plan(command, tmp_path, rows, bad, policy, code):
    table = ["number", *(["none"] * bad), *(worlds.number(index) for index in range(rows - bad))]
    files = {
        "smsdeclare.yaml": worlds.root(
            more=f"policy: {policy}\nreceivers: {{all: {{csv: all.csv}}}}\n" + worlds.message("Hi", "all")
        ),
        "all.csv": "\n".join(table) + "\n",
    }
    assert code == command("plan", "-C", worlds.write(tmp_path, files)).code


def rules(folder, policy, options, text="Hello"):
    files = {
        "smsdeclare.yaml": worlds.root(more=f"policy:\n  {policy}\n" + LISTS),
        "campaign.sms.yaml": f'messages:\n  hello:\n    text: "{text}"\n    to: people\n    options: {options}\n',
    }
    return worlds.write(folder, files)


@pytest.mark.parametrize(
    ("policy", "options", "text", "rule", "limit", "actual", "line"),
    [
        pytest.param(
            "allowedSenders: [SHOP, ACME]", "{sender: OTHER}", "Hello", "allowedSenders", "ACME, SHOP", "`OTHER`", 5,
            id="another sender",
        ),
        pytest.param(
            "allowedSenders: [ACME]", "{sender: ACME, senderForResponse: true}", "Hello", "allowedSenders", "ACME",
            "the short number", 5, id="the short number wins over an allowed sender",
        ),
        pytest.param(
            "allowedSenders: [ACME]", "{noStopClause: true}", "Hello", "allowedSenders", "ACME",
            "no sender, so the short number", 2, id="no sender at all",
        ),
        pytest.param(
            "requireStopClause: true", "{noStopClause: true}", "Hello", "requireStopClause", "true",
            "noStopClause: true", 5, id="the clause is switched off",
        ),
        pytest.param(
            "gsm7Only: true", "{noStopClause: true}", "Reçu", "gsm7Only", "true",
            "3 SMS in Unicode, because of U+00E7", 3, id="a text in Unicode",
        ),
    ],
)  # fmt: skip
def test_a_message_that_breaks_a_rule_is_named_with_both_lines(
    command, tmp_path, policy, options, text, rule, limit, actual, line
):
    folder = rules(tmp_path, policy, options, text)
    plan = command("plan", "-C", folder, "--json")
    expected = {
        "rule": rule, "limit": limit, "actual": actual, "address": "message.hello@1",
        "file": "smsdeclare.yaml", "line": 5, "messageFile": "campaign.sms.yaml", "messageLine": line,
    }  # fmt: skip
    assert (5, [expected]) == (plan.code, plan.json["violations"])
    for told in (command("plan", "-C", folder).out, command("apply", "-C", folder, "--auto-approve").err):
        assert f"message.hello@1 at campaign.sms.yaml:{line}: {actual}; the rule says {limit}" in told
        assert "smsdeclare.yaml:5" in told
    assert [] == worlds.outbox(folder)


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("allowedSenders: [ACME, senderForResponse]", "{sender: ACME}"),
        ("allowedSenders: [ACME, senderForResponse]", "{senderForResponse: true}"),
        ("allowedSenders: [ACME, senderForResponse]", "{}"),
        ("requireStopClause: true", "{sender: ACME}"),
        ("requireStopClause: false", "{noStopClause: true}"),
        ("gsm7Only: true", "{sender: ACME}"),
    ],
)
def test_a_message_that_keeps_the_rules_goes_out(command, tmp_path, policy, options):
    folder = rules(tmp_path, policy, options)
    assert (0, 3) == (command("apply", "-C", folder, "--auto-approve").code, len(worlds.outbox(folder)))


def test_a_rule_says_nothing_of_what_was_sent_before_it_came(command, tmp_path):
    folder = rules(tmp_path, "gsm7Only: false", "{sender: ACME}", "Reçu")
    command("apply", "-C", folder, "--auto-approve")
    rules(folder, "gsm7Only: true", "{sender: ACME}", "Reçu")
    assert 0 == command("plan", "-C", folder).code


def test_an_apply_names_the_rule_s_place_as_any_error_s(command, tmp_path):
    folder = project(tmp_path / "shop", "{maxReceivers: 1}")
    rule = command("plan", "-C", folder, "--json").json["violations"][0]
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    error = result.json["errors"][0]
    assert (5, "SMS408") == (result.code, error["code"])
    assert (rule["file"], rule["line"]) == (error["file"], error["line"])
    shown = command("apply", "-C", folder, "--auto-approve").err
    assert f"{rule['file']}:{rule['line']}:1: error SMS408: The policy refuses the plan: maxReceivers" in shown
    assert [] == worlds.outbox(folder)


# — a policy from outside, which can only tighten —


def outside(folder, monkeypatch, text):
    path = worlds.write(folder, {"policy.yaml": text}) / "policy.yaml"
    monkeypatch.setenv("SMSDECLARE_POLICY", str(path))
    return path


@pytest.mark.parametrize("text", ["maxReceivers: 2\n", "policy:\n  maxReceivers: 2\n"], ids=["bare", "under policy"])
def test_a_stricter_rule_from_outside_counts_and_is_named_there(command, tmp_path, monkeypatch, text):
    folder = project(tmp_path / "shop", "{maxReceivers: 500}")
    path = outside(tmp_path / "org", monkeypatch, text)
    plan = command("plan", "-C", folder, "--json")
    (violation,) = plan.json["violations"]
    assert (5, "maxReceivers", 2, str(path), text.count("\n")) == (
        plan.code, violation["rule"], violation["limit"], violation["file"], violation["line"]
    )  # fmt: skip
    assert 5 == command("apply", "-C", folder, "--expect-digest", plan.json["digest"]).code
    assert [] == worlds.outbox(folder)


def test_a_looser_rule_from_outside_changes_nothing_and_is_reported(command, tmp_path, monkeypatch):
    folder = project(tmp_path / "shop", "{maxReceivers: 2, gsm7Only: true, allowedCountries: [FR]}")
    outside(tmp_path / "org", monkeypatch, "maxReceivers: 500\ngsm7Only: false\nallowedCountries: [FR, BE]\n")
    plan = command("plan", "-C", folder, "--json")
    (violation,) = plan.json["violations"]
    assert (2, "smsdeclare.yaml") == (violation["limit"], violation["file"])
    assert ["SMS160"] * 3 == [one["code"] for one in plan.json["warnings"]]


@pytest.mark.parametrize(
    ("inside", "from_outside", "code"),
    [
        pytest.param("{}", "{gsm7Only: true}", 5, id="a switch"),
        pytest.param("{allowedSenders: [ACME, SHOP]}", "{allowedSenders: [SHOP, OTHER]}", 5, id="what both allow"),
        pytest.param("{maxSkipped: 50%}", "{maxSkipped: 3}", 5, id="a count beside a share"),
        pytest.param("{maxSkipped: 50%}", "policy: {}", 0, id="a default does not come from outside"),
    ],
)
def test_of_both_policies_the_stricter_counts(command, tmp_path, monkeypatch, inside, from_outside, code):
    files = {
        "smsdeclare.yaml": worlds.root(
            more=f"policy: {inside}\nreceivers: {{all: {{csv: all.csv}}}}\n"
            + worlds.message("Reçu", "all", "    options: {sender: ACME}\n")
        ),
        "all.csv": "\n".join(["number", *(["none"] * 4), *map(worlds.number, range(16))]) + "\n",
    }
    outside(tmp_path / "org", monkeypatch, from_outside)
    assert code == command("plan", "-C", worlds.write(tmp_path / "shop", files)).code


def test_only_receivers_of_both_policies_are_left(command, tmp_path, monkeypatch):
    folder = project(tmp_path / "shop", "{onlyReceivers: people}")
    outside(tmp_path / "org", monkeypatch, "onlyReceivers: team\n")
    command("apply", "-C", folder, "--auto-approve")
    assert ["+33639980002"] == [sms["receiver"] for sms in worlds.outbox(folder)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(None, "SMS001", id="no file"),
        pytest.param("", "SMS161", id="no name"),
        pytest.param("maxReceiver: 2\n", "SMS101", id="a slip"),
        pytest.param("maxReceivers: two\n", "SMS103", id="no figure"),
        pytest.param("onlyReceivers: nobody\n", "SMS108", id="a list that the project lacks"),
        pytest.param("maxReceivers: [\n", "SMS010", id="no YAML"),
        pytest.param("# maxReceivers: 2\n", "SMS162", id="no rule"),
        pytest.param("policy:\n", "SMS103", id="nothing below the key"),
    ],
)
def test_a_policy_from_outside_that_can_not_be_read_stops_the_plan(command, tmp_path, monkeypatch, text, code):
    folder = project(tmp_path / "shop", "{}")
    if text is None:
        monkeypatch.setenv("SMSDECLARE_POLICY", str(tmp_path / "absent.yaml"))
    elif text:
        outside(tmp_path / "org", monkeypatch, text)
    else:
        monkeypatch.setenv("SMSDECLARE_POLICY", "")
    for arguments in (("validate",), ("plan",), ("apply", "--auto-approve")):
        result = command(*arguments, "-C", folder, "--json")
        assert (1, code) == (result.code, result.json["errors"][0]["code"])
    assert [] == worlds.outbox(folder)


def test_what_does_not_plan_works_without_the_policy_from_outside(command, tmp_path, monkeypatch):
    folder = project(tmp_path / "shop", "{}")
    command("apply", "-C", folder, "--auto-approve")
    monkeypatch.setenv("SMSDECLARE_POLICY", str(tmp_path / "absent.yaml"))
    assert [0, 0, 0] == [command(name, "-C", folder).code for name in ("status", "settle", "refresh")]
