"""Completion as somebody meets it: a real shell on a terminal, its Tab key, and the line that it runs then."""

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios

import pytest
import worlds

#: Where each shell looks for what it reads once, and what stands there: a prompt to wait for, and how-to/completion.md.
STARTS = {
    "bash": {".bashrc": "PS1='READY> '\nsource <(smsdeclare completion bash)\n"},
    "zsh": {".zshrc": "autoload -Uz compinit; compinit -u\nPS1='READY> '\nsource <(smsdeclare completion zsh)\n"},
    "fish": {
        ".config/fish/config.fish": "function fish_prompt; printf 'READY> '; end\nfunction fish_greeting; end\n",
        ".config/fish/completions/smsdeclare.fish": "",
    },
}
#: The tool for what a shell asks at Tab and at its start; any other line is only shown.
TOOL = f"""#!/bin/sh
if [ -n "$_SMSDECLARE_COMPLETE" ] || [ "$1" = completion ]; then exec {sys.executable} -m smsdeclare "$@"; fi
echo "RAN[$*]"
"""
SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed"))
    for shell in STARTS
]


class Keyboard:
    """A shell on a terminal of its own."""

    def __init__(self, shell, home, folder, path):
        self._parent, child = pty.openpty()
        env = {"PATH": f"{path}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            [shell, "-i"], cwd=folder, stdin=child, stdout=child, stderr=child, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - fish wants to own it
        )  # fmt: skip
        os.close(child)
        self._seen = ""

    def read_until(self, pattern):
        """Wait for what fits, and forget what was shown up to there."""
        while (found := re.search(pattern, self._seen)) is None:
            assert select.select([self._parent], [], [], 120)[0], self._seen
            self._seen += os.read(self._parent, 65536).decode(errors="replace")
        self._seen = self._seen[found.end() :]
        return found

    def line(self, keys):
        """Type a line; what ran."""
        self.read_until("READY> ")
        os.write(self._parent, f"{keys}\r".encode())
        return self.read_until(r"RAN\[(.*)\]")[1]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._parent)


@pytest.fixture
def keyboard(request, tmp_path):
    shell = request.param
    home = worlds.write(tmp_path / "home", STARTS[shell])
    tools = worlds.write(tmp_path / "bin", {"smsdeclare": TOOL})
    (tools / "smsdeclare").chmod(0o755)
    if shell == "fish":
        script = subprocess.run(
            [tools / "smsdeclare", "completion", "fish"], capture_output=True, text=True, check=True
        )
        worlds.write(home, {".config/fish/completions/smsdeclare.fish": script.stdout})
    more = "messages:\n  order-shipped: {text: Hi, to: []}\n  sale: {text: Hi, to: []}\n"
    folder = worlds.write(tmp_path / "shop", {"smsdeclare.yaml": worlds.root(more=more)})
    keyboard = Keyboard(shell, home, folder, tools)
    yield keyboard
    keyboard.close()


@pytest.mark.parametrize("keyboard", SHELLS, indirect=True)
def test_tab_completes_commands_addresses_and_choices(keyboard):
    assert "validate" == keyboard.line("smsdeclare val\t")
    assert "plan --target message.sale" == keyboard.line("smsdeclare plan --target message.s\t")
    assert "state list --status delivered" == keyboard.line("smsdeclare state list --status del\t")
