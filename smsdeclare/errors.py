"""One root; each child is one kind of failure and carries its exit code.

SmsdeclareError
├── InputError      1  files, arguments, credentials: nothing was done
├── StateError      1  the state can't be read, written or trusted
├── ProviderError   1  the provider refused or is out of reach
├── PolicyRefused   5  the plan breaks a rule of the project
├── Held            6  another run holds the state, or it is stopped
├── PlanStale       7  the plan is not the approved one
├── Declined        8  the person at the prompt said no
└── Interrupted   130
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from smsdeclare.diagnostics import Diagnostic


class SmsdeclareError(Exception):
    """The root. Carries at least one diagnostic; its text is the first one's message."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(diagnostics[0].message if diagnostics else self.__class__.__name__)
        self.diagnostics = diagnostics


class InputError(SmsdeclareError):
    """What the user wrote, typed or set is wrong; nothing was done."""


class StateError(SmsdeclareError):
    """The state can't be read, written or trusted."""


class ProviderError(SmsdeclareError):
    """The provider refused a request as a whole or is out of reach."""


class PolicyRefused(SmsdeclareError):
    """The plan breaks a rule of the project; nothing was sent."""

    exit_code = 5


class Held(SmsdeclareError):
    """Another run holds the state, or it is stopped."""

    exit_code = 6


class PlanStale(SmsdeclareError):
    """The plan is not the approved one; nothing was sent."""

    exit_code = 7


class Declined(SmsdeclareError):
    """The person at the prompt said no; nothing was sent."""

    exit_code = 8


class Interrupted(SmsdeclareError):
    """A signal ended the run; what was done is recorded."""

    exit_code = 130
