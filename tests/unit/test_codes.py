import ast
from pathlib import Path

from smsdeclare import codes
from smsdeclare.codes import all_codes

PACKAGE = Path(codes.__file__).parents[1]


def test_every_code_is_given_once_and_says_what_to_do():
    ids = [code.id for code in all_codes()]
    assert sorted(set(ids)) == ids
    assert not [code.id for code in all_codes() if not code.help.endswith((".", "?")) or code.summary.endswith(".")]


def test_every_code_is_used():
    """`codes.NAME`, anywhere but in the catalog itself."""
    used = {
        node.attr
        for path in PACKAGE.rglob("*.py")
        if PACKAGE / "codes" not in path.parents
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "codes"
    }
    assert [] == [name for name, value in vars(codes).items() if isinstance(value, codes.Code) and name not in used]
