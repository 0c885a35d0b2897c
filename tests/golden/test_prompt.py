"""On a terminal: the plan is shown, a question asked, and the answer heeded."""

import os
import pty
import subprocess
import sys

import pytest
import worlds


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [
        pytest.param("y\n", 0, 1, id="yes"),
        pytest.param("n\n", 8, 0, id="no"),
        pytest.param("\n", 8, 0, id="nothing means no"),
    ],
)
def test_the_answer_decides(tmp_path, answer, code, sent):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", "apply", "-C", str(tmp_path)],
        stdin=child, stdout=subprocess.PIPE, stderr=child, env=worlds.environment(TERM="xterm"),
    )  # fmt: skip
    os.close(child)
    shown = b""
    try:
        while b"Send this?" not in shown:
            shown += os.read(parent, 4096)
        os.write(parent, answer.encode())
        while True:
            try:
                more = os.read(parent, 4096)
            except OSError:  # the other side has left the terminal
                break
            if not more:
                break
            shown += more
        process.communicate()
    finally:
        os.close(parent)
    assert (code, sent) == (process.returncode, len(worlds.outbox(tmp_path)))
    assert b"1 receiver" in shown
