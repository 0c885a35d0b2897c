"""The files of a new project, from templates and from what was said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from smsdeclare import __version__

_TEMPLATES = Path(__file__).parents[1] / "templates"
#: A line of a template that is replaced by lines, or left out where there are none; or a word within a line.
_PLACE = re.compile(r"^@@(?P<lines>\w+)@@\n|@@(?P<word>\w+)@@", re.MULTILINE)
#: What a project sends to where nobody has said which account.
_SERVICE = "sms-ab12345-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was said of a new project, or found out."""

    project: str
    timezone: str
    #: `sandbox` or `ovh`.
    provider: str
    #: Empty where it is to be found by the credentials.
    service: str
    #: Of numbers without one; empty: all are international.
    country: str
    #: A backend of the language.
    state: str
    #: `github`, `gitlab` or `none`.
    ci: str
    #: The project's folder, as seen from the repository's.
    folder: str = "."


def project_files(answers: Answers) -> dict[str, str]:
    """The files without which there is no project, by their names in its folder."""
    country = [f"    defaultCountry: {answers.country}   # of numbers that are written without one"]
    return {
        "smsdeclare.yaml": _filled(
            "smsdeclare.yaml", _words(answers), {"provider": _provider(answers), "state": _state(answers)}
        ),
        "messages.sms.yaml": _filled("messages.sms.yaml", {}, {"country": country if answers.country else []}),
        "data/customers.csv": _filled("customers.csv", {}, {}),
    }


def _words(answers: Answers) -> dict[str, str]:
    return {"project": _plain(answers.project), "timezone": answers.timezone, "shop": answers.project}


def other_files(answers: Answers) -> dict[str, str]:
    """Those that may be there already, and are left as they are then."""
    parts = {"real": _REAL if answers.provider == "sandbox" else [], "ci": _CI[answers.ci]}
    return {
        "trials.yaml": _filled("trials.yaml", _words(answers), {}),
        ".gitignore": _filled("gitignore", {}, {}),
        "README.md": _filled("README.md", {"project": answers.project}, parts).rstrip("\n") + "\n",
    }


#: What the jobs need where the state is on a branch of the repository: to plan, and to apply.
_ON_A_BRANCH = {
    "read": ["      contents: read # the files, and the state on its branch"],
    "fetch": ["        with:", "          persist-credentials: true # the state is fetched with them"],
    "write": ["      contents: write # the state on its branch"],
    "push": ["        with:", "          persist-credentials: true # the state is pushed with them"],
}
_ELSEWHERE = {
    **{name: ["      contents: read # the files"] for name in ("read", "write")},
    **{name: ["        with:", "          persist-credentials: false"] for name in ("fetch", "push")},
}


def pipeline(answers: Answers) -> tuple[str, str] | None:
    """The CI's file, by its name in the repository, and what stands in it; None where there is no CI."""
    folder = [] if answers.folder == "." else [f"folder: {answers.folder}"]
    if answers.ci == "github":
        secret = {"git": "SMSDECLARE_STATE_KEY", "postgresql": "SMSDECLARE_POSTGRESQL_URL"}.get(answers.state)
        parts = {
            **(_ON_A_BRANCH if answers.state == "git" else _ELSEWHERE),
            "with": ["        with:", *(f"          {line}" for line in folder)] if folder else [],
            "folder": [f"          {line}" for line in folder],
            "secrets": [f"          {secret}: ${{{{ secrets.{secret} }}}}"] if secret else [],
        }
        return ".github/workflows/sms.yml", _filled("github.yml", {}, parts)
    if answers.ci == "gitlab":
        extra = {"git": "[encryption]", "postgresql": "[postgresql]"}.get(answers.state, "")
        inputs = [f"package: smsdeclare{extra}=={__version__}", *folder]
        return ".gitlab-ci.yml", _filled("gitlab.yml", {}, {"inputs": [f"      {line}" for line in inputs]})
    return None


def _plain(word: str) -> str:
    """A word as YAML has to have it, so that it stays text: `null` and `123` in quotes."""
    return f'"{word}"' if word.lower() in ("null", "true", "false") or word[:1].isdigit() or word[:1] in "-." else word


def _provider(answers: Answers) -> list[str]:
    if answers.provider == "sandbox":
        return [
            "  name: sandbox          # pretends to send: no account, no network. For real SMS: ovh",
            "  # endpoint: ovh-eu",
            f"  # service: {answers.service or _SERVICE}",
        ]
    service = (
        f"service: {_plain(answers.service)}"
        if answers.service
        else f"# service: {_SERVICE}   # where there are several"
    )
    return [
        "  name: ovh              # real SMS, with the keys of `smsdeclare login`. To try things: sandbox",
        "  endpoint: ovh-eu",
        f"  {service}",
    ]


def _state(answers: Answers) -> list[str]:
    """Who has had what; in the sandbox it may be thrown away, so what is said of it waits in a comment."""
    is_file = answers.state == "file"
    backend = "git" if is_file else answers.state
    note = {"git": "on a branch of this repository", "postgresql": "by SMSDECLARE_POSTGRESQL_URL"}[backend]
    lines = [
        "state:                   # who has had what, so that nothing goes out twice",
        f"{f'  backend: {backend}':<25}# {note}",
    ]
    if not is_file:
        return lines
    return [
        "# The state, who has had what, is a file beside this one. For CI, where files do not last:",
        *(f"# {line}" for line in lines),
    ]


_REAL = """\
## Real SMS

This project sends to the sandbox: no account, no network, no phone rings. For real SMS name the provider `ovh` in
`smsdeclare.yaml`, get keys with `smsdeclare login`, and look at `smsdeclare plan` again.

""".splitlines()
_CI = {
    "none": [],
    "github": """\
## On GitHub

`.github/workflows/sms.yml` shows the plan on a pull request, and on its merge sends what was approved there. Fill in
the owner and the commit of the action, and make the environments `sms-plan` (keys that may only read) and `sms-apply`
(keys that may send; only for the branch `main`) with their secrets.
""".splitlines(),
    "gitlab": """\
## On GitLab

`.gitlab-ci.yml` shows the plan on a merge request; after the merge a plan waits for somebody to press the button. Fill
in the owner of the component, and add the keys as variables: those that may send for the environment `sms` alone.
""".splitlines(),
}


def _filled(name: str, words: dict[str, str], parts: dict[str, list[str]]) -> str:
    def fill(match: re.Match[str]) -> str:
        if match["word"]:
            return words[match["word"]]
        return "".join(f"{line}\n" for line in parts[match["lines"]])

    return _PLACE.sub(fill, (_TEMPLATES / name).read_text("utf-8"))
