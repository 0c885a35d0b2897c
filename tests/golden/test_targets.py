"""Plans and runs for a part of the project."""

import json

import pytest
import worlds

MORE = worlds.message(to='["+33639980001", "+33639980002"]') + '  other: {text: Other, to: "+33639980001"}\n'


@pytest.fixture
def project(tmp_path):
    return worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=MORE)})


def sent(folder):
    return sorted((sms["message"], sms["receiver"]) for sms in worlds.outbox(folder))


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param(["message.other"], [("Other", "+33639980001")], id="a message"),
        pytest.param(["message.other@1"], [("Other", "+33639980001")], id="a revision"),
        pytest.param(["message.hello@1/+33639980002"], [("Hello", "+33639980002")], id="a send"),
        pytest.param(
            ["message.hello@1/+33639980002", "message.hello@1/+33639980001"],
            [("Hello", "+33639980001"), ("Hello", "+33639980002")],
            id="two sends",
        ),
        pytest.param(
            ["message.hello@1/+33639980002", "message.other"],
            [("Hello", "+33639980002"), ("Other", "+33639980001")],
            id="a send and a message",
        ),
    ],
)
def test_only_what_is_named_is_sent(command, project, targets, expected):
    arguments = [word for target in targets for word in ("--target", target)]
    assert len(expected) == command("plan", "-C", project, *arguments, "--json").json["summary"]["send"]
    assert 0 == command("apply", "-C", project, "--auto-approve", *arguments).code
    assert expected == sent(project)
    command("apply", "-C", project, "--auto-approve")
    assert 3 == len(worlds.outbox(project))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("message.nobody", "SMS507"),
        ("message.hello@2", "SMS507"),
        ("message.hello@1/+33639980009", "SMS507"),
        ("message.hello@1#00000000", "SMS507"),
        ("hello", "SMS901"),
    ],
)
def test_a_target_that_names_nothing_sends_nothing(command, project, target, code):
    result = command("apply", "-C", project, "--auto-approve", "--target", target)
    assert (1, True, []) == (result.code, f"error {code}" in result.err, sent(project))


def test_a_saved_plan_carries_its_targets_and_no_number(command, project):
    command("apply", "-C", project, "--auto-approve", "--target", "message.other")
    command("plan", "-C", project, "--out", "plan.json", "--target", "message.hello@1/+33639980002")
    saved = json.loads((project / "plan.json").read_text())
    assert ("+33639980002" not in json.dumps(saved), 1) == (True, len(saved["targets"]))
    assert saved["targets"][0].startswith("message.hello@1#")
    assert 0 == command("apply", "-C", project, "plan.json").code
    assert [("Hello", "+33639980002"), ("Other", "+33639980001")] == sent(project)


def test_no_plan_shows_the_number_of_a_target(command, project):
    for _ in range(2):
        plan = command("plan", "-C", project, "--json", "--target", "message.hello@1/+33639980002")
        assert (0, False) == (plan.code, "+33639980002" in plan.out)
        command("apply", "-C", project, "--auto-approve", "--target", "message.other")


def test_a_plan_for_a_number_can_not_be_saved_before_there_is_a_state(command, project):
    result = command("plan", "-C", project, "--out", "plan.json", "--target", "message.hello@1/+33639980002")
    assert (1, True) == (result.code, "error SMS406" in result.err)
