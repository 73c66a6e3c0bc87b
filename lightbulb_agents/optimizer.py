"""How gradients become steps."""

import torch
from tianshou.algorithm.algorithm_base import Algorithm
from tianshou.algorithm.optim import TorchOptimizerFactory
from torch import Tensor


def adam(learning_rate: float, weight_decay: float) -> TorchOptimizerFactory:
    """Returns what makes Adam, with decoupled weight decay (Loshchilov and Hutter 2019)."""
    return TorchOptimizerFactory(
        torch.optim.AdamW, lr=learning_rate, eps=1e-5, weight_decay=weight_decay, fused=True
    )


class Optimizer(Algorithm.Optimizer):
    """Tianshou's, but the weights are looked for once, and not at every step."""

    def __init__(
        self,
        optim: torch.optim.Optimizer,
        module: torch.nn.Module,
        max_grad_norm: float | None = None,
    ):
        super().__init__(optim, module, max_grad_norm)
        self._weights = list(module.parameters())

    def step(
        self, loss: Tensor, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        self._optim.zero_grad()
        loss.backward(retain_graph=retain_graph, create_graph=create_graph)
        if self._max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._weights, self._max_grad_norm)
        self._optim.step()
