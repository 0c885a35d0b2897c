"""Completion: what a shell gets at each Tab, from the real scripts; silent and quick whatever the files are."""

import os
import shutil
import subprocess
import sys

import pytest
import worlds

MESSAGES = (
    "messages:\n  order-shipped: {text: Hi, to: []}\n  order-lost: {text: Hi, to: []}\n  sale: {text: Hi, to: []}\n"
)


@pytest.fixture
def project(tmp_path):
    return worlds.write(tmp_path / "shop", {"smsdeclare.yaml": worlds.root(), "a.sms.yaml": MESSAGES})


def ask(shell, folder, *words, cursor=None):
    """What the tool tells a shell that asks for the last word."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "_SMSDECLARE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(("smsdeclare", *words)),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "smsdeclare"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert "" == done.stderr
    return done.stdout


def offered(folder, *words):
    """The words that bash is offered."""
    return [line.partition(",")[2] for line in ask("bash", folder, *words).splitlines()]


def test_commands_and_options_and_choices(project):
    assert ["plan", "preview"] == sorted(offered(project, "p"))
    assert {"list", "pull", "push", "show", "unlock"} <= set(offered(project, "state", ""))
    assert ["--target", "--detailed-exitcode"] == [one for one in offered(project, "plan", "--") if one[2] in "td"][
        ::-1
    ]
    assert ["text", "json", "markdown", "github"] == offered(project, "plan", "--format", "")
    assert ["delivered"] == offered(project, "state", "list", "--status", "del")
    assert ["bash"] == offered(project, "completion", "b")
    assert ["file,"] == ask("bash", project, "show", "").split()
    assert ["dir,"] == ask("bash", project, "plan", "-C", "").split()


def test_addresses_are_those_of_the_project(project, tmp_path):
    assert ["message.order-shipped", "message.order-lost", "message.sale"] == offered(project, "preview", "")
    assert ["message.order-shipped", "message.order-lost"] == offered(project, "plan", "--target", "message.or")
    assert ["message.sale"] == offered(tmp_path, "resend", "-C", "shop", "message.s")
    worlds.write(tmp_path, {"other.yaml": worlds.root(more=worlds.message())})
    assert "message.hello" in offered(tmp_path, "status", "-f", "other.yaml", "")


def test_no_number_is_ever_offered(project):
    worlds.write(project, {"b.sms.yaml": worlds.message()})
    shown = "".join(
        ask(shell, project, "status", word) for shell in ("bash", "zsh", "fish") for word in ("", "message.h")
    )
    assert ("message.hello" in shown, "3998" in shown) == (True, False)


@pytest.mark.parametrize(
    "text", ["messages: {a: [", "- 1\n", "messages: 3\n", "\0", "include: [../*]\n", "include: 7\n"]
)
def test_broken_files_are_passed_over(project, text):
    worlds.write(project, {"b.sms.yaml": text, "z.sms.yaml": worlds.message()})
    assert ["message.hello"] == offered(project, "preview", "message.h")
    worlds.write(project, {"smsdeclare.yaml": text})
    expected = [] if "../" in text else ["message.hello"]
    assert expected == offered(project, "preview", "message.h")


def test_without_a_project_or_with_nonsense_there_is_nothing(tmp_path):
    assert [] == offered(tmp_path, "preview", "")
    assert [] == offered(tmp_path, "preview", "-C", "nowhere", "")
    assert "" == ask("tcsh", tmp_path, "p")


def test_zsh_and_fish_are_told_what_a_word_is_for(project):
    assert ["plain", "plan", "Show the intended sends and what they cost."] == ask("zsh", project, "pla").splitlines()[
        :3
    ]
    assert "plain,plan\tShow the intended sends" in ask("fish", project, "pla")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_completes(project, tmp_path):
    """The script that is printed, read by a shell, and its function called as Tab does."""
    tool = worlds.write(tmp_path / "bin", {"smsdeclare": f'#!/bin/sh\nexec {sys.executable} -m smsdeclare "$@"\n'})
    (tool / "smsdeclare").chmod(0o755)
    line = (
        'eval "$(smsdeclare completion bash)"; complete -p smsdeclare; '
        "COMP_WORDS=(smsdeclare plan --target message.o); "
        'COMP_CWORD=3; _smsdeclare_completion smsdeclare; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {"PATH": f"{tool}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", line], cwd=project, env=env, capture_output=True, text=True, check=True)
    first, *words = done.stdout.split("\n")
    assert "_smsdeclare_completion smsdeclare" in first
    assert ["message.order-shipped", "message.order-lost", ""] == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(command, shell):
    result = command("completion", shell)
    assert (0, True) == (result.code, "_SMSDECLARE_COMPLETE" in result.out)


def test_no_command_is_loaded_for_a_word(project):
    script = (
        "import sys; sys.argv = ['smsdeclare']\n"
        "from smsdeclare.cli.completing import answer\n"
        "answer('bash_complete'); print(*sys.modules)"
    )
    env = {"PATH": os.environ["PATH"], "COMP_WORDS": "smsdeclare apply --target ", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, env=env, capture_output=True, text=True, check=True
    )
    assert "message.sale" in done.stdout
    heavy = {"smsdeclare.cli.apply", "smsdeclare.planning", "minijinja", "jsonschema", "requests", "sqlite3"}
    assert set() == heavy & set(done.stdout.split())
