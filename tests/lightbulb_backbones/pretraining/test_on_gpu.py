"""Pretraining on a GPU: it learns, in bfloat16 too, and a stopped run goes on as it was."""

from dataclasses import replace

import pytest
import torch

from lightbulb_backbones import pretrain
from lightbulb_backbones.pretrain import run_pretraining

pytestmark = [
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="torch sees no GPU here: this is not shown"
    ),
    pytest.mark.filterwarnings("default"),  # torch's compiler warns of torch
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns(make_config, precision):
    config = make_config(
        device="cuda",
        precision=precision,
        steps=60,
        optimisation={"learning_rate": 1e-2},
        settings=("hidden_size=32",),  # heads of 16, for which there are kernels
    )
    fewer = replace(config, steps=2, run_folder=config.folder().with_name("fewer"))
    assert run_pretraining(config).loss < run_pretraining(fewer).loss - 0.5


def test_a_run_that_was_stopped_is_gone_on_with(make_config, monkeypatch):
    whole = run_pretraining(make_config("whole", device="cuda", save_every=3))
    config = make_config("parts", device="cuda", save_every=3)
    stopped = pretrain.train

    def train(training, curve, run):
        for _ in range(4):
            training.step()
            if training.steps == 3:
                training.save(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run_pretraining(config)
    monkeypatch.setattr(pretrain, "train", stopped)
    told = run_pretraining(replace(config, resume=True))
    assert told.loss == pytest.approx(whole.loss, rel=1e-4)
