"""The `git` command: in a repository of its own that is thrown away, with the credentials of the project's; no prompts.

Nothing of the user's repository is touched: of it only the settings that say how to reach a remote are read.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.codes import Code

#: Since this version settings can be given in the environment.
_OLDEST = (2, 31)
#: Longer than this no step on this machine takes, and no way to the remote. Seconds.
_LOCAL_SECONDS, _REMOTE_SECONDS = 60.0, 100.0
#: Settings of the project's repository that say how to reach a remote, and as whom.
_ACCESS = re.compile(r"(http|https|credential|ssh|url)\..*|core\.(sshcommand|gitproxy)|remote\..*\.proxy")
#: What a run inside a hook, or of another tool, has set about another repository.
_ELSEWHERE = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX"
    r"|SHALLOW_FILE|GRAFT_FILE|QUARANTINE_PATH|CEILING_DIRECTORIES|LITERAL_PATHSPECS|TRACE.*|CURL_VERBOSE|PUSH_OPTION.*)"
)
#: Whoever asks would wait for ever; nothing is run that is not a way to a repository; words as we know them.
_ALONE = {
    "GIT_TERMINAL_PROMPT": "0",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
    "LANGUAGE": "",
}
#: A line that stands still for so long will not move any more. Bytes in a second, and seconds.
_SETTINGS = {
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "core.compression": "1",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.fsckObjects": "false",
    "push.gpgSign": "false",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
}
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")
#: Lines of git that say nothing more. So much is shown of the rest. Characters.
_NOISE = ("hint:", "To ", "error: failed to push", "Please make sure you have", "and the repository exists")
_SHOWN = 300

#: What git and servers say → what it means; the first that fits counts. Everything else is a way that does not lead on.
_MEANINGS: dict[Code, str] = {
    codes.STATE_TOO_LARGE: r"no space left|quota|large files|file size limit|exceeds .*limit|larger than|too large"
    r"|HTTP 413",
    codes.STATE_REPOSITORY: r"does not appear to be a git repository|repository .*not found|not a git repository"
    r"|does not exist|no such file|returned error: 404|project you were looking for",
    codes.STATE_PUSH_REFUSED: r"protected branch|hook declined|GH0\d\d|not allowed to (push|force)|denying|prohibited"
    r"|remote rejected|shallow update not allowed",
    codes.STATE_REPOSITORY_FORBIDDEN: r"authentication failed|could not read (username|password)|permission"
    r"|returned error: 40[13]|access denied|prompts disabled|host key verification|not authorized|unauthorized"
    r"|insufficient|forbidden|dubious ownership|read.?only",
}


#: What this machine's own disk says, to git and not to the remote, whose lines are marked.
_NO_ROOM = re.compile(r"no space left on device|disk quota exceeded|read-only file system", re.IGNORECASE)
_MARK = "remote:"

#: How git ends where it does not know an option.
_USAGE = 129


class Ended(NamedTuple):
    """What a command came to."""

    #: None where it took too long and was ended.
    code: int | None
    out: bytes
    #: Safe to show.
    said: str
    #: Whether it failed for want of room on this machine, or of rights.
    is_unwritable: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it did what was asked for."""
        return self.code == 0


