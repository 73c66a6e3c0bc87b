"""What the pages say is what the code does and the committed results hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.tables import FILES, PICTURE, filled, learning_picture
from lightbulb_envs.data_flow import data_flow

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", FILES)
def test_tables_are_those_of_the_results(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert filled(text) == text, "run python -m benchmarks.tables"


def test_the_picture_is_that_of_the_results():
    drawn = (ROOT / PICTURE).read_text(encoding="utf-8")
    assert drawn == learning_picture(), "run python -m benchmarks.tables"


def test_the_data_flow_page_is_what_its_command_prints():
    page = (ROOT / "docs/data_flow.md").read_text(encoding="utf-8")
    assert page == data_flow(), "run python -m lightbulb_envs.data_flow > docs/data_flow.md"


def test_the_loop_of_the_readme_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (loop,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", loop], capture_output=True, text=True, check=True)
    assert "reference: " in done.stdout
    assert re.search(r"return -?0\.\d{3}, oracle 0\.\d{3}$", done.stdout.strip())


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_files_that_the_readme_names_are_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w./]+(?:/|\.md|\.txt))`", readme):
        assert (ROOT / name).exists(), name
