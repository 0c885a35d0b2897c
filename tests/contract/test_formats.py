"""What every format of a plan must do with what it is given."""

import re

import pytest

from smsdeclare import codes
from smsdeclare.cli.session import formatter
from smsdeclare.decisions import Action
from smsdeclare.diagnostics import Diagnostic, Span
from smsdeclare.format import Style
from smsdeclare.formats.markdown import LIMIT, MARKER
from smsdeclare.plan import Change, Plan, SkippedRow, Summary, Violation, Warned

HOSTILE = [
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\u202egnp.exe",
    "</details><script>alert(1)</script>",
    "@everyone see https://example.org and www.example.org",
    "::set-output name=x::y",
    "a\n::error::b",
    "a\r\n##[group]b",
    "```\n````\n# heading",
    "[link](https://example.org) ![image](x)",
    "<!-- smsdeclare plan -->",
    "| a | b |",
    "%0A::warning::x",
]
FORMATS = ["text", "json", "markdown", "github"]


def plan_with(text, rows=1):
    change = Change(
        address="message.hello@1", action=Action.SEND, receivers=2, send_at=None, posts=1, encoding="gsm7",
        encodings={"gsm7": 2, "unicode": 0}, parts={"min": 1, "max": 1}, credits=2.0, credits_exact=True,
        sample=text, edited_since_sent=0, reason=text,
    )  # fmt: skip
    return Plan(
        project=text, provider="ovh", endpoint=text, service=text, digest="sha256:" + "0" * 64,
        created_at="2026-12-01T08:00:00Z", changes=(change,) * rows,
        skipped=(SkippedRow(address=text, ref=None, file=text, line=1, code="SMS201", reason=text),) * rows,
        warnings=(Warned(code="SMS209", message=text, file=text, line=1, column=1),) * rows,
        violations=(Violation(rule="maxCredits", limit=1, actual=2, address=text, file=text, line=1),),
        summary=Summary(send=2, posts=1, credits=2.0), variables={},
    )  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_nothing_in_a_plan_is_obeyed(name, text):
    out = formatter(name).plan(plan_with(text), Style())
    assert out.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_no_line_of_the_annotations_begins_a_command_of_its_own(text):
    found = [
        Diagnostic(
            code=codes.YAML_SYNTAX, detail=text, span=Span(file=text, line=1, column=2, end_line=1, end_column=3)
        )
    ]
    github = formatter("github")
    for out in (github.plan(plan_with(text), Style()), github.findings(found, Style(), lambda *_: None, valid=False)):
        commands = [line for line in out.splitlines() if line.startswith(("::", "##["))]
        assert {"::error", "::warning", "::notice"} >= {line.split(" ")[0] for line in commands}
        assert all(line.count("::") >= 2 for line in commands)
    assert 1 == len(github.findings(found, Style(), lambda *_: None, valid=False).splitlines()) - 1


@pytest.mark.parametrize("text", [*HOSTILE, " \t::stop-commands::x", "a ##[add-mask]b"], ids=repr)
def test_no_line_of_the_markdown_is_a_command_to_the_log_it_is_printed_in(text):
    out = formatter("markdown").plan(plan_with(text), Style())
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_markdown_shows_texts_as_texts(text):
    out = formatter("markdown").plan(plan_with(text), Style())
    outside = re.sub(r"(?ms)^(`{4,})text\n.*?^\1$", "", out)
    outside = (
        outside.replace("<details>", "").replace("<summary>", "").replace("</summary>", "").replace("</details>", "")
    )
    outside = outside.replace(MARKER, "", 1)
    assert not re.search(r"[<>@]|https?:|www\.|\]\(", outside)


def test_markdown_stays_within_its_limit_and_says_what_it_left_out():
    out = formatter("markdown").plan(plan_with("long " * 200, rows=400), Style())
    assert len(out) <= LIMIT
    assert "left out for want of room" in out
    assert out.startswith(MARKER)
    assert "maxCredits" in out


def test_at_most_ten_annotations_of_a_kind_and_the_rest_is_counted():
    out = formatter("github").plan(plan_with("odd", rows=25), Style())
    assert 10 == sum(line.startswith("::warning") for line in out.splitlines())
    assert "15 more of kind warning" in out


def test_the_same_plan_gives_the_same_markdown():
    assert (
        """<!-- smsdeclare plan -->
### SMS plan for acme

Plan&#58; 2 to send&#46; 2 credits&#46; 1 POST&#46;

Digest `sha256:"""
        + "0" * 64
        + """`

#### The policy refuses this plan

- **maxCredits** acme&#58; 2 is beyond 1

| | message | receivers | parts | credits | when |
|---|---|---:|---:|---:|---|
| send | message&#46;hello&#64;1 | 2 | 1 gsm7 | 2 | now |

message&#46;hello&#64;1: acme

````text
acme
````

<details><summary>1 warning</summary>

- acme&#58;1 SMS209 acme

</details>

<details><summary>1 skipped receiver</summary>

- acme&#58;1 SMS201 acme

</details>
"""
        == formatter("markdown").plan(plan_with("acme"), Style())
    )
