"""What `action.yml` does on GitHub: plan on a pull request, apply on its merge what was approved there.

The approval is a commit status on the last commit of the pull request, whose description ends with the plan's digest.
A status can't be edited, names who made it, and belongs to one commit; a comment can be edited by everybody who may
write to the repository, so the comment is for reading only.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The first line of every plan in Markdown; by it the comment is found again.
MARKER = "<!-- smsdeclare plan -->"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: Exit codes of the tool.
_SOMETHING_TO_DO, _REFUSED_BY_POLICY, _NOT_APPROVED = 2, 5, 7
_SECONDS = 30


class Failed(Exception):
    """The action can't go on: what is wrong and what to do, and with which exit code the step ends."""

    def __init__(self, told: str, code: int = 1) -> None:
        super().__init__(told)
        self.code = code


# — what the runner says —


@dataclass(frozen=True, kw_only=True)
class Job:
    """What this run is about, from the environment that the runner and `action.yml` set."""

    env: dict[str, str]
    event: dict[str, Any]

    @classmethod
    def found(cls) -> Job:
        """The job of this process."""
        env = dict(os.environ)
        return cls(env=env, event=json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text("utf-8")))

    def input(self, name: str) -> str:
        """An input of the action."""
        return self.env.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return self.env["GITHUB_REPOSITORY"]

    @property
    def project(self) -> str:
        """Where the root file is: tells apart the plans of several projects in one repository."""
        return (Path(self.input("folder") or ".") / (self.input("file") or "smsdeclare.yaml")).as_posix()

    @property
    def context(self) -> str:
        """The name of the commit status."""
        return f"smsdeclare ({self.project})"

    @property
    def run_url(self) -> str:
        """The page of this run."""
        return f"{self.env['GITHUB_SERVER_URL']}/{self.repository}/actions/runs/{self.env['GITHUB_RUN_ID']}"

    @property
    def is_from_stranger(self) -> bool:
        """Whether GitHub keeps secrets and write rights from this pull request."""
        head = self.event["pull_request"]["head"].get("repo") or {}
        return head.get("full_name") != self.repository or self.env.get("GITHUB_ACTOR") == "dependabot[bot]"

    def mode(self) -> str:
        """What to do: as the workflow says, else by what happened."""
        name = self.env["GITHUB_EVENT_NAME"]
        if name == "pull_request_target":
            raise Failed("pull_request_target runs files of strangers with your secrets. Use pull_request instead.")
        asked = self.input("mode") or "auto"
        if asked not in ("auto", "validate", "plan", "apply"):
            raise Failed(f"mode is {asked}; it may be auto, validate, plan or apply.")
        if asked == "apply" and name == "pull_request":
            raise Failed("A pull request is only planned. Apply on push, that is after the merge.")
        if name == "pull_request" and self.is_from_stranger:
            return "validate"
        if asked != "auto":
            return asked
        return "plan" if name == "pull_request" else "apply"

    def summarize(self, markdown: str) -> None:
        """Show on the page of this run."""
        with Path(self.env["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(markdown.rstrip("\n") + "\n\n")

    def put_out(self, name: str, value: str) -> None:
        """Set an output of the action; `value` is one line."""
        with Path(self.env["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")


# — the tool —


@dataclass(frozen=True, kw_only=True)
class Tool:
    """The command, in the folder and with the root file that the inputs name."""

    job: Job

    def run(self, *arguments: str, speaks: bool = False) -> tuple[int, str]:
        """Run to the end; the exit code and standard output, which is printed as well.

        The runner obeys commands in what is printed only where it `speaks` for the tool itself: annotations.
        """
        place = ("-C", self.job.input("folder") or ".", "-f", self.job.input("file") or "smsdeclare.yaml")
        quiet = secrets.token_hex(16)
        if not speaks:
            print(f"::stop-commands::{quiet}", flush=True)
        try:
            code, out = self._ended([sys.executable, "-m", "smsdeclare", *arguments, *place])
            print(out, end="", flush=True)
        finally:
            if not speaks:
                print(f"::{quiet}::", flush=True)
        return code, out

    @staticmethod
    def _ended(command: list[str]) -> tuple[int, str]:
        # The token of GitHub is no business of the tool.
        env = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env, encoding="utf-8")  # noqa: S603 - this tool
        # The runner tells only its own child that a job is canceled; the tool then ends what is in flight.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda sent, _: process.send_signal(sent))
        out, _ = process.communicate()
        return process.returncode, out


# — GitHub —


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """The few calls of GitHub's API that are needed."""

    job: Job
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        retry = Retry(total=3, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods={"GET"})
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))
        self.session.headers.update({"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"})
        self.session.auth = self._authorized

    def _authorized(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """With the token, whatever a .netrc says."""
        request.headers["Authorization"] = f"Bearer {self.job.env.get('GITHUB_TOKEN', '')}"
        return request

    def call(self, method: str, path: str, right: str, body: dict[str, Any] | None = None) -> requests.Response:
        """One request; `right` is the permission that the job needs for it."""
        url = path if path.startswith("http") else f"{self.job.env['GITHUB_API_URL']}/repos/{self.job.repository}{path}"
        try:
            answer = self.session.request(method, url, json=body, timeout=_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise Failed(f"GitHub's API can't be reached: {type(error).__name__}. Run the job again.") from error
        if answer.status_code in (401, 403, 404):
            raise Failed(f"GitHub refused {method} {path} with {answer.status_code}. The job needs `{right}`.")
        if not answer.ok or answer.is_redirect:
            raise Failed(f"GitHub answered {method} {path} with {answer.status_code}. Run the job again.")
        return answer

    def all(self, path: str, right: str) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page."""
        following: str | None = f"{path}?per_page=100"
        while following:
            answer = self.call("GET", following, right)
            yield from answer.json()
            following = answer.links.get("next", {}).get("url")

    def is_own(self, who: dict[str, Any] | None) -> bool:
        """Whether this action made it; no person's name ends like that of a bot."""
        bot = self.job.input("bot") or "github-actions[bot]"
        return who is not None and (who["login"], who["type"]) == (bot, "Bot")

    def comment(self, pull: int, markdown: str) -> None:
        """Write the one comment, or write it anew."""
        last = f"<!-- {self.job.project.replace('--', '- -')} -->"
        body = f"{markdown.rstrip()}\n\n[The run]({self.job.run_url})\n{last}"
        for one in self.all(f"/issues/{pull}/comments", "pull-requests: write"):
            lines = one["body"].replace("\r\n", "\n").rstrip().split("\n")
            if self.is_own(one["user"]) and (lines[0], lines[-1]) == (MARKER, last):
                self.call("PATCH", f"/issues/comments/{one['id']}", "pull-requests: write", {"body": body})
                return
        self.call("POST", f"/issues/{pull}/comments", "pull-requests: write", {"body": body})

    def mark(self, commit: str, state: str, told: str) -> None:
        """Set the commit status: `success` with a description that ends with a digest is an approval."""
        body = {"state": state, "context": self.job.context, "description": told, "target_url": self.job.run_url}
        self.call("POST", f"/statuses/{commit}", "statuses: write", body)

    def merged(self, commit: str) -> dict[str, Any] | None:
        """The pull request whose merge made `commit`."""
        branch = self.job.env["GITHUB_REF_NAME"]
        pulls = [
            one
            for one in self.all(f"/commits/{commit}/pulls", "pull-requests: read")
            if one["merged_at"] and one["merge_commit_sha"] == commit and one["base"]["ref"] == branch
        ]
        return pulls[0] if len(pulls) == 1 else None

    def approved(self, pull: dict[str, Any]) -> str:
        """The digest of the plan that was shown for the last commit of a pull request."""
        number, commit = pull["number"], pull["head"]["sha"]
        for one in self.all(f"/commits/{commit}/statuses", "statuses: read"):  # the newest first
            if one["context"] == self.job.context and self.is_own(one["creator"]):
                digest = str(one["description"]).rpartition(" ")[2]
                if one["state"] == "success" and _DIGEST.fullmatch(digest):
                    return digest
                raise Failed(f"The plan of pull request #{number} failed, so nothing is approved.", _NOT_APPROVED)
        raise Failed(
            f"Pull request #{number} has no plan of its last commit {commit[:10]}, so nothing is approved.",
            _NOT_APPROVED,
        )


# — what the action does —


def _fenced(text: str) -> str:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def validate(job: Job, tool: Tool) -> int:
    """Check the files, without keys, state or network."""
    code, _ = tool.run("validate", "--format", "github", speaks=True)
    told = "The files are valid." if code == 0 else "The files are not valid; the annotations say where."
    if job.env["GITHUB_EVENT_NAME"] == "pull_request" and job.is_from_stranger:
        told += " This pull request comes from outside, so it gets no secrets and no plan."
    job.summarize(f"### SMS: checked only\n\n{told}")
    return code


def plan(job: Job, tool: Tool, github: GitHub) -> int:
    """Show what the merge would send: on the run's page, in the comment, and as the approval to be merged."""
    pull = job.event.get("pull_request")
    saved = Path(job.env["RUNNER_TEMP"]) / f"smsdeclare-{secrets.token_hex(4)}.plan.json"
    code, _ = tool.run("validate", "--format", "github", speaks=True)
    if code == 0:
        code, markdown = tool.run("plan", "--format", "markdown", "--out", str(saved))
    if code in (0, _REFUSED_BY_POLICY):
        found = json.loads(saved.read_text("utf-8"))
        summary, digest = found["summary"], found["digest"]
        saved.unlink()
        told = f"{summary['send'] + summary['replace']} to send, {summary['cancel']} to take back. {digest}"
        state = "success" if code == 0 else "failure"
        job.put_out("digest", digest)
    else:
        markdown = (
            f"{MARKER}\n### No SMS plan\n\nThe command ended with exit code {code}; its messages are in the log.\n"
        )
        state, told = "error", f"No plan: exit code {code}"
    job.summarize(markdown)
    if pull:
        github.comment(pull["number"], markdown)
        # Last, so that nothing is approved that nobody could read.
        github.mark(pull["head"]["sha"], state, told)
    return code


def apply(job: Job, tool: Tool, github: GitHub) -> int:
    """Send what was approved, or nothing."""
    digest, source = job.input("digest"), "the digest that this run was given"
    if digest and not _DIGEST.fullmatch(digest):
        raise Failed("digest is none: `sha256:` and 64 hexadecimal digits.", _NOT_APPROVED)
    if not digest:
        pull = github.merged(job.env["GITHUB_SHA"])
        if pull is None:
            return _unapproved(job, tool)
        digest, source = github.approved(pull), f"the plan of pull request #{pull['number']}"
    options = [one for name in ("wait", "lock-timeout") if (value := job.input(name)) for one in (f"--{name}", value)]
    code, out = tool.run("apply", "--expect-digest", digest, *options)
    job.put_out("digest", digest)
    job.summarize(f"### SMS: apply ended with exit code {code}\n\nApproved: {source}, `{digest}`.\n\n{_fenced(out)}")
    return code


def _unapproved(job: Job, tool: Tool) -> int:
    """No pull request led here: fine as long as there is nothing to send."""
    code, markdown = tool.run("plan", "--detailed-exitcode", "--format", "markdown")
    job.summarize(markdown)
    if code != _SOMETHING_TO_DO:
        return code
    raise Failed(
        f"No pull request was merged as {job.env['GITHUB_SHA'][:10]}, so nothing is approved. The summary shows what "
        "there is to send; who approves it runs this workflow by hand with the digest that stands there.",
        _NOT_APPROVED,
    )


def main() -> int:
    """One run of the action; the exit code."""
    job = Job.found()
    tool, github = Tool(job=job), GitHub(job=job)
    try:
        mode = job.mode()
        code = validate(job, tool) if mode == "validate" else (plan if mode == "plan" else apply)(job, tool, github)
    except Failed as failed:
        print(f"::error title=smsdeclare::{failed}", flush=True)
        job.summarize(f"### SMS: nothing was sent\n\n{failed}")
        code = failed.code
    job.put_out("exit-code", str(code))
    return code


if __name__ == "__main__":
    sys.exit(main())
