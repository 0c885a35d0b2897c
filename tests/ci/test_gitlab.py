"""The component of GitLab CI, played: its jobs' scripts, in a checkout, with artifacts that travel."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import worlds
from processes import everyone, serving

from smsdeclare import document

COMPONENT = Path(__file__).parents[2] / "templates" / "sms.yml"


def component(**given):
    """Its jobs, as GitLab has them once the inputs are filled in."""
    head, _, body = COMPONENT.read_text("utf-8").partition("\n---\n")
    inputs = document.parse(head.encode(), file="head").data["spec"]["inputs"]
    values = {name: one["default"] for name, one in inputs.items()} | given
    filled = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: values[found[1]], body)
    return document.parse(filled.encode(), file="body").data


class Pipeline:
    """Jobs on one checkout; the tool is there, so nothing is installed."""

    def __init__(self, place, **given):
        self.folder, self.jobs = place, component(**given)
        self.project = place / "project"
        bin_folder = place / "bin"
        bin_folder.mkdir()
        (bin_folder / "smsdeclare").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smsdeclare "$@"\n')
        (bin_folder / "smsdeclare").chmod(0o755)
        self._path = f"{bin_folder}:/usr/bin:/bin"

    def run(self, name):
        """Exit code and log."""
        job = self.jobs[name]
        variables = self.jobs[job["extends"]]["variables"]
        shutil.rmtree(self.project / "sms", ignore_errors=True)
        if "needs" in job:
            shutil.copytree(self.folder / "artifacts", self.project / "sms")
        done = subprocess.run(
            ["sh", "-e", "-c", "\n".join(job["script"])],
            cwd=self.project,
            env=worlds.environment(**variables, PATH=self._path, CI="true", CI_PROJECT_DIR=str(self.project)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        )  # fmt: skip
        if "artifacts" in job:
            shutil.rmtree(self.folder / "artifacts", ignore_errors=True)
            shutil.copytree(self.project / "sms", self.folder / "artifacts")
        return done.returncode, done.stdout


@pytest.fixture
def url(tmp_path):
    with serving(tmp_path / "journal.jsonl") as found:
        yield found


def received(folder):
    journal = folder / "journal.jsonl"
    return sorted(json.loads(line)["receiver"] for line in journal.read_text().splitlines()) if journal.exists() else []


def test_what_was_looked_at_is_sent_at_the_press_of_a_button_and_once(tmp_path, url):
    pipeline = Pipeline(tmp_path, folder="shop")
    people = ", ".join(f'"{one}"' for one in everyone(2))
    files = {"shop/smsdeclare.yaml": worlds.loopback(url, worlds.message(to=f"[{people}]"))}
    worlds.write(pipeline.project, files)
    assert 0 == pipeline.run("sms-validate")[0]
    code, log = pipeline.run("sms-plan")
    assert (0, True) == (code, "2 to send" in log)
    worlds.write(pipeline.project, {"shop/more.sms.yaml": worlds.message(to='"+33639980007"', name="more")})
    assert 7 == pipeline.run("sms-apply")[0]
    (pipeline.project / "shop" / "more.sms.yaml").unlink()
    assert [] == received(tmp_path)
    assert 0 == pipeline.run("sms-apply")[0]
    assert 0 == pipeline.run("sms-apply")[0]
    assert everyone(2) == received(tmp_path)


def test_a_plan_that_the_policy_refuses_fails_and_is_shown(tmp_path, url):
    pipeline = Pipeline(tmp_path, name="news")
    more = "policy: {maxReceivers: 1}\n" + worlds.message(to='["+33639980001", "+33639980002"]')
    worlds.write(pipeline.project, {"smsdeclare.yaml": worlds.loopback(url, more)})
    code, log = pipeline.run("news-plan")
    assert (5, True) == (code, "maxReceivers" in log)
    assert 5 == pipeline.run("news-apply")[0]
    assert [] == received(tmp_path)


def test_no_two_jobs_send_at_once_and_only_the_default_branch_does():
    jobs = component(name="news", environment="production")
    apply = jobs["news-apply"]
    assert ("news", "production", False) == (apply["resource_group"], apply["environment"], apply["interruptible"])
    assert [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "when": "manual"}] == apply["rules"]
