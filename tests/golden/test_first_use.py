"""What somebody meets who uses the tool for the first time: each message says what is meant and what to do next."""

import subprocess
import sys

import pytest
import worlds

A, B = worlds.number(1), worlds.number(2)
APPLY = ("apply", "--auto-approve")


def project(folder, more, **files):
    return worlds.write(folder, {"smsdeclare.yaml": worlds.root(more=more), **files})


LIST = "receivers: {all: {csv: a.csv}}\n"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("Hi {{ firstname }}", "Did you mean `firstName`?", id="a name"),
        pytest.param("Hi {{ row['first name'] }}", "Did you mean `firstName`?", id="a column"),
        pytest.param("Hi {{ shopp }}", "Did you mean `shop`?", id="a variable"),
        pytest.param("Hi {{ lastName }}", "default('…')", id="a cell that is empty is no slip"),
        pytest.param("Hi {{ zzz }}", "default('…')", id="nothing near"),
    ],
)
def test_a_slip_in_the_name_of_a_column_is_told_from_an_empty_cell(command, tmp_path, text, hint):
    table = f"number,firstName,lastName\n{A},Ana,\n{B},Bo,Li\n"
    more = "variables: {shop: {default: Acme}}\n" + LIST + worlds.message(text, "all")
    said = command("plan", "-C", project(tmp_path, more, **{"a.csv": table})).err
    assert "a.csv:2:1: error SMS303" in said
    assert hint in said.splitlines()[2]


def test_what_a_hole_is_told_to_be_filled_with_fits_into_a_quoted_text(command, tmp_path):
    folder = project(tmp_path, worlds.message("Hi {{ name }}"))
    advice = command("plan", "-C", folder).err.splitlines()[-1]
    text = advice.partition(": ")[2].removesuffix(".")
    assert 0 == command("plan", "-C", project(tmp_path, worlds.message(f"Hi {text}"))).code


@pytest.mark.parametrize(
    ("row", "policy", "hint"),
    [
        pytest.param("06 39 98 00 01", "", "`defaultCountry`", id="no country"),
        pytest.param("none", "", "international form", id="no number"),
        pytest.param(A, "policy: {allowedCountries: [BE]}\n", "`allowedCountries`", id="policy"),
    ],
)
def test_a_skipped_row_says_how_it_would_count(command, tmp_path, row, policy, hint):
    folder = project(tmp_path, policy + LIST + worlds.message("Hi", "all"), **{"a.csv": f"number\n{row}\n"})
    said = command("validate", "-C", folder).out.splitlines()
    assert said[0].startswith("a.csv:2:1: warning SMS211")
    assert hint in said[1]


def test_a_message_without_receivers_is_not_no_message(command, tmp_path):
    folder = project(tmp_path, LIST + worlds.message("Hi", "all"), **{"a.csv": "number\nnone\n"})
    assert "  No message has a receiver.\n" in command("plan", "-C", folder).out


@pytest.mark.parametrize("text", ["“Soldes”", "„Hallo“", "‘Hi’", "”Hej”"])
def test_typographic_quotes_are_told_to_be_no_quotes(command, tmp_path, text):
    folder = project(tmp_path, f'messages:\n  hello:\n    text: {text}\n    to: "{A}"\n')
    said = command("validate", "-C", folder).out
    assert "smsdeclare.yaml:6:11: warning SMS308: " in said


@pytest.mark.parametrize("text", ["'“Soldes”'", "« Soldes »", '"\u201cSoldes\u201d"', "Voilà “Soldes”"])
def test_quotes_that_are_meant_are_left_alone(command, tmp_path, text):
    folder = project(tmp_path, f'messages:\n  hello:\n    text: {text}\n    to: "{A}"\n')
    assert "SMS308" not in command("validate", "-C", folder).out


def test_without_credentials_it_is_said_where_they_are_made(command, tmp_path):
    root = worlds.root("{name: ovh, endpoint: ovh-eu}", worlds.message())
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    assert "`smsdeclare login --url`" in command("plan", "-C", folder).err


def test_a_refused_message_is_named(command, serve, tmp_path):
    more = worlds.message("See https://example.org", name="promo") + f'  good: {{text: Hello, to: "{A}"}}\n'
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(serve().url, more)})
    result = command(*APPLY, "-C", folder)
    assert (1, True) == (result.code, "error SMS620: " in result.err)
    assert "message.promo@1: " in result.err.partition("error SMS620: ")[2].splitlines()[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "Apply it: smsdeclare apply -C {}\n", id="all"),
        pytest.param(("--out", "plan.json"), "Apply it: smsdeclare apply -C {} plan.json\n", id="saved"),
        pytest.param(
            ("--target", "message.hello"), "Apply it with the same --target: smsdeclare apply -C {}\n", id="a part"
        ),
        pytest.param(
            ("--target", "message.hello", "--out", "plan.json"),
            "Apply it: smsdeclare apply -C {} plan.json\n",
            id="a saved part",
        ),
        pytest.param(
            ("--target", f"message.hello@1/{A}", "--var", "shop=Deli"),
            "Apply it with the same --target and --var: smsdeclare apply -C {}\n",
            id="a part with another value",
        ),
    ],
)
def test_the_command_that_applies_a_plan_is_that_plan_s(command, tmp_path, words, said):
    more = "variables: {shop: {default: Acme}}\n" + worlds.message("Hi {{ shop }}", f'["{A}", "{B}"]')
    folder = project(tmp_path, more)
    result = command("plan", "-C", folder, *words)
    assert said.format(folder) == result.err
    assert A not in result.out + result.err