class Git:
    """Runs git in a bare repository that holds what was fetched, and goes with it."""

    def __init__(self, folder: Path, remote: str, environment: Mapping[str, str]) -> None:
        """`folder`: from where relative paths count, and whose repository names the remote. Raises InputError."""
        self._program = _found(environment)
        self._folder = folder
        self._environment = _plain(environment)
        self._home = _home()
        self._repository = Path(self._home.name) / "state.git"
        try:
            settings = self._access()
            self._url = self._resolved(remote)
            self._set({**_SETTINGS, **settings})
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Throw the repository away."""
        with suppress(OSError):
            self._home.cleanup()

    @property
    def shown(self) -> str:
        """The remote, without the secrets that may stand in its URL."""
        return self._safe(self._url)

    @property
    def url(self) -> str:
        """Where the remote is; may hold a secret."""
        return self._url

    # — here —

    def local(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a command says that needs no network; raises StateError where it fails, which only a full disk makes."""
        ended = self.asked(*arguments, given=given)
        if not ended.is_done:
            detail = f"{self._home.name}: git {arguments[0]}: {ended.said or 'it took too long'}"
            raise StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=detail))
        return ended.out

    def asked(self, *arguments: str, given: bytes = b"") -> Ended:
        """What a command came to that needs no network."""
        return self._run(("--git-dir", str(self._repository), *arguments), given, _LOCAL_SECONDS)

    def ref(self, name: str) -> str:
        """The commit that a name in our own repository stands for, which has one."""
        return (self._repository / name).read_text().strip()

    # — there —

    def remote(self, *arguments: str) -> Ended:
        """What a command came to that goes to the remote, in time or not; raises InputError where git is too old."""
        ended = self._run(("--git-dir", str(self._repository), *arguments), b"", _REMOTE_SECONDS)
        if ended.code == _USAGE:
            self._check_version()
        return ended

    def failed(self, ended: Ended) -> StateError:
        """The error for a way to the remote that did not lead there."""
        if ended.code is None:
            detail = f"{self.shown}: no answer within {_REMOTE_SECONDS:.0f} s"
            return StateError(Diagnostic(code=codes.STATE_UNREACHABLE, detail=detail))
        if ended.is_unwritable:
            return StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=f"{self._home.name}: {ended.said}"))
        fitting = (code for code, words in _MEANINGS.items() if re.search(words, ended.said, re.IGNORECASE))
        code = next(fitting, codes.STATE_UNREACHABLE)
        return StateError(Diagnostic(code=code, detail=f"{self.shown}: {ended.said or 'git says nothing'}"))

    # — how —

    def _check_version(self) -> None:
        said = self._run(("--version",), b"", _LOCAL_SECONDS).out.decode(errors="replace")
        found = re.search(r"(\d+)\.(\d+)", said)
        if found is None or (int(found[1]), int(found[2])) < _OLDEST:
            detail = f"{said.strip() or 'git says no version'}, needed is {'.'.join(map(str, _OLDEST))} or newer"
            raise InputError(Diagnostic(code=codes.GIT_UNFIT, detail=visible(detail)))

    def _resolved(self, remote: str) -> str:
        """The URL of a remote of the project's repository, or the one that `remote` is."""
        if ":" in remote or "/" in remote:
            return remote
        ended = self._run(("remote", "get-url", "--push", "--", remote), b"", _LOCAL_SECONDS)
        if not ended.is_done:
            raise InputError(Diagnostic(code=codes.STATE_REMOTE, detail=f"remote {remote}: {ended.said}"))
        return ended.out.decode(errors="surrogateescape").rstrip("\n")

    def _access(self) -> dict[str, str]:
        """How the project's repository, where there is one, reaches remotes: tokens of CI often stand there."""
        listed = self._run(("config", "--list", "-z", "--show-scope"), b"", _LOCAL_SECONDS)
        fields = listed.out.decode(errors="surrogateescape").split("\0") if listed.is_done else []
        found = {}
        for scope, entry in zip(fields[::2], fields[1::2], strict=False):
            name, _, value = entry.partition("\n")
            if scope in ("local", "worktree") and _ACCESS.fullmatch(name):
                found[name] = value
        return found

    def _set(self, settings: Mapping[str, str]) -> None:
        """Settings for all that follows, behind those that the environment brings."""
        count = int(self._environment.get("GIT_CONFIG_COUNT") or 0)
        for place, (name, value) in enumerate(settings.items(), count):
            self._environment |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
        self._environment["GIT_CONFIG_COUNT"] = str(count + len(settings))

    def _run(self, arguments: tuple[str, ...], given: bytes, seconds: float) -> Ended:
        # A session of its own: no terminal to ask on, no signal that is meant for the run; killed with all its helpers.
        process = subprocess.Popen(  # noqa: S603 - no shell, and no argument that comes first is the user's
            (self._program, *arguments),
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            try:
                out, said = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                process.communicate()
                return Ended(None, b"", "")
            except BaseException:
                _end(process)
                raise
        text = said.decode(errors="replace")
        return Ended(process.returncode, out, self._safe(text), self._is_about_here(text))

    def _is_about_here(self, said: str) -> bool:
        ours = [line for line in said.splitlines() if not line.startswith(_MARK)]
        return any(self._home.name in line or _NO_ROOM.search(line) for line in ours)

    def _safe(self, said: str) -> str:
        """What may be shown of it: one line, no secret, nothing that a terminal obeys."""
        lines = [line.removeprefix(_MARK).strip() for line in said.splitlines()]
        told = "; ".join(line for line in lines if line and not line.startswith(_NOISE))
        plain = visible(_SECRET.sub("", told))
        return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"


def _home() -> tempfile.TemporaryDirectory[str]:
    """A folder with a bare repository as `git init` makes it; raises StateError where there is no room for it."""
    try:
        home = tempfile.TemporaryDirectory(prefix="smsdeclare-")
    except OSError as error:
        raise _unwritable(error) from None
    try:
        repository = Path(home.name) / "state.git"
        for name in ("objects", "refs"):
            (repository / name).mkdir(parents=True)
        (repository / "HEAD").write_text("ref: refs/heads/none\n")
        (repository / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    except OSError as error:
        home.cleanup()
        raise _unwritable(error) from None
    return home


def _unwritable(error: OSError) -> StateError:
    detail = f"{error.filename or 'the folder for temporary files'}: {error.strerror}"
    return StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=visible(detail)))


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _found(environment: Mapping[str, str]) -> str:
    program = shutil.which("git", path=environment.get("PATH"))
    if program is None:
        raise InputError(Diagnostic(code=codes.GIT_UNFIT, detail="there is no command git"))
    return program


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is about another repository, and without who would ask a person."""
    kept = {name: value for name, value in environment.items() if not _ELSEWHERE.fullmatch(name)}
    if not kept.get("CI"):
        # In CI it is a script that knows the token; elsewhere, a window.
        kept["GIT_ASKPASS"] = ""
    return kept | _ALONE
