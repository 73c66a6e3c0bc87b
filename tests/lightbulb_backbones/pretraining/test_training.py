"""A step learns the same however it is divided, and a run that stops goes on as if it had not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lightbulb_backbones import pretrain
from lightbulb_backbones.pretrain import make_language_expert, run_pretraining
from lightbulb_backbones.pretraining import curve
from lightbulb_backbones.pretraining.config import Optimisation, PretrainConfig
from lightbulb_backbones.pretraining.ranks import Ranks, find_device
from lightbulb_backbones.pretraining.reading import learn_tokenizer, open_windows
from lightbulb_backbones.pretraining.training import NotFiniteError, Pretraining, learning_rate
from lightbulb_backbones.runs.checkpoint import latest_checkpoint
from lightbulb_backbones.runs.metrics import read_metrics

QUIET = ("router_noise=0", "jitter=0", "balance=0")
"""Nothing is drawn in training, and no loss depends on which windows are read together."""


def _training(config: PretrainConfig) -> Pretraining:
    tokenizer = learn_tokenizer(config.text, 300)
    windows, _ = open_windows(config.text, tokenizer, config.seed)
    torch.manual_seed(config.seed)
    model = make_language_expert(config, tokenizer)
    return Pretraining(config, model, windows, Ranks(torch.device("cpu")))


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(latest_checkpoint(run) / "network.safetensors")


def test_the_step_size_rises_and_falls_as_half_a_cosine():
    config = PretrainConfig(
        steps=12, optimisation=Optimisation(learning_rate=1.0, warmup=2, least=0.2)
    )
    rates = [learning_rate(config, steps) for steps in range(13)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[7] == pytest.approx(0.6)
    assert rates[12] == pytest.approx(0.2)
    assert rates[1:] == sorted(rates[1:], reverse=True)


def test_only_matrices_decay_and_of_mamba_neither_rates_nor_skips(make_config):
    training = _training(make_config())
    decays = {
        id(parameter): group["weight_decay"]
        for group in training.optimizer.param_groups
        for parameter in group["params"]
    }
    for name, parameter in training.model.named_parameters():
        is_plain = parameter.ndim < 2 or name.endswith("A_log")
        assert decays.pop(id(parameter)) == (0.0 if is_plain else 0.1), name
    assert not decays


def test_a_step_in_parts_is_the_step(make_config):
    whole = _training(make_config(settings=QUIET))
    parts = _training(make_config(settings=QUIET, accumulate=2))
    for _ in range(3):
        told = whole.step(), parts.step()
        assert told[0]["loss"] == pytest.approx(told[1]["loss"], rel=1e-5)
        assert told[0]["gradient_norm"] == pytest.approx(told[1]["gradient_norm"], rel=1e-3)


def test_the_loss_that_is_told_leaves_out_the_routers_and_falls(make_config):
    training = _training(make_config(steps=40, optimisation={"learning_rate": 1e-2}))
    told = [training.step() for _ in range(40)]
    for one in told:
        assert one["train_loss"] < one["loss"]
    assert np.mean([one["train_loss"] for one in told[-5:]]) < told[0]["train_loss"] - 1


def test_layers_that_are_computed_again_learn_the_same(make_config):
    plain = _training(make_config(settings=QUIET))
    again = _training(make_config(settings=QUIET))
    again.model.activation_checkpointing_enable()
    for _ in range(2):
        assert plain.step()["gradient_norm"] == pytest.approx(
            again.step()["gradient_norm"], rel=1e-5
        )


def test_half_precision_computes_with_less_and_learns_whole_weights(make_config):
    training = _training(make_config(precision="bf16", settings=QUIET))
    exact = _training(make_config(settings=QUIET))
    told = training.step(), exact.step()
    assert told[0]["loss"] == pytest.approx(told[1]["loss"], rel=1e-2)
    assert told[0]["loss"] != told[1]["loss"]
    assert {parameter.dtype for parameter in training.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_run_that_stopped_ends_as_one_that_did_not(make_config, monkeypatch, stop):
    run_pretraining(make_config("whole"))

    class StoppedError(Exception):
        pass

    with monkeypatch.context() as patch:
        own = Pretraining.step

        def step(self):
            if self.steps == stop:
                raise StoppedError
            return own(self)

        patch.setattr(Pretraining, "step", step)
        with pytest.raises(StoppedError):
            run_pretraining(make_config("stopped"))
    run_pretraining(make_config("stopped", resume=True))
    whole, stopped = (make_config(name).folder() for name in ("whole", "stopped"))
    expected = _weights(whole)
    for name, weight in _weights(stopped).items():
        assert torch.equal(weight, expected[name]), name
    for one, other in zip(
        read_metrics(whole / "metrics.csv"), read_metrics(stopped / "metrics.csv"), strict=True
    ):
        assert one | {"seconds": ""} == other | {"seconds": ""}
    assert (whole / "samples.jsonl").read_text() == (stopped / "samples.jsonl").read_text()


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(
    make_config, monkeypatch
):
    own = pretrain.make_language_expert

    def breaking(config, tokenizer):
        model = own(config, tokenizer)
        calls = []

        def hook(module, inputs, output):
            if not module.training:
                return
            calls.append(1)
            if len(calls) == 5:
                output.loss = output.loss * float("nan")

        model.register_forward_hook(hook)
        return model

    config = make_config()
    with pytest.raises(NotFiniteError) as told:
        run_pretraining(config, breaking)
    message = str(told.value)
    assert "loss became nan in step 5, at window 20 of epoch 0" in message
    # With the weights of step 4 no loss was ever finite.
    assert f"the last good checkpoint is {config.folder() / 'checkpoints' / '000000000002'}" in (
        message
    )
    assert all(weight.isfinite().all() for weight in _weights(config.folder()).values())


def test_weights_that_an_update_ruined_are_in_no_checkpoint(make_config, monkeypatch):
    keywords = {"save_every": 1, "measure_every": 6}
    run_pretraining(make_config("whole", **keywords))
    config = make_config("ruined", **keywords)
    with monkeypatch.context() as patch:
        patch.setattr(
            "lightbulb_backbones.pretraining.training.learning_rate",
            lambda config, steps: 1e30 if steps == 4 else learning_rate(config, steps),
        )
        with pytest.raises(NotFiniteError, match="in step 6, at .*0004$"):
            run_pretraining(config)
    kept = sorted(one.name for one in (config.folder() / "checkpoints").iterdir())
    assert kept == ["000000000003", "000000000004", "latest.json"]
    run_pretraining(make_config("ruined", resume=True, **keywords))
    expected = _weights(make_config("whole").folder())
    for name, weight in _weights(config.folder()).items():
        assert torch.equal(weight, expected[name]), name


def test_a_validation_loss_that_is_no_number_is_told_before_anything_is_sampled(make_config):
    config = make_config(
        measure_every=1, save_every=1, optimisation={"learning_rate": 1e30, "weight_decay": 0.0}
    )
    with pytest.raises(NotFiniteError) as told:
        run_pretraining(config)
    assert str(told.value) == (
        "the validation loss became nan after step 1: lower --optimisation.learning-rate, or raise "
        f"--optimisation.warmup; {config.folder()} holds no checkpoint yet"
    )
    assert (config.folder() / "samples.jsonl").read_text() == ""


def test_a_loss_that_is_no_number_at_once_leaves_no_checkpoint(make_config):
    config = make_config(optimisation={"learning_rate": 1e30, "warmup": 0, "weight_decay": 0.0})
    with pytest.raises(NotFiniteError, match="holds no checkpoint yet"):
        run_pretraining(config)


def test_a_checkpoint_of_another_model_is_told(make_config):
    run_pretraining(make_config())
    training = _training(make_config(settings=("hidden_size=8",)))
    before = {name: weight.clone() for name, weight in training.model.state_dict().items()}
    with pytest.raises(ValueError, match="000006 is of another model: .* weights are of other"):
        training.restore(make_config().folder())
    for name, weight in training.model.state_dict().items():
        assert torch.equal(weight, before[name])


def test_samples_draw_nothing_from_the_run(make_config, monkeypatch):
    run_pretraining(make_config("often", measure_every=1))
    run_pretraining(make_config("seldom", measure_every=6))
    often, seldom = (_weights(make_config(name).folder()) for name in ("often", "seldom"))
    for name, weight in often.items():
        assert torch.equal(weight, seldom[name]), name
    lines = (make_config("often").folder() / "samples.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in lines]
    assert [sample["steps"] for sample in samples] == [1, 2, 3, 4, 5, 6]
    assert all(sample["text"].startswith("The ") for sample in samples)


def test_a_batch_that_cannot_be_divided_is_told(make_config, monkeypatch):
    with pytest.raises(ValueError, match="batch must be a multiple of accumulate=3, got 4"):
        make_config(accumulate=3)
    config = make_config()
    training = _training(config)
    monkeypatch.setattr(training.ranks, "count", 3)
    with pytest.raises(ValueError, match="a multiple of the 3 processes times accumulate=1, got 4"):
        Pretraining(config, training.model, training.windows, training.ranks)


def test_a_device_that_is_not_there_is_told():
    assert find_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match='device must be "auto", "cpu" or "cuda", got \'tpu\''):
        find_device("tpu")
    if not torch.cuda.is_available():
        assert find_device("auto") == torch.device("cpu")
        with pytest.raises(ValueError, match="torch sees no GPU here"):
            find_device("cuda")


def test_a_sample_that_was_cut_off_is_dropped(tmp_path):
    path = tmp_path / "samples.jsonl"
    path.write_text('{"steps": 1, "text": "a"}\n{"steps": 2, "te')
    assert curve._read_samples(path) == [{"steps": 1, "text": "a"}]
    path.write_text('{"steps": 1, "te\n{"steps": 2, "text": "a"}\n')
    with pytest.raises(ValueError, match="samples.jsonl, line 1: .*; remove the line"):
        curve._read_samples(path)
    assert curve._read_samples(tmp_path / "none") == []


def _run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("resumed", [False, True])
def test_two_processes_learn_what_one_does(make_config, text_file, tmp_path, resumed):
    settings = ("router_noise=0", "jitter=0")
    other = tmp_path / "other.txt"
    other.write_text("The mayor of town 7 is Ada. The mayor of town 8 is Bo.")
    text = {"passages": (str(other),), "passage_length": 20}
    run_pretraining(make_config("one", settings=settings, text=text))
    config = make_config("two", settings=settings)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
        *("--standalone", "-m", "lightbulb_backbones.pretrain"),
        *("--data", str(text_file), "--tokenizer", "characters", "--length", "24"),
        *("--passages", str(other), "--passage-length", "20"),
        *("--optimisation.warmup", "2", "--steps", "6", "--batch", "4"),
        *("--measure-every", "3", "--save-every", "2", "--run-folder", str(config.folder())),
        *("--settings", *config.settings),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    _run(command, environment)
    if resumed:
        for name in ("latest.json", "000000000006"):
            path = config.folder() / "checkpoints" / name
            if path.is_dir():
                for file in path.iterdir():
                    file.unlink()
                path.rmdir()
            else:
                path.unlink()
        _run([*command, "--resume"], environment)
    one = make_config("one").folder()
    expected = _weights(one)
    found = _weights(config.folder())
    assert found.keys() == expected.keys()
    for name, weight in found.items():
        assert torch.allclose(weight, expected[name], atol=1e-5), name
    for ours, theirs in zip(
        read_metrics(one / "metrics.csv"),
        read_metrics(config.folder() / "metrics.csv"),
        strict=True,
    ):
        for name in ("train_loss", "validation_loss", "gradient_norm"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=1e-4), name
