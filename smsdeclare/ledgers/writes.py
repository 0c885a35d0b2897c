"""Writes of a ledger: each is whole, so that a store that others have changed meanwhile can do it again on theirs."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import timedelta

_P = ParamSpec("_P")
_R = TypeVar("_R")
_W = TypeVar("_W", bound="Writing")


class Writing:
    """A database commits each write by itself; a store that keeps a file elsewhere has its own way."""

    #: For so long after a claim its requests may be signed; None: each is signed in its claim.
    signs_within: timedelta | None = None

    def gathering(self) -> AbstractContextManager[None]:
        """Inside, writes that may wait come on record with the next that may not, or at the end."""
        return nullcontext()

    def _write(self, work: Callable[[], _R], *, may_wait: bool) -> _R:  # noqa: ARG002 - a database never waits
        """Do one write; all that it rests on is read inside."""
        return work()


def at_once(method: Callable[Concatenate[_W, _P], _R]) -> Callable[Concatenate[_W, _P], _R]:
    """A write that is durable when it returns."""
    return _written(method, may_wait=False)


def may_wait(method: Callable[Concatenate[_W, _P], _R]) -> Callable[Concatenate[_W, _P], _R]:
    """A write that is durable when it returns, or at the end of `gathering`: lost, it is only to be found out again."""
    return _written(method, may_wait=True)


def _written(method: Callable[Concatenate[_W, _P], _R], *, may_wait: bool) -> Callable[Concatenate[_W, _P], _R]:
    @wraps(method)
    def write(self: _W, /, *given: _P.args, **named: _P.kwargs) -> _R:
        return self._write(partial(method, self, *given, **named), may_wait=may_wait)

    return write
