"""`init`: whatever is answered, the project is valid, laid out, and works at once; what was there stays."""

import itertools
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import worlds

from smsdeclare import document
from smsdeclare.cli import scaffold, surroundings

ROOT = Path(__file__).parents[2]
FILES = {
    "smsdeclare.yaml",
    "messages.sms.yaml",
    "data/customers.csv",
    "smsdeclare.schema.json",
    "trials.yaml",
    ".gitignore",
    "README.md",
}


def written(folder):
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and ".git/" not in str(path)
    }


def repository(folder, remote=""):
    subprocess.run(["git", "init", "-q", folder], check=True, capture_output=True)
    if remote:
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", remote], check=True, capture_output=True)
    return folder


def test_without_a_terminal_nothing_is_asked(command, tmp_path):
    result = command("init", tmp_path / "shop")
    assert (0, FILES) == (result.code, written(tmp_path / "shop"))
    assert "smsdeclare plan -C" in result.err
    for words in (("validate",), ("fmt", "--check"), ("doctor", "--offline"), ("apply", "--auto-approve")):
        assert 0 == command(*words, "-C", tmp_path / "shop").code
    assert 2 == len(worlds.outbox(tmp_path / "shop"))
    named = re.search(r"\$schema=\./(\S+)", (tmp_path / "shop/messages.sms.yaml").read_text())[1]
    assert named in FILES


@pytest.mark.parametrize(
    ("provider", "state", "ci", "country"),
    [pytest.param(*one, id="-".join(one)) for one in itertools.product(
        ("sandbox", "ovh"), ("file", "git", "postgresql"), ("github", "gitlab", "none"), ("FR", "")
    )],
)  # fmt: skip
def test_whatever_is_said_the_files_are_sound(command, tmp_path, provider, state, ci, country):
    words = ("--provider", provider, "--state", state, "--ci", ci, "--service", "sms-ab12345-1", "--country", country)
    assert 0 == command("init", tmp_path, "--project", "null", "--timezone", "Asia/Tokyo", *words).code
    assert 0 == command("validate", "-C", tmp_path).code
    assert 0 == command("fmt", "--check", "-C", tmp_path).code
    assert [0, 0] == [
        command(*words, "-C", tmp_path, "-f", "trials.yaml").code for words in (("validate",), ("fmt", "--check"))
    ]
    root = document.parse((tmp_path / "smsdeclare.yaml").read_bytes(), file="a").data
    assert ("null", "Asia/Tokyo", provider) == (root["project"], root["timezone"], root["provider"]["name"])
    assert root.get("state", {"backend": "file"})["backend"] == state
    messages = document.parse((tmp_path / "messages.sms.yaml").read_bytes(), file="a").data
    assert (country or None) == messages["receivers"]["customers"].get("defaultCountry")
    pipeline = {"github": ".github/workflows/sms.yml", "gitlab": ".gitlab-ci.yml", "none": None}[ci]
    assert written(tmp_path) == FILES | ({pipeline} if pipeline else set())
    if pipeline:
        text = (tmp_path / pipeline).read_text()
        assert "@@" not in text
        document.parse(text.encode(), file="a")


@pytest.mark.parametrize(
    ("remote", "files", "expected"),
    [
        ("https://github.com/acme/sms.git", {}, "github"),
        ("git@gitlab.example.org:acme/sms.git", {}, "gitlab"),
        ("https://example.org/sms.git", {}, "none"),
        ("", {".github/dependabot.yml": ""}, "github"),
        ("https://github.com/acme/sms.git", {".gitlab-ci.yml": ""}, "gitlab"),
    ],
)
def test_the_ci_is_that_of_the_repository(command, tmp_path, remote, files, expected):
    root = worlds.write(repository(tmp_path / "r", remote), files)
    assert expected == surroundings.ci(root)
    command("init", root / "sms" / "spring", "--provider", "ovh")
    assert (root / ".github/workflows/sms.yml").exists() == (expected == "github")
    data = document.parse((root / "sms/spring/smsdeclare.yaml").read_bytes(), file="a").data
    assert ("git" if expected != "none" else None) == data.get("state", {}).get("backend")
    if expected == "github":
        assert (root / ".github/workflows/sms.yml").read_text().count("folder: sms/spring") == 2


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_workflow_is_that_of_the_pages(ci):
    """One text, linted and played where the kits are: what `init` writes is what the how-tos show."""
    said = {"project": "x", "timezone": "UTC", "provider": "ovh", "service": "", "country": ""}
    page = (ROOT / f"docs/how-to/{ci}.md").read_text()
    shown = re.search(rf"```yaml {ci}\n(.*?)```", page, re.DOTALL)[1]
    assert scaffold.pipeline(scaffold.Answers(**said, state="git", ci=ci))[1].endswith(shown)


