"""OVHcloud's lists of SMS: bare ids are what counts, objects come in pages where the server gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smsdeclare.providers.ovh_answers import Gone, read_listed, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from smsdeclare.provider import Listed

    #: Path and headers → the decoded answer; raises ProviderError.
    Get = Callable[[str, Mapping[str, str]], Any]

#: With fewer ids than this, asking for each costs less than asking whether there are pages.
_FEW = 10
_PAGE = 1000
#: So often a list is begun again because something left it meanwhile.
_PATIENCE = 5


def read_list(get: Get, path: str, query: str = "") -> list[Listed]:
    """Every SMS of a list as it stands now; one that has left it is left out. Raises ProviderError.

    The pages of objects are named `CachedObjectList` and may be old. So the ids come from the plain list, and a
    page only saves asking for each.
    """
    return [one for one in _details(get, path, query) if one is not None]


def read_whole_list(get: Get, path: str) -> list[Listed]:
    """As `read_list`, begun again where something left the list meanwhile: what leaves this one may be in the next."""
    for _ in range(_PATIENCE):
        found = _details(get, path, "")
        if None not in found:
            return [one for one in found if one is not None]
    raise unreadable(f"GET {path}: what it lists goes away faster than it can be read")


def _details(get: Get, path: str, query: str) -> list[Listed | None]:
    ids = get(path + query, {})
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise unreadable("a list of ids was expected")
    paged = _pages(get, path + query, len(ids)) if len(ids) > _FEW else {}
    return [paged[one] if one in paged else _single(get, path, one) for one in ids]


def _single(get: Get, path: str, number: int) -> Listed | None:
    try:
        listed = read_listed(get(f"{path}/{number}", {}))
    except Gone:
        return None
    if listed is None or listed.id != number:
        raise unreadable(f"GET {path}/{number}: an SMS was expected")
    return listed


def _pages(get: Get, path: str, count: int) -> dict[int, Listed]:
    found: dict[int, Listed] = {}
    for page in range(1, count // _PAGE + 2):
        headers = {
            "X-Pagination-Mode": "CachedObjectList-Pages",
            "X-Pagination-Size": str(_PAGE),
            "X-Pagination-Number": str(page),
        }
        rows: Sequence[Any] = get(path, headers)
        listed = [read_listed(row) for row in rows] if isinstance(rows, list) else [None]
        if not all(listed):
            return found
        found |= {one.id: one for one in listed if one is not None}
        if len(rows) < _PAGE:
            break
    return found
