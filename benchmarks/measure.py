"""Run programs as processes of their own, in turn, and measure them: wall time, CPU time, peak memory."""

import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

PYTHON = sys.executable
SMSDECLARE = str(Path(sysconfig.get_path("scripts")) / "smsdeclare")
#: ru_maxrss counts kilobytes on Linux and bytes on macOS.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Run(NamedTuple):
    """One run of a program."""

    #: Seconds.
    wall: float
    #: Seconds, of the program and of the system on its behalf.
    cpu: float
    #: Bytes.
    peak: int


def run(*arguments, folder=None):
    """Run a program to its end; SystemExit with what it said where it fails.

    A child's peak counts what this process held when it began it: a script that measures stays small itself.
    """
    # Nothing of the developer's own counts: neither keys and variables, nor how Python is set up.
    own = ("OVH_", "SMSDECLARE_", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own) and name != "CI"}
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{arguments} ended with {process.returncode}:\n{said.read().decode()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT)


def in_turn(programs, rounds):
    """Run all programs `rounds` times; name → its runs.

    Each round begins with another program, so that what else the machine does hits all of them alike.
    """
    names = list(programs)
    runs = {name: [] for name in names}
    for turn in range(rounds):
        begin = turn % len(names)
        for name in names[begin:] + names[:begin]:
            runs[name].append(programs[name]())
    return runs


def summary(runs, floors):
    """Median and spread of a program's runs, and what its wall time is over that of each floor."""
    walls = [run.wall for run in runs]
    return {
        "runs": len(runs),
        "wallSeconds": {"median": statistics.median(walls), "least": min(walls), "most": max(walls)},
        "cpuSeconds": statistics.median(run.cpu for run in runs),
        "peakBytes": max(run.peak for run in runs),
        "ratios": {
            name: statistics.median(walls) / statistics.median(run.wall for run in below)
            for name, below in floors.items()
        },
    }


def document(results, **settings):
    """The figures with what they were taken on; neither host nor folder is named."""
    return {
        "takenAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "settings": settings,
        "results": results,
    }


def save(path, found):
    if path:
        Path(path).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
