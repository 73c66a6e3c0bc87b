"""What the pages say is what the code does and the committed results hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.pictures import PICTURES
from benchmarks.tables import FILES, filled
from lightbulb_backbones.card import presets_card
from lightbulb_envs.data_flow import data_flow

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", FILES)
def test_tables_are_those_of_the_results(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert filled(text) == text, "run python -m benchmarks.tables"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_those_of_the_results(name):
    drawn = (ROOT / name).read_text(encoding="utf-8")
    assert drawn == PICTURES[name](), "run python -m benchmarks.tables"


def test_the_data_flow_page_is_what_its_command_prints():
    page = (ROOT / "docs/data_flow.md").read_text(encoding="utf-8")
    assert page == data_flow(), "run python -m lightbulb_envs.data_flow > docs/data_flow.md"


def test_the_card_of_the_presets_is_what_its_command_prints():
    page = (ROOT / "docs/language_expert.md").read_text(encoding="utf-8")
    told = "run python -m lightbulb_backbones.card > docs/language_expert.md"
    assert page == presets_card(), told


def test_the_code_of_the_page_of_backbones_runs():
    page = (ROOT / "docs/backbones.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "backbones.md", "exec"), {})
    for name in re.findall(r"`([\w]+\.py)`", page):
        assert (ROOT / "lightbulb_backbones" / name).is_file(), name


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


def test_the_environment_of_contributing_keeps_the_laws_and_is_trained(tmp_path):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "corrections.py").write_text(code, encoding="utf-8")
    env_id = "corrections:Example/Corrections-v0"
    small = "--budget 600 --rows 64 --test-episodes 20 --sizes.width 16"
    told = _run_in_turn(
        tmp_path,
        f"lightbulb_envs.checker {env_id}",
        f"lightbulb_agents.train --env {env_id} --run-folder r {small}",
        "lightbulb_agents.evaluate r --split ood --episodes 20",
        "lightbulb_envs.replay r/episodes.jsonl --import corrections",
    )
    checked, trained, evaluated, replayed = told
    assert "17 laws held, 0 broken, 2 not checked" in checked
    assert "spotter" in trained
    assert "spotter" in evaluated
    assert "as recorded" in replayed


def _run_in_turn(folder, *commands):
    """Returns what commands print, run as `python -m` does, but all in one process: most of the
    time that each would take is that of its imports."""
    between = "-- the next command --"
    script = f"""
import runpy, sys
for command in {commands!r}:
    sys.argv = command.split()
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert not ended.code, (command, ended)
    print({between!r}, flush=True)
"""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, ''){script}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(between)[:-1]
