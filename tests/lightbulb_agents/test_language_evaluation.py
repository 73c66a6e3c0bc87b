"""A language model is evaluated by the command that evaluates runs, with records that replay."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run, format_table
from lightbulb_agents.evaluate import main as evaluate_main
from lightbulb_agents.language_actor import LanguageActor
from lightbulb_agents.language_folder import load_language_model
from lightbulb_agents.language_model import LanguageConfig
from lightbulb_envs.adapters.text import TextWrapper
from lightbulb_envs.record import read_records
from lightbulb_envs.replay import main as replay_main
from lightbulb_envs.replay import replay
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"
NAME = "language model"


def evaluated(folder, env_id=ID, episodes=5, **settings):
    """Returns the results of a folder's model and the records of its episodes."""
    return evaluate_run(EvaluateConfig(Path(f"hf:{folder}"), env_id, episodes=episodes, **settings))


def test_a_model_that_picks_the_lead_scores_what_the_lead_scores(write_script):
    folder = write_script("0", "I pick sentence 1.", "**2**", "stop")
    results, records = evaluated(folder, episodes=12, language=LanguageConfig(batch=5))
    lead, model = results.entry("lead-3"), results.entry(NAME)
    assert (model.episode_return, model.score) == (lead.episode_return, lead.score)
    assert results.differences[f"{NAME} - lead-3"].mean == 0
    assert {record.actions[:-1] for record in records} == {(0, 1, 2)}
    assert (results.answers.answers, results.answers.refused) == (48, 0)
    assert replay(records).differences == ()


@pytest.mark.parametrize("env_id", tuple(lightbulb_envs.ROWS))
def test_every_id_is_evaluated_as_the_text_wrapper_pays(env_id, write_script):
    script = ("Let me think.", "99", "1", "2", "stop")
    results, records = evaluated(write_script(*script), env_id, episodes=3)
    env = TextWrapper(gymnasium.make(env_id, split="test"))
    returns, refused = [], 0
    for record in records:
        env.reset(options={"instance": record.instance})
        said, ended, rewards = iter((*script, *["stop"] * 99)), False, []
        while not ended:
            _, reward, terminated, truncated, info = env.step(next(said))
            ended = terminated or truncated
            refused += "action" not in info
            rewards.append(reward)
        assert tuple(rewards) == record.rewards
        returns.append(sum(rewards))
    assert results.entry(NAME).episode_return.mean == pytest.approx(np.mean(returns))
    is_free = lightbulb_envs.find_row(env_id).head == "text"  # where any answer is an action
    assert results.answers.refused == refused >= (0 if is_free else 3)
    assert f"{refused} stood for no action" in format_table(results)
    assert replay(records).differences == ()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_real_model_plays_in_batches_as_alone(model_folder, temperature):
    def played(rows, batch):
        engine = lightbulb_envs.make_engine("Lightbulb/SentimentAnalysis-Bandit-v0", rows)
        config = LanguageConfig(batch=batch, max_new_tokens=3, temperature=temperature)
        actor = LanguageActor(load_language_model(model_folder, config), engine)
        return roll_out(actor, engine, np.arange(3), seed=4)

    assert played(1, 1) == played(3, 2)


def test_a_model_that_is_told_the_last_state_alone_is_in_its_first_turn_for_ever(write_script):
    folder = write_script("0", "1", "stop")
    results, records = evaluated(folder, history="state", episodes=2)
    assert all(record.actions[1:] == (0,) * 63 for record in records)
    assert results.answers.illegal == 2 * 63
    assert "history state" in results.notes[-1]


FLAGS = ("--env", "Lightbulb/SentimentAnalysis-Bandit-v0", "--episodes", "3", "--batch", "2")


def test_the_command_writes_results_and_records_that_replay(
    model_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    arguments = ["evaluate", f"hf:{model_folder}", *FLAGS, "--max-new-tokens", "4"]
    monkeypatch.setattr(sys, "argv", arguments)
    evaluate_main()
    told = capsys.readouterr().out
    assert "LlamaForCausalLM, chat template, greedy, answers of up to 4 tokens" in told
    (path,) = (tmp_path / "runs" / "tiny").glob("*.episodes.jsonl")
    records = read_records(path)
    assert len(records) == 3
    results = json.loads((tmp_path / "runs/tiny" / f"{path.name.split('.')[0]}.json").read_text())
    assert results["answers"]["answers"] == sum(len(record.actions) for record in records)
    monkeypatch.setattr(sys, "argv", ["replay", str(path)])
    replay_main()
    assert "Every episode is as recorded" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_warns_of_nothing(model_folder, tmp_path):
    command = [sys.executable, "-W", "error", "-m", "lightbulb_agents.evaluate"]
    done = subprocess.run(
        [*command, f"hf:{model_folder}", *FLAGS, "--max-new-tokens", "4"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_code_of_the_page_runs(model_folder, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs/language_actors.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "model").symlink_to(model_folder)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/language_actors.md", "exec"), {})
    told = capsys.readouterr().out
    assert re.search(r"^mean return -?\d\.\d{3}\n\d+ answers: \d+ stood for no action", told)


def test_the_page_names_flags_that_there_are():
    page = (Path(__file__).parents[2] / "docs/language_actors.md").read_text(encoding="utf-8")
    known = {one.name for config in (EvaluateConfig, LanguageConfig) for one in fields(config)}
    named = {one.replace("-", "_") for one in re.findall(r"--([a-z][a-z-]*)", page)}
    assert named <= known
    assert {one.name for one in fields(LanguageConfig)} <= named


def test_results_are_written_where_they_are_wanted(write_script, tmp_path, monkeypatch, capsys):
    output = tmp_path / "there" / "too"
    flags = ["--env", ID, "--episodes", "2", "--output", str(output), "--form", "chat"]
    monkeypatch.setattr(sys, "argv", ["evaluate", f"hf:{write_script('stop')}", *flags])
    for _ in range(2):
        evaluate_main()
    assert len(list(output.glob("*.json"))) == 2
    assert f"written to {output}" in capsys.readouterr().out


def test_real_text_is_read_too(write_script, news_file):
    folder = write_script("0", "stop")
    results, records = evaluated(folder, source=(f"jsonl:{news_file}",), settings=("budget=2",))
    assert (results.split, results.settings["budget"], len(records)) == ("files", 2, 5)
    assert replay(records).differences == ()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "a language model was trained on none of the environments: name one"),
        (["--env", "Lightbulb/None-v0"], "no environment is called"),
        (["--env", ID, "--settings", "split=ood"], "takes no split: use --split"),
        (["--env", ID, "--batch", "0"], "batch must be 1 or more"),
        (["--env", ID, "--max-new-tokens", "9999"], "and the model reads 8192"),
    ],
)
def test_bad_input_ends_in_one_clear_line(model_folder, monkeypatch, flags, message):
    arguments = ["evaluate", f"hf:{model_folder}", "--episodes", "2", *flags]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match=message):
        evaluate_main()


def test_flags_of_language_models_are_refused_for_runs(tmp_path):
    for settings in ({"history": "state"}, {"language": LanguageConfig(batch=3)}):
        with pytest.raises(ValueError, match="are for language models, hf:FOLDER"):
            evaluate_run(EvaluateConfig(tmp_path, **settings))
