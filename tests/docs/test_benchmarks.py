"""The benchmarks run. What they measure is never asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scale import slopes

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(name, *arguments):
    script = BENCHMARKS / name
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "programs"),
    [
        (
            "startup.py",
            ["--rounds", "1"],
            ["import click", "version", "--help", "preview", "validate", "plan --offline"],
        ),
        (
            "latency.py",
            ["--receivers", "5", "--milliseconds", "0", "--parallelism", "2", "--rounds", "1"],
            ["official", "apply", "bare 2", "apply 2"],
        ),
        (
            "scale.py",
            ["--receivers", "30", "--rounds", "1", "--texts", "one text", "--octodns", ""],
            [
                *("floor plain", "floor pipeline", "validate", "plan", "floor commits", "apply", "apply, own share"),
                *("plan, all sent", "plan, 1 % new", "apply, all sent", "status", "settle"),
            ],
        ),
    ],
)
def test_figures_are_printed_and_saved_and_name_no_place(name, arguments, programs, tmp_path):
    path = tmp_path / "figures.json"
    printed = run(name, *arguments, "--json", str(path))
    saved = path.read_text()
    figures = json.loads(saved)
    assert programs == [one["program"] for one in figures["results"]]
    # The floor runs beside the plans of both halves.
    assert {one["runs"] for one in figures["results"]} <= {1, 2}
    assert all(f"\n{one}" in printed for one in programs)
    assert {"system", "processor", "cores"} == set(figures["machine"])
    assert str(BENCHMARKS.parent) not in saved


def test_pushes_are_counted_beside_the_same_with_a_file():
    assert "pushes, the last of" in run("pushes.py", "--receivers", "20")


def test_how_the_time_grows_is_told_where_there_are_several_sizes(tmp_path):
    path = tmp_path / "figures.json"
    arguments = ("--receivers", "2000", "6000", "--rounds", "1", "--texts", "personalized", "--plans-only")
    printed = run("scale.py", *arguments, "--octodns", "", "--json", str(path))
    grown = json.loads(path.read_text())["slopes"]
    assert all(f"{one['slope']:6.2f}" in printed for one in grown)


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_how_the_time_grows_is_the_slope_on_logarithmic_paper(power):
    """Less what it takes to begin; a program that took no longer than that tells nothing."""
    sizes, begun = (10, 100, 1_000), 3.0
    results = [
        {"text": "one text", "program": "plan", "receivers": size, "cpuSeconds": begun + 0.5 * size**power}
        for size in sizes
    ]
    results += [{"text": "one text", "program": "idle", "receivers": size, "cpuSeconds": 1.0} for size in sizes]
    (grown,) = slopes(results, {("one text", "plan"): begun, ("one text", "idle"): 2.0})
    assert ("plan", pytest.approx(power)) == (grown["program"], grown["slope"])


@pytest.mark.usefixtures("postgresql")
def test_runners_that_share_a_plan_are_measured():
    printed = run("shared.py", "--receivers", "6", "--latency", "0", "--runners", "2")
    assert "2 runners" in printed


def test_texts_are_measured():
    assert "render" in run("texts.py")


def test_smsdeclare_is_compared_with_scripts(tmp_path):
    path = tmp_path / "figures.json"
    run("comparison.py", "--receivers", "2", "--places", "1", "--faults", "l", "--json", str(path))
    found = json.loads(path.read_text())["results"]
    assert ["loop", "list", "retries", "smsdeclare"] == [one["program"] for one in found]
    assert [1, 1, 1, 0] == [one["duplicates"] for one in found]
    assert [0] * 4 == [one["losses"] for one in found]


def test_small_worlds_are_searched():
    told = run("small_worlds.py", "--fast", "--only", "guard", "--trace")
    assert "the guard is off: TWICE" in told
    assert "somebody restores the state of the beginning" in told
    assert told.endswith("all as expected\n")


def test_planted_bugs_are_named():
    assert "follow 307" in run("planted_bugs.py", "--list")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("histories.py", ["--histories", "3"], "duplicates            0"),
        ("histories.py", ["--histories", "6", "--backend", "git"], "duplicates            0"),
        ("crashes.py", ["--only", "by chance", "--chance", "2"], "by chance: 2 histories"),
        ("everywhere.py", ["--kinds", "git", "--letters", "l", "--every", "20"], "losses and wrong records: 0"),
        ("kills.py", ["crowds", "--rounds", "1", "--runners", "2"], "duplicate, a loss or a wrong record: 0"),
    ],
)
def test_broken_runs_double_nobody_and_lose_nobody(name, arguments, said):
    assert said in run(name, *arguments)
