"""What the page of `status --format html` must be: harmless, self-contained, and readable for everybody."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from smsdeclare.cli.rows import shown
from smsdeclare.format import Overview, SendRow, Standing
from smsdeclare.formats import html
from smsdeclare.records import Stopped
from smsdeclare.states import State

VOID = {"meta", "wbr"}
HOSTILE = [
    "</style><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)' x=\"",
    "' style='position:fixed",
    "<!-- --><![CDATA[",
    "&lt;b&gt; &#60;i&#62;",
    "javascript:alert(1) https://elsewhere.example/x.js",
    "\x1b]0;owned\x07\x00",
    "\u202egnp.exe\u2066",
    "a\r\nb",
    "\ud800",
    "}</style>{{ x }} ${x} %s",
    "é € 😀",
]


class Tree(HTMLParser):
    """Every element with its attributes, the way from the root to it, and its own text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found, self._open = [], []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), tuple(name for name, _ in self._open), ""])
        assert len(attributes) == len(dict(attributes))
        if tag not in VOID:
            self._open.append((tag, self.found[-1]))

    def handle_startendtag(self, tag, attributes):
        self.found.append([tag, dict(attributes), tuple(name for name, _ in self._open), ""])

    def handle_endtag(self, tag):
        assert tag == self._open.pop()[0]

    def handle_data(self, text):
        if self._open:
            self._open[-1][1][3] += text

    def all(self, *tags):
        return [one for one in self.found if one[0] in tags]


def row(text="x", status="unknown"):
    return SendRow(
        address="message.hello@1", ref=text, message="hello", revision=1, receiver=text, status=status, attempts=1,
        id=None, credits=None, send_at=None, accepted_at=None, delivered_at=None, reason=text, since=text,
    )  # fmt: skip


def overview(text="why", **changes):
    counts = {shown(state): place + 1 for place, state in enumerate(State)}
    return Overview(
        project=text, provider=text, at="2026-12-07T09:14:00Z",
        standings=[
            Standing(address="message.calm@1", counts={"delivered": 3}, credits=3),
            Standing(address=text, counts=counts, credits=1.5, reasons=[("failed", text, 2), ("unknown", text, 1)]),
        ],
        in_doubt=[row(text), row(text, "cancelling")],
        spent=[("2026-11-30", 2.5), ("2026-12-02", 7.0)],
        stopped=Stopped(actor=text, at=text, reason=text),
    )._replace(**changes)  # fmt: skip


def skeleton(page):
    return [(tag, sorted(attributes), way) for tag, attributes, way, _ in Tree(page).found]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_no_text_becomes_markup(text):
    page = html.overview(overview(text))
    assert skeleton(html.overview(overview())) == skeleton(page)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\uffff]", page)


def test_the_page_has_no_script_no_style_in_attributes_and_nothing_from_elsewhere():
    page = html.overview(overview(HOSTILE[6]))
    allowed = {
        "id",
        "class",
        "role",
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "scope",
        "colspan",
        "datetime",
    }
    drawn = {"x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor"}
    for tag, attributes, *_ in Tree(page).found:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base", "use"}
        assert set(attributes) <= allowed | drawn | {"aria-labelledby", "aria-hidden"}
    assert not re.search(r"url\(|@import", page)


def test_the_policy_of_the_page_lets_its_own_style_in_and_nothing_else():
    tree = Tree(html.overview(overview()))
    (style,) = tree.all("style")
    policy = next(one[1]["content"] for one in tree.all("meta") if "http-equiv" in one[1])
    digest = b64encode(sha256(style[3].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" == policy


@pytest.mark.parametrize(
    "page", [overview(), overview(standings=[], in_doubt=[], spent=[], stopped=None)], ids=["full", "empty"]
)
def test_the_page_is_accessible(page):
    tree = Tree(html.overview(page))
    assert "en" == tree.all("html")[0][1]["lang"]
    assert tree.all("title")[0][3]
    assert 1 == len(tree.all("main"))
    levels = [int(one[0][1]) for one in tree.all("h1", "h2", "h3")]
    assert 1 == levels[0] == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(one[1].get("scope") in ("row", "col") for one in tree.all("th"))
    ids = [one[1]["id"] for one in tree.found if "id" in one[1]]
    assert len(ids) == len(set(ids))
    named = {name for one in tree.found for name in one[1].get("aria-labelledby", "").split()}
    assert named <= set(ids)
    for _, attributes, *_ in tree.all("svg"):
        assert attributes.get("aria-hidden") == "true" or (attributes["role"], attributes["aria-labelledby"]) == (
            "img",
            "chart-title chart-desc",
        )


def test_every_color_stands_out_from_what_is_behind_it_in_light_and_in_dark():
    (style,) = Tree(html.overview(overview())).all("style")
    light, dark = (dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", part)) for part in style[3].split("@media")[:2])
    for colors in (light, dark):
        for behind in ("back", "card", "doubt-back"):
            assert contrast(colors["ink"], colors[behind]) >= 7
            assert contrast(colors["soft"], colors[behind]) >= 4.5
        for sign in ("doubt", "bad", "wait", "took", "good", "none"):
            assert contrast(colors[sign], colors["card"]) >= 3


def contrast(one, other):
    """The ratio of WCAG 2.2."""

    def luminance(color):
        digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_what_is_unknown_comes_first():
    page = html.overview(overview())
    assert page.index("Unknown: ") < page.index("message.hello@1") < page.index(">Messages<")
    assert page.index(">why</code></h3>") < page.index("message.calm@1")


def test_every_status_is_shown_with_what_it_means():
    tree = Tree(html.overview(overview()))
    told = {one[3] for one in tree.all("dt")}
    assert {shown(state) for state in State} <= told


def test_what_is_not_listed_is_counted():
    page = html.overview(overview(in_doubt=[row()]))
    doubtful = sum(row.counts.get(status, 0) for row in overview().standings for status in ("unknown", "cancelling"))
    assert f"And {doubtful - 1:,} more" in page


@pytest.mark.parametrize(
    ("spent", "unit", "bars"),
    [
        pytest.param([("2026-12-01", 2.0)], "day", ["2026-12-01: 2"], id="one day"),
        pytest.param(
            [("2026-11-30", 1.0), ("2026-12-02", 2.5)], "day", ["2026-11-30: 1", "2026-12-02: 2.50"], id="a gap"
        ),
        pytest.param(
            [("2026-01-01", 1.0), ("2026-01-04", 2.0), ("2026-03-01", 4.0)], "week",
            ["week of 2025-12-29: 3", "week of 2026-02-23: 4"], id="weeks",
        ),
        pytest.param(
            [("2025-01-31", 1.0), ("2025-12-31", 2.0), ("2026-12-01", 4.0)], "month",
            ["2025-01: 1", "2025-12: 2", "2026-12: 4"], id="months",
        ),
        pytest.param([("2020-02-29", 1.0), ("2026-12-01", 4.0)], "year", ["2020: 1", "2026: 4"], id="years"),
    ],
)  # fmt: skip
def test_the_chart_names_every_bar_and_takes_the_finest_unit_that_a_phone_shows(spent, unit, bars):
    tree = Tree(html.overview(overview(spent=spent)))
    titles = [(one[2][-1], one[3]) for one in tree.all("title")][1:]
    assert [("svg", f"Credits by the {unit}"), *(("rect", bar) for bar in bars)] == titles
    heights = [float(one[1]["height"]) for one in tree.all("rect") if one[1].get("class") == "bar"]
    assert 160 == max(heights)
