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
        {"rule": rule, "limit": limit, "actual": actual, "address": None, "file": "smsdeclare.yaml", "line": 4}
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
