"""Bad flags of every command end in one clear message, and nothing is written."""

import importlib
import sys

import pytest

ID = "Lightbulb/NewsSummariser-v0"
TOOLS = {
    "checker without an id": ("lightbulb_envs.checker.__main__", [], "are required: id"),
    "checker of an unknown id": (
        "lightbulb_envs.checker.__main__",
        ["Lightbulb/No-v0"],
        "lightbulb: no environment is called 'Lightbulb/No-v0': there are Lightbulb/",
    ),
    "checker of an unknown law": (
        "lightbulb_envs.checker.__main__",
        [ID, "--laws", "gravity"],
        "invalid choice: 'gravity' (choose from",
    ),
    "checker with half a keyword": (
        "lightbulb_envs.checker.__main__",
        [ID, "--settings", "level"],
        "--settings takes NAME=VALUE, got 'level'",
    ),
    "replay of nothing": ("lightbulb_envs.replay", [], "are required: FILE"),
    "replay of a missing file": (
        "lightbulb_envs.replay",
        ["no.jsonl"],
        "lightbulb: no.jsonl cannot be read (No such file or directory): give a file of episode",
    ),
    "replay with a strange tolerance": (
        "lightbulb_envs.replay",
        ["--tolerance", "much", "no.jsonl"],
        "argument --tolerance: invalid float value: 'much'",
    ),
    "replay of an unknown module": (
        "lightbulb_envs.replay",
        ["--import", "nowhere_at_all", "no.jsonl"],
        "--import nowhere_at_all cannot be imported (No module named 'nowhere_at_all'): is its",
    ),
    "show of an unknown level": (
        "lightbulb_envs.show",
        ["--level", "9"],
        "argument --level: invalid choice: 9 (choose from 0, 1, 2, 3, 4, 5)",
    ),
    "show before the first": (
        "lightbulb_envs.show",
        ["--first", "-1"],
        "--first and --count must be 0 or more",
    ),
    "golden with a flag": ("lightbulb_envs.golden", ["--all"], "unrecognized arguments: --all"),
    "gallery with a flag": ("lightbulb_envs.gallery", ["--all"], "unrecognized arguments: --all"),
    "train with an unknown flag": (
        "lightbulb_agents.train",
        ["--speed", "9"],
        "Unrecognized options: --speed",
    ),
    "train with an unknown id": (
        "lightbulb_agents.train",
        ["--env", "No-v0"],
        "lightbulb: no environment is called 'No-v0'",
    ),
    "train with a strange budget": (
        "lightbulb_agents.train",
        ["--budget", "soon"],
        """lightbulb: budget must be "short", "long" or a number of steps, got 'soon'""",
    ),
    "train with too few rows": ("lightbulb_agents.train", ["--rows", "1"], "must be 2 or more"),
    "train with too many rows": (
        "lightbulb_agents.train",
        ["--rows", "100000000000"],
        "rows must be 65536 or less",
    ),
    "train with too many threads": (
        "lightbulb_agents.train",
        ["--threads", "100000"],
        "threads must be 1024 or less",
    ),
    "train too wide": (
        "lightbulb_agents.train",
        ["--sizes.width", "100000000"],
        "width must be 8192 or less",
    ),
    "train with a backbone that is none": (
        "lightbulb_agents.train",
        ["--backbone", "gpt"],
        "lightbulb: backbone must be one of bag, transformer, mamba, mamba2, language:tiny, "
        "language:small, language:base, language:1b, or hf: and the folder of a model, got 'gpt'",
    ),
    "train on a missing file": (
        "lightbulb_agents.train",
        ["--source.train", "jsonl:no.jsonl"],
        "lightbulb: source names 'no.jsonl', which is no file: check the path",
    ),
    "train on a split": (
        "lightbulb_agents.train",
        ["--settings", "split=test"],
        "lightbulb: --settings takes no split: training reads the split train",
    ),
    "train resumes nothing": (
        "lightbulb_agents.train",
        ["--resume"],
        "holds no run to resume: start it without --resume",
    ),
    "evaluate without a run": ("lightbulb_agents.evaluate", [], "Required options"),
    "pretrain on nothing": ("lightbulb_backbones.pretrain", [], "lightbulb: no data: name files"),
    "pretrain on a missing file": (
        "lightbulb_backbones.pretrain",
        ["--data", "nowhere.txt"],
        "lightbulb: nowhere.txt is not there: name a file, a folder, or hub:NAME",
    ),
    "pretrain in no steps": (
        "lightbulb_backbones.pretrain",
        ["--data", "nowhere.txt", "--steps", "0"],
        "steps must be 1 or more, got 0",
    ),
    "evaluate a missing run": (
        "lightbulb_agents.evaluate",
        ["nowhere"],
        "lightbulb: nowhere is no run folder: it holds no run.json; name a folder that",
    ),
    "evaluate no episodes": (
        "lightbulb_agents.evaluate",
        ["nowhere", "--episodes", "0"],
        "lightbulb: episodes must be 1 or more, got 0",
    ),
}
"""Module, arguments, and what is said of them."""


@pytest.mark.parametrize("name", TOOLS)
def test_bad_flags_end_in_one_clear_message_and_write_nothing(name, tmp_path, monkeypatch, capsys):
    module, arguments, message = TOOLS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main()
    told = capsys.readouterr().err
    if isinstance(ended.value.code, str):  # what Python prints before it exits with 1
        told += ended.value.code
    else:
        assert ended.value.code == 2
    assert message in " ".join(told.replace("│", " ").split())
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
