"""A renamed message keeps its history, and is never taken for a new one."""

import pytest
import worlds

TEXT = "Your parcel arrives tomorrow."


@pytest.fixture
def sent(command, tmp_path):
    """A project whose message `old` went out to two; `become` writes it anew."""

    def become(name, more="", text=TEXT):
        to = '["+33639980001", "+33639980002"]'
        return worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message(text, to, more, name))})

    command("apply", "-C", become("old"), "--auto-approve")
    assert 2 == len(worlds.outbox(tmp_path))
    return become


def test_a_new_name_with_the_text_of_one_that_left_is_refused(command, sent):
    folder = sent("new")
    for arguments in (("plan",), ("apply", "--auto-approve")):
        result = command(*arguments, "-C", folder)
        assert (1, True) == (result.code, "smsdeclare.yaml:5:3: error SMS411" in result.err)
    assert 2 == len(worlds.outbox(folder))


def test_renamed_from_takes_the_history_along(command, sent):
    folder = sent("new", "    renamedFrom: old\n")
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 0 == command("apply", "-C", sent("new"), "--auto-approve").code
    assert 2 == len(worlds.outbox(folder))


def test_a_newcomer_after_the_renaming_gets_it_and_the_others_do_not(command, sent):
    folder = sent("new", "    renamedFrom: old\n")
    path = folder / "smsdeclare.yaml"
    path.write_text(path.read_text().replace('"+33639980002"]', '"+33639980002", "+33639980003"]'))
    plan = command("plan", "-C", folder, "--out", "plan.json", "--json").json
    assert (1, 2) == (plan["summary"]["send"], plan["summary"]["keep"])
    assert 0 == command("apply", "-C", folder, "plan.json").code
    assert 0 == command("apply", "-C", folder, "plan.json").code
    assert ["+33639980003"] == [sms["receiver"] for sms in worlds.outbox(folder)[2:]]
    names = {send["message"] for send in command("state", "list", "-C", folder, "--json").json["sends"]}
    assert {"new"} == names


def test_renamed_from_none_makes_it_a_message_of_its_own(command, sent):
    folder = sent("new", "    renamedFrom: none\n")
    command("apply", "-C", folder, "--auto-approve")
    assert 4 == len(worlds.outbox(folder))


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(
            f'  one: {{text: {TEXT}, to: "+33639980001", renamedFrom: old}}\n'
            f'  two: {{text: {TEXT}, to: "+33639980001", renamedFrom: old}}\n',
            id="two take one history",
        ),
        pytest.param(
            f'  old: {{text: {TEXT}, to: "+33639980001"}}\n'
            f'  new: {{text: {TEXT}, to: "+33639980001", renamedFrom: old}}\n',
            id="the old name is still there",
        ),
    ],
)
def test_names_whose_history_is_not_clear_send_nothing(command, sent, messages):
    folder = sent("old")
    (folder / "smsdeclare.yaml").write_text(worlds.root(more="messages:\n" + messages))
    result = command("apply", "-C", folder, "--auto-approve")
    assert (1, True, 2) == (result.code, "error SMS412" in result.err, len(worlds.outbox(folder)))


def test_a_chain_of_renamings_sends_nobody_twice(command, tmp_path):
    def become(text):
        return worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more="messages:\n" + text)})

    folder = become('  a: {text: A, to: "+33639980001", revision: 2}\n  b: {text: B, to: "+33639980002"}\n')
    command("apply", "-C", folder, "--auto-approve")
    become(
        '  b: {text: A, to: "+33639980001", revision: 2, renamedFrom: a}\n'
        '  c: {text: B, to: "+33639980002", renamedFrom: b}\n'
    )
    result = command("apply", "-C", folder, "--auto-approve")
    assert (1, 2) == (result.code, len(worlds.outbox(folder)))


def test_a_renaming_is_told_and_an_old_name_can_be_used_again(command, sent):
    folder = sent("new", "    renamedFrom: old\n")
    assert ["SMS413"] == [one["code"] for one in command("plan", "-C", folder, "--json").json["warnings"]]
    command("apply", "-C", folder, "--auto-approve")
    path = folder / "smsdeclare.yaml"
    path.write_text(
        path.read_text().replace("    renamedFrom: old\n", "") + '  old: {text: Else, to: "+33639980001"}\n'
    )
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 3 == len(worlds.outbox(folder))


def test_another_text_under_a_new_name_is_a_new_message(command, sent):
    folder = sent("new", text="Something else.")
    command("apply", "-C", folder, "--auto-approve")
    assert 4 == len(worlds.outbox(folder))


def test_a_message_that_is_switched_off_has_left_as_well(command, sent):
    """As if it were not in the files: its text under a new name would go to everybody again."""
    folder = sent("old", "    enabled: false\n")
    path = folder / "smsdeclare.yaml"
    old = path.read_text()
    path.write_text(old + f'  twin: {{text: {TEXT}, to: "+33639980001"}}\n')
    result = command("apply", "-C", folder, "--auto-approve")
    assert (1, 2) == (result.code, len(worlds.outbox(folder)))
    assert "`twin` has the text of `old`, which is not enabled" in result.err
    path.write_text(old + f'  twin: {{text: {TEXT}, to: "+33639980001", renamedFrom: none}}\n')
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 3 == len(worlds.outbox(folder))


def test_a_message_that_is_switched_off_keeps_its_history(command, sent):
    folder = sent("old", "    enabled: false\n")
    path = folder / "smsdeclare.yaml"
    path.write_text(path.read_text() + f'  twin: {{text: {TEXT}, to: "+33639980001", renamedFrom: old}}\n')
    result = command("apply", "-C", folder, "--auto-approve")
    assert (1, True) == (result.code, "error SMS412" in result.err)
    assert 0 == command("apply", "-C", sent("old"), "--auto-approve").code
    assert 2 == len(worlds.outbox(folder))


def test_an_old_checkout_does_not_send_what_a_newer_one_has_renamed(command, tmp_path):
    """Nothing was on record when it was renamed, and the text is another: only the renaming itself can tell."""

    def become(name, text, more=""):
        files = {"smsdeclare.yaml": worlds.root(more=worlds.message(text, '["+33639980001"]', more, name))}
        return worlds.write(tmp_path, files)

    folder = become("new", "Your parcel comes.", "    renamedFrom: old\n")
    assert [] == command("plan", "-C", folder, "--json").json["warnings"]
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    become("old", "Your parcel is on its way.")
    result = command("apply", "-C", folder, "--auto-approve")
    assert (1, 1) == (result.code, len(worlds.outbox(folder)))
    assert "error SMS411" in result.err
    assert "`old` was renamed to `new` by newer files than these" in result.err
    become("old", "Your parcel is on its way.", "    renamedFrom: none\n")
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert 2 == len(worlds.outbox(folder))


def test_a_renaming_may_be_taken_back(command, sent):
    command("apply", "-C", sent("new", "    renamedFrom: old\n"), "--auto-approve")
    assert 0 == command("apply", "-C", sent("old", "    renamedFrom: new\n"), "--auto-approve").code
    folder = sent("old")
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code
    assert 2 == len(worlds.outbox(folder))
