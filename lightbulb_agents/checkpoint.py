"""Checkpoints: safetensors and JSON, written so that a kill at any moment leaves a whole one.

A checkpoint is a folder `checkpoints/STEPS`; `checkpoints/latest.json` names the newest and is
replaced in one move after the folder is on disk. Nothing is ever pickled.
"""

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

_KEPT = 2


def save_checkpoint(
    run: Path,
    steps: int,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
) -> None:
    """Writes a checkpoint of the run and forgets all but the last two."""
    root = run / "checkpoints"
    name = f"{steps:012d}"
    unfinished = root / f"{name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(_contiguous(network.state_dict()), unfinished / "network.safetensors")
    tensors, numbers = _split_optimizer(optimizer)
    save_file(tensors, unfinished / "optimizer.safetensors")
    write_json(unfinished / "state.json", {**state, "optimizer": numbers})
    for file in unfinished.iterdir():
        _sync(file)
    final = root / name
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
    _sync(root)
    write_json(root / "latest.json", {"name": name})
    for old in sorted(path for path in root.iterdir() if path.is_dir())[:-_KEPT]:
        shutil.rmtree(old)


def has_checkpoint(run: Path) -> bool:
    """Returns whether there is something to go on from."""
    return (run / "checkpoints" / "latest.json").is_file()


def latest_checkpoint(run: Path) -> Path:
    """Returns the folder of the run's newest checkpoint; FileNotFoundError if there is none."""
    pointer = run / "checkpoints" / "latest.json"
    if not has_checkpoint(run):
        raise FileNotFoundError(f"{run} holds no checkpoint: has its training begun?")
    name = json.loads(pointer.read_text(encoding="utf-8"))["name"]
    return run / "checkpoints" / str(name)


def load_weights(checkpoint: Path, network: nn.Module) -> None:
    """Fills a network with a checkpoint's weights."""
    network.load_state_dict(load_file(checkpoint / "network.safetensors"))


def load_checkpoint(
    checkpoint: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Fills a network and its optimizer, and returns the rest of the state."""
    load_weights(checkpoint, network)
    state = read_state(checkpoint)
    tensors = load_file(checkpoint / "optimizer.safetensors")
    optimizer.load_state_dict(_join_optimizer(tensors, state.pop("optimizer")))
    return state


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Returns what a checkpoint holds besides its tensors."""
    state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    return state


def encode_bytes(tensor: Tensor) -> str:
    """Returns a byte tensor, such as a generator's state, as text."""
    return base64.b64encode(tensor.numpy().tobytes()).decode("ascii")


def decode_bytes(text: str) -> Tensor:
    """Returns the byte tensor of a text."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)


def write_json(path: Path, data: Any) -> None:
    """Writes JSON so that the file is either the old one or the whole new one."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _sync(unfinished)
    unfinished.replace(path)


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _split_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns an optimizer's state as tensors by name, and the rest of it as plain data."""
    state = optimizer.state_dict()
    tensors = {
        f"{number}.{name}": torch.as_tensor(value).contiguous()
        for number, values in state["state"].items()
        for name, value in values.items()
    }
    return tensors, {"groups": state["param_groups"]}


def _join_optimizer(tensors: dict[str, Tensor], rest: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, field = name.partition(".")
        state.setdefault(int(number), {})[field] = tensor
    groups = [
        {name: tuple(value) if name == "betas" else value for name, value in group.items()}
        for group in rest["groups"]
    ]
    return {"state": state, "param_groups": groups}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
