"""The modules load from disk without a network, and say what our own functions say."""

import subprocess
import sys

import numpy as np
import pytest

from lightbulb_envs import make_engine
from lightbulb_envs.evaluate_modules import NAMES, module_path
from lightbulb_envs.metrics import calibration_error, macro_f1
from lightbulb_envs.rewards.rouge import score

PREDICTIONS = ["A bridge was opened.", "Nobody came to it."]
REFERENCES = ["The bridge was opened on Monday.", "Nobody came."]


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Loads a module into a cache that is not the user's."""
    evaluate = pytest.importorskip("evaluate")
    folder = tmp_path_factory.mktemp("evaluate")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("evaluate.config.HF_MODULES_CACHE", str(folder / "modules"))
        yield lambda name: evaluate.load(module_path(name), cache_dir=str(folder / "cache"))


@pytest.mark.filterwarnings("ignore")
def test_rouge_is_that_of_our_own(load):
    rouge = load("lightbulb_rouge")
    found = rouge.compute(predictions=PREDICTIONS, references=REFERENCES)
    both = [score(one, other) for one, other in zip(PREDICTIONS, REFERENCES, strict=True)]
    for kind in ("rouge1", "rouge2", "rougeL"):
        assert found[kind] == pytest.approx(np.mean([one[kind].fmeasure for one in both]))
    single = rouge.compute(
        predictions=PREDICTIONS, references=REFERENCES, kinds=["rouge1"], use_stemmer=True,
        use_aggregator=False,
    )  # fmt: skip
    assert list(single) == ["rouge1"]
    assert len(single["rouge1"]) == 2


@pytest.mark.filterwarnings("ignore")
def test_facts_are_those_of_the_environment(load):
    facts = load("lightbulb_facts")
    engine = make_engine(
        "Lightbulb/NewsSummariser-v0", 3, split="test", reward={"fact_f1": 1.0}, budget=4
    )
    rows, drafts = np.arange(3), [[0, 2], [1], [3, 4, 5]]
    engine.reset(rows, rows)
    for row, draft in enumerate(drafts):
        for sentence in draft:
            engine.step(np.array([row]), np.array([sentence]))
    earned = [sum(engine.scores(row).values()) for row in range(3)]
    found = facts.compute(predictions=drafts, references=[0, 1, 2])
    assert found["fact_f1"] == pytest.approx(np.mean(earned))
    with pytest.raises(ValueError, match="draft 0 names sentence 99, and instance 0 has"):
        facts.compute(predictions=[[99]], references=[0])


@pytest.mark.filterwarnings("ignore")
def test_labels_are_measured_as_we_do(load):
    sentiment = load("lightbulb_sentiment")
    truth, told, sure = [0, 0, 1, 1], [0, 1, 1, 1], [0.9, 0.6, 0.8, 0.7]
    plain = sentiment.compute(predictions=told, references=truth)
    assert plain == {"accuracy": 0.75, "macro_f1": macro_f1(truth, told)}
    found = sentiment.compute(predictions=told, references=truth, confidences=sure)
    assert found["calibration_error"] == calibration_error(sure, [1, 0, 1, 1])


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no module is called 'rouge': there are lightbulb_rouge"):
        module_path("rouge")


@pytest.mark.slow
def test_a_process_without_a_network_loads_them(tmp_path):
    code = f"""
import socket
def refuse(*_, **__): raise OSError("no network")
socket.create_connection = socket.getaddrinfo = refuse
import evaluate
from lightbulb_envs.evaluate_modules import module_path
for name in {NAMES!r}: print(evaluate.load(module_path(name)).name)
"""
    surroundings = {"PATH": "", "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False,
        env=surroundings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(NAMES)