def test_a_stopped_project_is_not_told_to_apply(command, tmp_path):
    folder = project(tmp_path, worlds.message())
    command(*APPLY, "-C", folder)
    command("stop", "--reason", "wrong price", "-C", folder)
    folder = project(tmp_path, worlds.message(to=f'["{A}", "{B}"]'))
    said = command("plan", "-C", folder).err
    assert ("wrong price" in said, "smsdeclare resume" in said, "Apply it" in said) == (True, True, False)


def test_who_gets_it_once_more_is_not_said_never_to_have_had_it(command, tmp_path):
    folder = project(tmp_path, worlds.message(to=f'["{A}", "{B}"]'))
    command(*APPLY, "-C", folder)
    command("resend", f"message.hello@1/{A}", "--reason", "x", "-C", folder)
    assert "1 of 1 freed by `resend`, to get it once more" in command("plan", "-C", folder).out
    project(folder, worlds.message(to=f'["{A}", "{B}", "{worlds.number(3)}"]'))
    assert "1 of 2 freed by `resend`, to get it once more" in command("plan", "-C", folder).out


def test_a_scheduled_send_is_listed_with_its_time(command, tmp_path):
    folder = project(tmp_path, worlds.message(more="    sendAt: 2099-12-01 09:00\n"))
    command(*APPLY, "-C", folder)
    assert "scheduled   for 2099-12-01T09:00:00Z" in command("state", "list", "-C", folder).out


def test_a_target_that_is_spelled_wrong_is_guessed(command, tmp_path):
    folder = project(tmp_path, worlds.message(name="order-shipped"))
    said = command("plan", "--target", "message.order-shiped", "-C", folder).err
    assert "Did you mean `message.order-shipped@1`?" in said


def test_a_variable_without_value_is_shown_how(command, tmp_path):
    said = command("plan", "--var", "shop", "-C", project(tmp_path, worlds.message())).err
    assert "--var shop=…" in said


def test_the_simulator_tells_its_keys():
    said = subprocess.run(
        [sys.executable, "-m", "smsdeclare.simulator.server", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for key in (*worlds.KEYS.values(), worlds.SERVICE):
        assert key in "".join(said.split())


def test_what_is_kept_says_why(command, tmp_path, serve):
    """Nobody is said to have had what is only scheduled, was refused, or came too late."""
    server = serve(unreachable=(B,))
    more = worlds.message("Hi", f'["{A}", "{B}"]') + f'  later: {{text: Ho, to: ["{A}"], sendAt: 2099-12-01 09:00}}\n'
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
    command(*APPLY, "-C", folder)
    reasons = {one["address"]: one["reason"] for one in command("plan", "-C", folder, "--json").json["changes"]}
    assert {"message.hello@1": "1 receiver has had it, 1 rejected", "message.later@1": "1 scheduled"} == reasons


def test_what_a_stop_took_back_can_be_freed_beside_what_is_free_already(command, tmp_path):
    def to(*numbers):
        listed = ", ".join(f'"{number}"' for number in numbers)
        return project(tmp_path, worlds.message("Hi", f"[{listed}]", "    sendAt: 2099-12-01 09:00\n"))

    command(*APPLY, "-C", to(A, B))
    command(*APPLY, "-C", to(A))
    command("stop", "--cancel", "--reason", "wrong price", "-C", tmp_path)
    command("resume", "-C", tmp_path)
    freed = command("resend", "message.hello", "--reason", "the price is right", "-C", tmp_path)
    assert (0, True) == (freed.code, freed.out.startswith("1 send is free"))
    again = command("resend", "message.hello", "--reason", "once more", "-C", tmp_path)
    assert (1, True) == (again.code, "error SMS512" in again.err)
    assert 1 == command(*APPLY, "-C", tmp_path, "--json").json["summary"]["scheduled"]


@pytest.mark.parametrize(
    ("more", "table", "hint"),
    [
        pytest.param("timezone: Paris\n", "", "`Europe/Paris`", id="a city"),
        pytest.param("timezone: europe/berlin\n", "", "`Europe/Berlin`", id="a zone in small letters"),
        pytest.param("timezone: CEST\n", "", "`Europe/Paris`", id="no zone at all"),
        pytest.param(LIST + worlds.message("Hi", "all"), "Number\n1\n", "Did you mean `Number`?", id="a column"),
        pytest.param("options: {a: &a {priority: low}, b: {<<: *a}}\n", "", "merges no mappings", id="a merge key"),
    ],
)
def test_what_is_nearly_right_is_told_how_it_is_right(command, tmp_path, more, table, hint):
    result = command("validate", "-C", project(tmp_path, more, **{"a.csv": table}))
    assert (1, True) == (result.code, hint in result.out)