def test_the_state_on_a_branch_gets_its_rights_and_its_key():
    said = {"project": "x", "timezone": "UTC", "provider": "ovh", "service": "", "country": "", "ci": "github"}
    steps = {
        state: scaffold.pipeline(scaffold.Answers(**said, state=state))[1] for state in ("file", "git", "postgresql")
    }
    assert [0, 1, 0] == [text.count("contents: write") for text in steps.values()]
    assert [2, 0, 2] == [text.count("persist-credentials: false") for text in steps.values()]
    assert 2 == steps["git"].count("SMSDECLARE_STATE_KEY: ${{ secrets.SMSDECLARE_STATE_KEY }}")
    assert 2 == steps["postgresql"].count("SMSDECLARE_POSTGRESQL_URL: ${{ secrets.SMSDECLARE_POSTGRESQL_URL }}")


# — what was there —


def test_what_a_new_repository_has_is_kept_and_said(command, tmp_path):
    there = {"README.md": "mine\n", ".gitignore": "*.pyc\n*.state\n", ".github/workflows/sms.yml": "name: mine\n"}
    worlds.write(repository(tmp_path), there)
    result = command("init", "-C", tmp_path)
    assert 0 == result.code
    assert there == {name: (tmp_path / name).read_text() for name in there}
    assert "kept README.md, which was there\n" in result.err
    assert "kept .github/workflows/sms.yml, which was there\n" in result.err
    lacking = re.search(r"kept \.gitignore, which was there; add to it: (.*)", result.err)[1].split()
    assert ("ovh.conf" in lacking, "*.state" in lacking) == (True, False)


def test_a_project_is_overwritten_only_when_that_is_said(command, tmp_path):
    worlds.write(tmp_path, {"messages.sms.yaml": "mine\n"})
    result = command("init", tmp_path)
    assert (1, True, {"messages.sms.yaml"}) == (result.code, "error SMS020" in result.err, written(tmp_path))
    assert 0 == command("init", tmp_path, "--overwrite").code
    assert FILES == written(tmp_path)
    assert 0 == command("validate", "-C", tmp_path).code


@pytest.mark.parametrize(
    "words",
    [
        ("--project", "1st"), ("--project", "a b"), ("--timezone", "Paris"), ("--timezone", "../UTC"),
        ("--country", "fr"), ("--country", "France"), ("--service", "a b"), ("--provider", "x"), ("--state", "x"),
        ("--ci", "x"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told_and_nothing_written(command, tmp_path, words):
    result = command("init", tmp_path / "new", *words)
    assert (1, True, False) == (result.code, "error SMS901" in result.err, (tmp_path / "new").exists())


# — on a terminal —


def talk(folder, answers, *words):
    """Run it on a terminal, and answer question for question; exit code and what was shown."""
    parent, child = pty.openpty()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TERM": "xterm",
        "TZ": "Europe/Madrid",
        "LANG": "es_ES.UTF-8",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", "init", *words], cwd=folder, stdin=child, stdout=child, stderr=child,
        env=env, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    shown, fresh, left = "", "", list(answers)
    try:
        while True:
            fresh += os.read(parent, 4096).decode()
            if fresh.endswith(": "):
                os.write(parent, f"{left.pop(0)}\n".encode())
                shown, fresh = shown + fresh, ""
    except OSError:  # it has left
        pass
    finally:
        os.close(parent)
    assert [] == left
    return process.wait(timeout=30), shown + fresh


def test_somebody_who_agrees_to_everything(command, tmp_path):
    code, shown = talk(tmp_path, [""] * 6, "shop")
    assert (0, FILES) == (code, written(tmp_path / "shop"))
    assert "[Europe/Madrid]" in shown
    assert "[ES]" in shown
    assert 0 == command("plan", "-C", tmp_path / "shop").code


def test_somebody_with_an_account(tmp_path):
    repository(tmp_path, "https://github.com/acme/sms.git")
    answers = ["9lives", "offers", "Nowhere", "Europe/Paris", "ovh", "sms-ab12345-1", "FRA", "FR", "", "svn", ""]
    code, shown = talk(tmp_path, answers)
    assert 0 == code
    for said in ("a name begins with", "no time zone such as", "two capital letters, or none", "'svn' is not one of"):
        assert said in shown
    data = document.parse((tmp_path / "smsdeclare.yaml").read_bytes(), file="a").data
    assert ("offers", "Europe/Paris") == (data["project"], data["timezone"])
    assert {"name": "ovh", "endpoint": "ovh-eu", "service": "sms-ab12345-1"} == data["provider"]
    assert {"backend": "git"} == data["state"]
    assert (tmp_path / ".github/workflows/sms.yml").exists()
    assert "smsdeclare login" in shown


def test_what_is_given_is_not_asked_for(tmp_path):
    given = (
        "--project",
        "a",
        "--timezone",
        "UTC",
        "--provider",
        "ovh",
        "--service",
        "",
        "--country",
        "",
        "--ci",
        "none",
    )
    code, shown = talk(tmp_path, [""], *given)
    assert (0, 1) == (code, shown.count("["))
    assert "Where the state is kept" in shown


def test_defaults_ask_nothing(tmp_path):
    code, shown = talk(tmp_path, [], "--defaults")
    assert (0, False) == (code, "[" in shown)
