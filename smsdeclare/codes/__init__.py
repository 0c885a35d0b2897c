"""Every diagnostic code, its fixed summary, and what to do about it.

SMS0xx files and YAML · SMS1xx definitions · SMS2xx receivers · SMS3xx texts and options · SMS4xx plans ·
SMS5xx the state · SMS6xx the provider · SMS9xx the command line
"""

from __future__ import annotations

from smsdeclare.codes.code import Code as Code
from smsdeclare.codes.definitions import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.files import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.plans import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.provider import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.receivers import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.state import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.texts import *  # noqa: F403 - each module is a part of one catalog
from smsdeclare.codes.usage import *  # noqa: F403 - each module is a part of one catalog


def all_codes() -> list[Code]:
    """Every code of this module, by its id."""
    return sorted((value for value in globals().values() if isinstance(value, Code)), key=lambda code: code.id)
