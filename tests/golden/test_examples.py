"""Each example, run as its reader would run it; the sandbox's outbox is the witness."""

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import worlds
import yaml

EXAMPLES = sorted(path for path in worlds.EXAMPLES.iterdir() if path.is_dir())


@pytest.fixture
def example(tmp_path):
    """A copy of an example, as if freshly cloned."""

    def copy(name, rows=None):
        folder = shutil.copytree(
            worlds.EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("*.state", "*.jsonl*")
        )
        if rows:
            data = folder / "data" / "customers.csv"
            data.write_text("".join(data.read_text().splitlines(keepends=True)[: rows + 1]))
        return folder

    return copy


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid_and_uses_numbers_kept_for_fiction(command, path):
    result = command("validate", "-C", path)
    assert 0 == result.code, result.out + result.err
    for document in path.rglob("*.yaml"):
        for word in yaml.safe_dump(yaml.safe_load(document.read_text())).split("'"):
            assert not word.startswith("+") or word.startswith("+3363998"), document


def test_the_newsletter_leaves_out_who_opted_out_and_goes_out_when_nobody_sleeps(command, example):
    folder = example("newsletter")
    plan = command("plan", "-C", folder, "--json").json
    assert ([], ["SMS261"]) == (plan["violations"], [row["code"] for row in plan["skipped"]])
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    # Sunday is quiet. On Monday it is 8 o'clock in Mayotte two hours before it is in Paris, in Réunion three.
    due = {sms["receiver"]: datetime.fromtimestamp(sms["dueAt"], UTC) for sms in worlds.outbox(folder)}
    begins = {"+33639980001": 7, "+33639980003": 7, "+262639980004": 5}
    late = {number: due[number] - datetime(2099, 1, 5, hour, tzinfo=UTC) for number, hour in begins.items()}
    assert begins.keys() == due.keys()
    assert all(timedelta() <= one < timedelta(minutes=2) for one in late.values())
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


def test_quickstart_shows_its_sms_and_sends_none_twice(command, example):
    folder = example("quickstart")
    first = command("apply", "-C", folder, "--auto-approve", "--show-numbers")
    assert (0, 3) == (first.code, len(worlds.outbox(folder)))
    assert "+33639980001 <- Hello Ana, this SMS came out of a YAML file." in first.err
    assert "nothing left this machine" in first.err
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 3 == len(worlds.outbox(folder))


def test_ten_thousand_parcels_get_one_notice_each_for_each_revision(command, example):
    folder = example("parcel-notices")
    assert 0 == command("apply", "-C", folder, "--auto-approve", "-q").code
    assert {1: 10_000} == Counter(Counter(sms["receiver"] for sms in worlds.outbox(folder)).values())

    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code
    assert "0 sent, 10,000 kept" in command("apply", "-C", folder, "--auto-approve").out
    assert 10_000 == len(worlds.outbox(folder))

    notices = folder / "notices.sms.yaml"
    notices.write_text(notices.read_text().replace("    text:", "    revision: 2\n    text:"))
    assert 2 == command("plan", "-C", folder, "--detailed-exitcode", "--out", "plan.json").code
    assert 0 == command("apply", "-C", folder, "plan.json", "-q").code
    assert {2: 10_000} == Counter(Counter(sms["receiver"] for sms in worlds.outbox(folder)).values())
    again = command("apply", "-C", folder, "plan.json", "--json")
    assert (0, 0, 10_000) == (again.code, again.json["summary"]["sent"], again.json["summary"]["kept"])
    assert 20_000 == len(worlds.outbox(folder))


def test_a_new_row_gets_one_and_the_others_none(command, example):
    folder = example("parcel-notices", rows=20)
    command("apply", "-C", folder, "--auto-approve")
    with (folder / "data" / "customers.csv").open("a") as rows:
        rows.write("06 39 98 99 99;Ana;P1;9\n")
    assert 1 == command("apply", "-C", folder, "--auto-approve", "--json").json["summary"]["sent"]
    assert "+33639989999" == worlds.outbox(folder)[-1]["receiver"]
    assert 21 == len(worlds.outbox(folder))


def test_an_edited_text_sends_none_and_says_how_many_had_the_old_one(command, example):
    folder = example("parcel-notices", rows=20)
    command("apply", "-C", folder, "--auto-approve")
    notices = folder / "notices.sms.yaml"
    notices.write_text(notices.read_text().replace("Bonjour", "Bonsoir"))
    plan = command("plan", "-C", folder, "--json", "--detailed-exitcode")
    (change,) = plan.json["changes"]
    assert (0, "keep", 20, 20) == (plan.code, change["action"], change["receivers"], change["editedSinceSent"])
    assert "20 with an earlier text" in command("plan", "-C", folder).out
    command("apply", "-C", folder, "--auto-approve")
    assert 20 == len(worlds.outbox(folder))


def test_a_saved_plan_after_an_edit_is_refused(command, example):
    folder = example("parcel-notices", rows=20)
    command("plan", "-C", folder, "--out", "plan.json")
    notices = folder / "notices.sms.yaml"
    notices.write_text(notices.read_text().replace("Bonjour", "Bonsoir"))
    result = command("apply", "-C", folder, "plan.json")
    assert (7, []) == (result.code, worlds.outbox(folder))
    assert "SMS402" in result.err
