"""The processes that train one model together, started by `torchrun`; or one process, alone.

Weights, gradients and the optimizer's numbers are spread over them by FSDP2 (`fully_shard`): a
process holds its share, and a layer's weights come together while it computes. Every process must
then compute the same layers in the same order, which the language expert does in training: an
expert that no text of a process goes to reads none there.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn


class Ranks:
    """How many processes there are, and which this one is.

    Args:
        device: that this process computes on.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.own = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    @property
    def is_first(self) -> bool:
        """Whether this process writes and tells."""
        return self.own == 0

    def shard(self, model: nn.Module, layers: Sequence[nn.Module]) -> None:
        """Spreads a model's weights over the processes, those of some of its layers apart."""
        if self.count == 1:
            return
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self.device.type, (self.count,))
        for layer in layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)

    def mean(self, value: Tensor) -> float:
        """Returns the mean of what the processes have."""
        value = value.detach().clone().double()
        if self.count > 1:
            distributed.all_reduce(value)
        return float(value) / self.count

    def gather(self, value: Any) -> list[Any]:
        """Returns what every process has, of plain data."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value)
        return found

    def close(self) -> None:
        """Parts from the other processes."""
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()


def leave() -> None:
    """Ends this process at once if it is one of several, when all is written and told.

    Threads of torch.distributed that are left at the interpreter's own end abort it now and then,
    with "terminate called without an active exception".
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def find_device(name: str) -> torch.device:
    """Returns the device that a name stands for, and of several GPUs this process's.

    Raises:
        ValueError: there is no GPU, or no such name.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device must be "auto", "cpu" or "cuda", got {name!r}')
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ValueError('device="cuda", and torch sees no GPU here: take --device cpu')
    if name == "cpu" or not has_gpu:
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device
