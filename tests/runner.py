"""GitHub as far as `action.yml` meets it: a bare repository, an API on loopback, and a runner that plays the steps."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import worlds

from smsdeclare import document

ROOT = Path(__file__).parents[1]
REPOSITORY = "acme/shop"
TOKEN = "token-of-the-job"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
PERSON = {"login": "mallory", "type": "User"}
#: Of the state, which is encrypted; base64 of 32 bytes.
KEY = base64.b64encode(bytes(range(32))).decode()
#: What a job may do without further words.
RIGHTS = frozenset({"contents", "pull-requests", "statuses"})


def git(folder, *arguments):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=env, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout.strip()


class GitHub:
    """What GitHub knows, and its API: pull requests, comments, commit statuses."""

    PAGE = 2

    def __init__(self):
        self.pulls, self.comments, self.statuses = {}, {}, {}
        self.calls, self.rights = [], RIGHTS
        self.url = None

    # — the API —

    def answer(self, method, path, page, body):
        """Code and document for one request."""
        self.calls.append((method, path))
        rest = path.removeprefix(f"/repos/{REPOSITORY}/")
        for (wanted, pattern), reply in self._routes().items():
            if wanted == method and (found := re.fullmatch(pattern, rest)):
                return reply(found[1], page if method == "GET" else body)
        return 404, {"message": "Not Found"}

    def _routes(self):
        """Each call that the action makes; it gets what the path names, and the page or the body."""
        return {
            ("GET", r"issues/(\d+)/comments"): lambda of, page: self._page(self.comments.get(int(of), []), page),
            ("POST", r"issues/(\d+)/comments"): lambda of, body: self._written(
                "pull-requests", self.comments.setdefault(int(of), []).append, self.comment_by(BOT, body["body"])
            ),
            ("PATCH", r"issues/comments/(\d+)"): lambda of, body: self._written(
                "pull-requests", self._comment(int(of)).update, body
            ),
            ("GET", r"commits/(\w+)/statuses"): lambda of, page: self._page(self.statuses.get(of, []), page),
            ("POST", r"statuses/(\w+)"): lambda of, body: self._written(
                "statuses", lambda one: self.statuses.setdefault(of, []).insert(0, one), {**body, "creator": BOT}
            ),
            ("GET", r"commits/(\w+)/pulls"): lambda of, page: self._page(
                [one for one in self.pulls.values() if one["merge_commit_sha"] == of], page
            ),
        }

    def _comment(self, wanted):
        (one,) = (one for here in self.comments.values() for one in here if one["id"] == wanted)
        return one

    def _written(self, right, write, document):
        if right not in self.rights:
            return 403, {"message": "Resource not accessible by integration"}
        assert len(document.get("description", "")) <= 140
        write(document)
        return 201, document

    def _page(self, items, page):
        """One page, and one item more where there is another page."""
        return 200, items[(page - 1) * self.PAGE : page * self.PAGE + 1]

    def comment_by(self, who, body):
        return {"id": 100 + sum(map(len, self.comments.values())), "user": who, "body": body.replace("\n", "\r\n")}

    @contextmanager
    def serving(self):
        github = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self):
                path, _, query = self.path.partition("?")
                page = int((re.search(r"\bpage=(\d+)$", query) or [0, "1"])[1])
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                code, found = (401, {}) if self.headers["Authorization"] != f"Bearer {TOKEN}" else github.answer(
                    self.command, path, page, json.loads(body) if body else None
                )  # fmt: skip
                links = ""
                if self.command == "GET" and isinstance(found, list) and len(found) > github.PAGE:
                    found, links = (
                        found[: github.PAGE],
                        f'<{github.url}{path}?per_page=100&page={page + 1}>; rel="next"',
                    )
                data = json.dumps(found).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                if links:
                    self.send_header("Link", links)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        for method in ("GET", "POST", "PATCH"):
            setattr(Handler, f"do_{method}", Handler.reply)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Team:
    """A repository of a project: branches, pull requests, merges; and jobs that the runner plays."""

    def __init__(self, folder, github, files):
        self.folder, self.github = folder, github
        self.bare, self.desk = folder / "origin.git", folder / "desk"
        self._jobs = 0
        git(folder, "init", "-q", "--bare", str(self.bare))
        git(folder, "clone", "-q", str(self.bare), str(self.desk))
        self.commit({"README.md": "Messages\n"})
        git(self.desk, "branch", "-M", "main")
        git(self.desk, "push", "-q", "origin", "main")
        self.commit(files)
        git(self.desk, "push", "-q", "origin", "main")
        # What the runner finds where `ci/install.sh` would have put it.
        python = folder / "temp" / "smsdeclare" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)

    # — people —

    def commit(self, files):
        worlds.write(self.desk, files)
        git(self.desk, "add", "-A")
        git(self.desk, "commit", "-q", "-m", "Change")
        return git(self.desk, "rev-parse", "HEAD")

    def pull_request(self, files, *, head=REPOSITORY):
        """Open one on a branch of its own."""
        number = len(self.github.pulls) + 1
        git(self.desk, "checkout", "-q", "-b", f"change-{number}", "main")
        self.github.pulls[number] = {
            "number": number, "merged_at": None, "merge_commit_sha": None,
            "base": {"ref": "main"}, "head": {"sha": self.commit(files), "repo": {"full_name": head}},
        }  # fmt: skip
        git(self.desk, "push", "-q", "origin", f"change-{number}")
        return number

    def push_again(self, number, files):
        """Another commit on the branch of a pull request."""
        git(self.desk, "checkout", "-q", f"change-{number}")
        self.github.pulls[number]["head"]["sha"] = self.commit(files)
        git(self.desk, "push", "-q", "origin", f"change-{number}")

    def push(self, files):
        """Straight to main; the commit."""
        git(self.desk, "checkout", "-q", "main")
        commit = self.commit(files)
        git(self.desk, "push", "-q", "origin", "main")
        return commit

    def merge(self, number):
        """Squash it; the commit on main."""
        git(self.desk, "checkout", "-q", "main")
        git(self.desk, "merge", "-q", "--squash", f"change-{number}")
        git(self.desk, "commit", "-q", "-m", f"Merge #{number}")
        git(self.desk, "push", "-q", "origin", "main")
        commit = git(self.desk, "rev-parse", "HEAD")
        self.github.pulls[number].update(merged_at="2026-11-26T12:00:00Z", merge_commit_sha=commit)
        return commit

    # — the runner —

    def plan(self, number, **more):
        """The job of a pull request, on its merge with main as it is now."""
        git(self.desk, "checkout", "-q", "-B", "merged", "main")
        git(self.desk, "merge", "-q", "--no-edit", f"change-{number}")
        git(self.desk, "push", "-q", "-f", "origin", "merged")
        pull = self.github.pulls[number]
        return self.job("pull_request", "merged", {"pull_request": pull}, **more)

    def apply(self, commit, **more):
        """The job of a push to main."""
        return self.job("push", commit, {}, **more)

    def job(self, event, at, payload, **more):
        return finish(*self.start(event, at, payload, **more))

    def start(self, event, at, payload, *, inputs=(), actor="ana", keys=True):
        """Check out, and play the steps of the action but its installation; the process and its job's folder."""
        self._jobs += 1
        place = self.folder / f"job-{self._jobs}"
        place.mkdir()
        git(self.folder, "clone", "-q", str(self.bare), str(place / "work"))
        git(place / "work", "checkout", "-q", at if event == "push" or at != "merged" else "origin/merged")
        (place / "event.json").write_text(json.dumps(payload))
        action = document.parse((ROOT / "action.yml").read_bytes(), file="action.yml").data
        given = {name: one.get("default", "") for name, one in action["inputs"].items()} | dict(inputs)
        (step,) = (step for step in action["runs"]["steps"] if step["id"] != "install")
        assert "bash" == step["shell"]
        env = worlds.environment(
            CI="true", GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(place / "event.json"), GITHUB_ACTOR=actor,
            GITHUB_REPOSITORY=REPOSITORY, GITHUB_SERVER_URL="https://github.example", GITHUB_RUN_ID=str(self._jobs),
            GITHUB_API_URL=self.github.url, GITHUB_SHA=git(place / "work", "rev-parse", "HEAD"),
            GITHUB_REF_NAME="main", GITHUB_STEP_SUMMARY=str(place / "summary.md"),
            GITHUB_OUTPUT=str(place / "output"), RUNNER_TEMP=str(self.folder / "temp"),
            SMSDECLARE_STATE_KEY=KEY,
            **{name: _filled(value, given) for name, value in step["env"].items()},
        )  # fmt: skip
        if not keys:
            env = {name: value for name, value in env.items() if not name.startswith(("OVH_", "SMSDECLARE_"))}
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=place / "work", env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        return process, place


def _filled(value, given):
    """The expressions that `action.yml` uses, and no other."""
    known = {f"inputs.{name}": text for name, text in given.items()}
    known |= {"github.action_path": str(ROOT), "github.token": TOKEN}

    def fill(text):
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: known[found[1]], text)

    return fill(fill(value))


class Ended:
    """What a job left: its exit code, log, summary and outputs."""

    def __init__(self, code, log, place):
        self.code, self.log = code, log
        summary, output = place / "summary.md", place / "output"
        self.summary = summary.read_text("utf-8") if summary.exists() else ""
        lines = output.read_text("utf-8").splitlines() if output.exists() else []
        self.outputs = dict(line.split("=", 1) for line in lines)


def finish(process, place):
    log, _ = process.communicate(timeout=60)
    assert "Traceback" not in log, log
    return Ended(process.returncode, log, place)


def kill(process):
    """The runner is gone: the step, and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
