"""Other people's code needs `import lightbulb_envs` and nothing else of ours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"tests"}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.name)
def test_these_files_import_nothing_of_ours_but_lightbulb_envs(path):
    assert {"lightbulb_envs", "lightbulb_agents", "lightbulb_backbones"} <= OURS
    imported = set(_imported(ast.parse(path.read_text(encoding="utf-8"))))
    ours = {name for name in imported if name.partition(".")[0] in {"", *OURS}}
    assert ours <= {"lightbulb_envs"}
