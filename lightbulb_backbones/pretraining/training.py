"""Training on what comes next: a step, and everything that is needed to go on after it."""

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from lightbulb_backbones.pretraining.config import PretrainConfig
from lightbulb_backbones.pretraining.generators import generator_states, set_generator_states
from lightbulb_backbones.pretraining.ranks import Ranks
from lightbulb_backbones.pretraining.windows import Windows
from lightbulb_backbones.runs.checkpoint import (
    has_checkpoint,
    latest_checkpoint,
    read_as_checkpoint,
    read_optimizer,
    read_state,
    read_weights,
    write_checkpoint,
)

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_WITHOUT_DECAY = ("A_log", "D")
"""Mamba's decay rates and skips (its authors' code)."""
REMEDY = "lower --optimisation.learning-rate, or raise --optimisation.warmup"
"""What helps where a loss is not finite."""


class NotFiniteError(ValueError):
    """A loss or gradient is no number any more; the message says where, and what is left."""


class Pretraining:
    """A model, its optimizer, and where it is in the data.

    Args:
        model: a causal language model, on its device; its weights are spread over `ranks` already.
        windows: of all processes.
    """

    def __init__(self, config: PretrainConfig, model: Any, windows: Windows, ranks: Ranks):
        if config.batch % (config.accumulate * ranks.count):
            raise ValueError(
                f"batch must be a multiple of the {ranks.count} processes times "
                f"accumulate={config.accumulate}, got {config.batch}"
            )
        self.config = config
        self.model = model
        self.windows = windows
        self.ranks = ranks
        chosen = config.optimisation
        self.optimizer = torch.optim.AdamW(
            _groups(model, chosen.weight_decay),
            lr=chosen.learning_rate,
            betas=(chosen.beta1, chosen.beta2),
        )
        self.steps = 0
        self.seconds = 0.0
        self.losses: list[float] = []
        """Of the steps since the last point of the learning curve."""
        self._due: tuple[Path, dict[str, Any]] | None = None
        """The run and the state of a checkpoint that the next step writes."""

    def step(self) -> dict[str, float]:
        """Takes a step; returns what it measured. A checkpoint that is due is written first.

        Raises:
            NotFiniteError: the loss or the gradient is not finite; the weights are as before.
        """
        config, ranks = self.config, self.ranks
        rate = learning_rate(config, self.steps)
        self.model.train()
        windows = torch.from_numpy(self.windows.take(config.batch))
        own = windows.chunk(ranks.count)[ranks.own].to(ranks.device)
        loss, predicting = torch.zeros(2, device=ranks.device)
        for part in own.chunk(config.accumulate):
            with self._precision():
                told = self.model(part, labels=part)
            part_loss = told.loss / config.accumulate
            part_loss.backward()
            routing = getattr(told, "router_loss", None)
            loss += part_loss.detach()
            predicting += part_loss.detach()
            if routing is not None:
                predicting -= routing.detach() / config.accumulate
        most = config.optimisation.max_grad_norm
        norm: Any = nn.utils.clip_grad_norm_(self.model.parameters(), most)
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        measured = {
            "loss": ranks.mean(loss),
            "train_loss": ranks.mean(predicting),
            "gradient_norm": float(norm),
            "learning_rate": rate,
        }
        self._check(measured)
        self._write_due()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1
        self.losses.append(measured["train_loss"])
        return {**measured, "steps": self.steps, "tokens": self.steps * windows.numel()}

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        if self.config.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.ranks.device.type, dtype=torch.bfloat16)

    def _check(self, measured: Mapping[str, float]) -> None:
        for name in ("loss", "gradient_norm"):
            if not math.isfinite(measured[name]):
                raise NotFiniteError(
                    f"{name} became {measured[name]} in step {self.steps + 1:,}, at "
                    f"{self.windows.place()}: nothing was learnt from it; {REMEDY}"
                )

    @property
    def is_done(self) -> bool:
        """Whether all steps are taken."""
        return self.steps >= self.config.steps

    def whole(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Returns all weights and the optimizer's state, by names; empty but on the first rank."""
        told: Any = get_state_dict(self.model, self.optimizer, options=_WHOLE)
        weights, optimizer = told
        for name in getattr(self.model, "_tied_weights_keys", None) or ():
            weights.pop(name, None)
        return weights, optimizer

    def save(self, run: Path) -> None:
        """Writes a checkpoint of now: in the next step, or at once if there is none.

        The next step finds a finite loss and gradient with these weights before it writes them; if
        it does not, an update has ruined them, and there is no checkpoint.
        """
        state = {
            "steps": self.steps,
            "seconds": self.seconds,
            "losses": [*self.losses],
            "windows": self.windows.state(),
            "torch": self.ranks.gather(generator_states(self.ranks.device)),
        }
        self._due = run, state
        if self.is_done:
            self._write_due()

    def _write_due(self) -> None:
        if self._due is None:
            return
        run, state = self._due
        self._due = None
        weights, optimizer = self.whole()
        if self.ranks.is_first:
            write_checkpoint(run, state["steps"], weights, optimizer, state)

    def restore(self, run: Path) -> None:
        """Goes back to the run's last checkpoint.

        Raises:
            ValueError: it is damaged, or of another number of processes.
        """
        checkpoint = latest_checkpoint(run)
        weights = read_weights(checkpoint)
        with read_as_checkpoint(checkpoint / "state.json"):
            state = read_state(checkpoint)
            optimizer = read_optimizer(checkpoint, state["optimizer"])
            generators = state["torch"]
            if len(generators) != self.ranks.count:
                raise ValueError(
                    f"it was written by {len(generators)} processes and would be gone on with by "
                    f"{self.ranks.count}: start as many"
                )
            self.windows.set_state(state["windows"])
            set_generator_states(generators[self.ranks.own], self.ranks.device)
            self.steps, self.seconds = state["steps"], state["seconds"]
            self.losses = state["losses"]
        self._check_fit(weights, checkpoint)
        for tied, own in (getattr(self.model, "_tied_weights_keys", None) or {}).items():
            weights[tied] = weights[own]
        # What has learnt nothing yet, such as a retriever without an index, has no state.
        options = StateDictOptions(full_state_dict=True, strict=False)
        set_state_dict(
            self.model,
            self.optimizer,
            model_state_dict=dict(weights),
            optim_state_dict=optimizer,
            options=options,
        )

    def _check_fit(self, weights: Mapping[str, Tensor], checkpoint: Path) -> None:
        tied = getattr(self.model, "_tied_weights_keys", None) or {}
        own = {
            name: tuple(weight.shape)
            for name, weight in self.model.state_dict().items()
            if name not in tied
        }
        found = {name: tuple(weight.shape) for name, weight in weights.items()}
        if own != found:
            others = sorted(name for name, _ in own.items() ^ found.items())
            raise ValueError(
                f"{checkpoint} is of another model: {len(others)} weights are of other sizes or "
                f"missing, such as {others[0]}; give the flags that the run was started with"
            )


def learning_rate(config: PretrainConfig, steps: int) -> float:
    """Returns the step size after so many steps."""
    chosen = config.optimisation
    if steps < chosen.warmup:
        return chosen.learning_rate * (steps + 1) / chosen.warmup
    done = (steps - chosen.warmup) / max(config.steps - chosen.warmup, 1)
    share = chosen.least + (1 - chosen.least) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return chosen.learning_rate * share


def where(run: Path) -> str:
    """Returns what a run that stopped has left."""
    if not has_checkpoint(run):
        return f"{run} holds no checkpoint yet"
    return f"the last good checkpoint is {latest_checkpoint(run)}"


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_plain = parameter.ndim < 2 or name.rpartition(".")[2] in _WITHOUT_DECAY
        (others if is_plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
