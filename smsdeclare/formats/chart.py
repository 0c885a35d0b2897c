"""A bar chart of credits over time as inline SVG: readable without colors, by ear, and at any width."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from smsdeclare.formats.phrases import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Most bars that a phone shows apart; what is longer goes by weeks, months, then years.
_BARS = 45
_HEIGHT = 160
#: Above and below the bars stand words.
_TOP, _BOTTOM = 24, 24


def chart(spent: Sequence[tuple[str, float]]) -> str:
    """The chart of credits by day, `2026-12-01`, ascending; at least one day."""
    unit, bars = _bars([(date.fromisoformat(day), taken) for day, taken in spent])
    most = max(taken for _, taken in bars)
    first, last = bars[0][0], bars[-1][0]
    told = f"From {first} to {last}, by the {unit}; the most is {figure(most)}. The table below has every figure."
    # Lengths along the time are shares of the width, so that words keep their size on a phone.
    step = 100 / len(bars)
    width = min(step * 0.8, 12)
    drawn = "".join(
        f'<rect class="bar" x="{place * step + (step - width) / 2:.3f}%" y="{_TOP + _HEIGHT - height:.1f}" '
        f'width="{width:.3f}%" height="{height:.1f}"><title>{_named(day, unit)}: {figure(taken)}</title></rect>'
        for place, (day, taken) in enumerate(bars)
        if taken
        for height in (max(2.0, _HEIGHT * taken / most),)
    )
    base = _TOP + _HEIGHT
    words = f'<text x="0" y="14">{figure(most)}</text>' + (
        f'<text x="0" y="{base + 18}">{_named(first, unit)}</text>'
        f'<text x="100%" y="{base + 18}" text-anchor="end">{_named(last, unit)}</text>'
        if len(bars) > 1
        else f'<text x="50%" y="{base + 18}" text-anchor="middle">{_named(first, unit)}</text>'
    )
    return (
        f'<svg role="img" aria-labelledby="chart-title chart-desc" width="100%" height="{base + _BOTTOM}">'
        f'<title id="chart-title">Credits by the {unit}</title><desc id="chart-desc">{told}</desc>'
        f'<line class="grid" x1="0" x2="100%" y1="{_TOP}" y2="{_TOP}"/>{drawn}'
        f'<line class="axis" x1="0" x2="100%" y1="{base}" y2="{base}"/>{words}</svg>'
    )


def _bars(spent: Sequence[tuple[date, float]]) -> tuple[str, list[tuple[date, float]]]:
    """The finest unit of time that leaves few bars, and these without a gap."""
    for unit in ("day", "week", "month", "year"):
        first, last = _start(spent[0][0], unit), _start(spent[-1][0], unit)
        sums = dict.fromkeys(_steps(first, last, unit), 0.0)
        if len(sums) <= _BARS or unit == "year":
            break
    for day, taken in spent:
        sums[_start(day, unit)] += taken
    return unit, list(sums.items())


def _start(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _steps(first: date, last: date, unit: str) -> Iterator[date]:
    # From a start so many days on is within the next one of its kind.
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[unit]
    while first <= last:
        yield first
        first = _start(first + timedelta(days=days), unit)


def _named(day: date, unit: str) -> str:
    if unit == "week":
        return f"week of {day}"
    return {"month": f"{day:%Y-%m}", "year": f"{day:%Y}"}.get(unit, f"{day}")
