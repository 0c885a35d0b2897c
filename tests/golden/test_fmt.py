"""`fmt`: the files of a project and no other, whole or not at all; to look, to check, and for editors."""

import io
import os
import stat
import subprocess
import sys

import pytest
import worlds

from smsdeclare import layout

HEAD = "project: test\nprovider: {name: sandbox}\nmessages:\n"
UNTIDY = f'version:   1\n{HEAD}    hello: {{text: Hi, to: "+33639980001" }}   # mine\n'
TIDY = f'version: 1\n{HEAD}  hello: {{text: Hi, to: "+33639980001"}}      # mine\n'


@pytest.fixture
def project(tmp_path):
    return worlds.write(
        tmp_path,
        {
            "smsdeclare.yaml": UNTIDY,
            "a.sms.yaml": "options:  {}\n",
            "b.sms.yaml": "options: {}\n",
            "c.yaml": "a:   1\n",
        },
    )


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_all_files_of_the_project_and_no_other(command, project):
    (project / "smsdeclare.yaml").chmod(0o640)
    result = command("fmt", "-C", project)
    assert (0, "laid out smsdeclare.yaml\nlaid out a.sms.yaml\n") == (result.code, result.out)
    same = "options: {}\n"
    assert {"smsdeclare.yaml": TIDY, "a.sms.yaml": same, "b.sms.yaml": same, "c.yaml": "a:   1\n"} == texts(project)
    assert 0o640 == stat.S_IMODE((project / "smsdeclare.yaml").stat().st_mode)
    again = command("fmt", "-C", project)
    assert (0, "") == (again.code, again.out)


@pytest.mark.parametrize("words", [("--check",), ("--diff",), ("--check", "--diff")])
def test_looking_writes_nothing(command, project, words):
    before = texts(project)
    result = command("fmt", *words, "-C", project)
    assert (int("--check" in words), before) == (result.code, texts(project))
    assert "smsdeclare.yaml" in result.out
    command("fmt", "-C", project)
    after = command("fmt", *words, "-C", project)
    assert (0, "") == (after.code, after.out)


def test_a_difference_shows_no_number(command, project):
    shown = command("fmt", "--diff", "-C", project).out
    assert ("+  hello: " in shown, "-    hello: " in shown, "+33639980001" in shown) == (True, True, False)
    assert "\x1b" not in shown
    assert "+33639980001" in command("fmt", "--diff", "--show-numbers", "-C", project).out


@pytest.mark.parametrize("named", ["a.sms.yaml", "./a.sms.yaml"])
def test_a_file_that_is_named(command, project, monkeypatch, named):
    monkeypatch.chdir(project)
    assert "laid out a.sms.yaml\n" == command("fmt", named).out
    assert UNTIDY == texts(project)["smsdeclare.yaml"]


@pytest.mark.parametrize("named", ["c.yaml", "nothing.yaml", "../elsewhere.yaml", "/etc/hostname"])
def test_no_file_of_the_project(command, project, named):
    before = texts(project)
    result = command("fmt", "a.sms.yaml", named, "-C", project)
    assert (1, True, before) == (result.code, "error SMS093" in result.err, texts(project))


def test_a_broken_file_is_told_and_the_others_are_laid_out(command, project):
    worlds.write(project, {"a.sms.yaml": "options: [\n"})
    result = command("fmt", "-C", project)
    assert (1, True) == (result.code, "a.sms.yaml:2:1: error SMS010" in result.err)
    assert ("laid out smsdeclare.yaml\n", TIDY) == (result.out, texts(project)["smsdeclare.yaml"])


def test_a_layout_that_would_say_something_else_is_refused(command, project, monkeypatch):
    """What lays out is a library: whatever it does, nothing is written that says something else, or lacks a comment."""
    before = texts(project)
    for wrong in (
        lambda text: text.replace("Hi", "Ho"),
        lambda text: text.replace("# mine", ""),
        lambda text: text + "\n",
    ):
        monkeypatch.setattr(layout, "_once", wrong)
        result = command("fmt", "smsdeclare.yaml", "-C", project)
        assert (1, True, before) == (result.code, "error SMS091" in result.err, texts(project))


@pytest.mark.parametrize(("words", "code", "out"), [((), 0, TIDY), (("--check",), 1, ""), (("--diff",), 0, None)])
def test_standard_input_goes_to_standard_output(project, words, code, out):
    done = subprocess.run(
        [sys.executable, "-m", "smsdeclare", "fmt", "-", *words], cwd=project.parent, input=UNTIDY, text=True,
        env=worlds.environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert (code, "") == (done.returncode, done.stderr)
    assert done.stdout == out if out is not None else done.stdout.startswith("---")


def test_what_is_wrong_on_standard_input_is_told(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: [\n")))
    assert "standard input:2:1: error SMS010" in command("fmt", "-").err
    assert "error SMS901" in command("fmt", "-", "x.yaml").err


def test_a_file_that_is_a_link_stays_one(command, project):
    (project / "real.txt").write_text("options:   {}\n")
    (project / "d.sms.yaml").symlink_to("real.txt")
    command("fmt", "-C", project)
    assert (True, "options: {}\n") == ((project / "d.sms.yaml").is_symlink(), (project / "real.txt").read_text())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written(command, project):
    project.chmod(0o500)
    result = command("fmt", "-C", project)
    project.chmod(0o700)
    assert (1, True) == (result.code, "error SMS021" in result.err)
