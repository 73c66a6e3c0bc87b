"""Checkpoints: safetensors and JSON, written so that a kill at any moment leaves a whole one.

A checkpoint is a folder `checkpoints/STEPS`, which gets its name when all of it is on disk;
`checkpoints/latest.json` names the newest and is replaced in one move after that. Nothing is ever
pickled. What is damaged is told, with the checkpoint that is whole, and never left out in silence.
"""

import base64
import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from lightbulb_envs.whole_file import explained, write_whole

NETWORK, OPTIMIZER, STATE = "network.safetensors", "optimizer.safetensors", "state.json"
LEARNER = "learner.safetensors"
"""What a learner needs besides to go on, such as a replay; there is none if it needs nothing."""
LATEST = "latest.json"
_UNFINISHED = ".unfinished"
_KEPT = 2
_DAMAGE = (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError)
"""What reading a file raises that is not what was written."""


@runtime_checkable
class SavedOptimizer(Protocol):
    """An optimizer of torch, or several as one."""

    def state_dict(self) -> dict[str, Any]:
        """Returns its state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes back to a state."""
        ...


class DamagedError(ValueError):
    """A file of a run that is not what was written; the message says what to do."""


def save_checkpoint(
    run: Path,
    steps: int,
    network: nn.Module,
    optimizer: SavedOptimizer,
    state: dict[str, Any],
    learner: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes a checkpoint of a network and its optimizer; see `write_checkpoint`."""
    write_checkpoint(run, steps, network.state_dict(), optimizer.state_dict(), state, learner)


def write_checkpoint(
    run: Path,
    steps: int,
    weights: Mapping[str, Tensor],
    optimizer: Mapping[str, Any],
    state: dict[str, Any],
    learner: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes a checkpoint of the run and forgets all but this and the one before it.

    Args:
        optimizer: its state dict, by numbers or names of parameters.
        state: plain data.
        learner: what a learner needs besides to go on.

    Raises:
        OSError: it cannot be written, and why; those that were there still are.
    """
    root = run / "checkpoints"
    name = f"{steps:012d}"
    unfinished = root / f"{name}{_UNFINISHED}"
    final = root / name
    with explained(final):
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            (unfinished / NETWORK).write_bytes(save(_contiguous(weights)))
            tensors, numbers = _split_optimizer(optimizer)
            (unfinished / OPTIMIZER).write_bytes(save(tensors))
            if learner:
                (unfinished / LEARNER).write_bytes(save(_contiguous(learner)))
            names = sorted(learner or {})
            write_json(unfinished / STATE, {**state, "optimizer": numbers, "tensors": names})
            for file in unfinished.iterdir():
                _sync(file)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shutil.rmtree(final, ignore_errors=True)
        unfinished.rename(final)
        _sync(root)
    write_json(root / LATEST, {"name": name})
    kept = [one for one in _finished(root) if one.name <= name][-_KEPT:]
    for old in root.iterdir():
        if old.is_dir() and old not in kept:
            shutil.rmtree(old)


def _finished(root: Path) -> list[Path]:
    """Returns the folders of checkpoints that were written to their end, oldest first."""
    folders = root.iterdir() if root.is_dir() else ()
    return sorted(one for one in folders if one.is_dir() and one.suffix != _UNFINISHED)


def has_checkpoint(run: Path) -> bool:
    """Returns whether there is something to go on from."""
    root = run / "checkpoints"
    return (root / LATEST).is_file() or bool(_finished(root))


def latest_checkpoint(run: Path) -> Path:
    """Returns the folder of the run's newest checkpoint.

    That is the one that latest.json names, and where there is no such file, the newest there is: a
    folder has its name only when it was written to its end.

    Raises:
        FileNotFoundError: the run has none.
        ValueError: latest.json is damaged, or names none that is there.
    """
    root = run / "checkpoints"
    if not has_checkpoint(run):
        raise FileNotFoundError(f"{run} holds no checkpoint: has its training begun?")
    pointer = root / LATEST
    if not pointer.is_file():
        return _finished(root)[-1]
    with read_as_checkpoint(pointer):
        name = str(json.loads(pointer.read_text(encoding="utf-8"))["name"])
        if root / name not in _finished(root):
            raise ValueError(f"it names {name!r}, which is not there")
    return root / name


def load_weights(checkpoint: Path, network: nn.Module) -> None:
    """Fills a network with a checkpoint's weights; ValueError if they are damaged."""
    weights = read_weights(checkpoint)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        run = checkpoint.parent.parent / "run.json"
        raise DamagedError(
            f"{checkpoint / NETWORK} does not fit the network that {run} describes: put a copy of "
            f"that file back as it was ({' '.join(str(error).split())[:300]} …)"
        ) from error


def read_weights(checkpoint: Path) -> dict[str, Tensor]:
    """Returns a checkpoint's weights by name; ValueError if they are damaged or not finite."""
    file = checkpoint / NETWORK
    with read_as_checkpoint(file):
        weights: dict[str, Tensor] = load_file(file)
        for name, weight in weights.items():
            if not torch.isfinite(weight).all():
                raise ValueError(f"{name} holds a number that is not finite")
    return weights


def load_checkpoint(
    checkpoint: Path, network: nn.Module, optimizer: SavedOptimizer
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Fills a network and its optimizer, and returns the rest: plain data, and tensors by name.

    Raises:
        ValueError: a file of the checkpoint is damaged.
    """
    load_weights(checkpoint, network)
    state = read_state(checkpoint)
    with read_as_checkpoint(checkpoint / OPTIMIZER):
        optimizer.load_state_dict(read_optimizer(checkpoint, state.pop("optimizer")))
    wanted = state.pop("tensors", [])
    file = checkpoint / LEARNER
    with read_as_checkpoint(file):
        learner = load_file(file) if wanted else {}
        if sorted(learner) != wanted:
            raise ValueError("it holds other tensors than were written")
    return state, learner


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Returns what a checkpoint holds besides its tensors; ValueError if it is damaged."""
    file = checkpoint / STATE
    with read_as_checkpoint(file):
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(state, dict):
            raise TypeError(f"an object was expected, got {type(state).__name__}")
    return state


@contextlib.contextmanager
def read_as_checkpoint(file: Path) -> Iterator[None]:
    """Makes what a damaged file of a checkpoint raises a ValueError that says what to do."""
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, DamagedError):
            raise
        raise DamagedError(f"{file} {_what(error)}; {_remedy(file)}") from error


@contextlib.contextmanager
def read_as_run(file: Path) -> Iterator[None]:
    """Makes what a damaged run.json raises a ValueError that says what to do."""
    try:
        yield
    except _DAMAGE as error:
        raise DamagedError(
            f"{file} {_what(error)}; it says what the run is, and every run needs its own: put a "
            "copy of it back, or start the run anew in another folder"
        ) from error


def _what(error: Exception) -> str:
    """Returns what is wrong with a file, in one line."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "is not there"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    said = " ".join(str(error).split())
    if isinstance(error, KeyError):
        said = f"it has no {said}"
    return f"is damaged ({said[:200]})"


def _remedy(file: Path) -> str:
    """Returns how to go on where a file of a run's checkpoints is damaged."""
    is_pointer = file.name == LATEST
    root = file.parent if is_pointer else file.parent.parent
    whole = [one for one in _finished(root) if one != file.parent and _is_whole(one)]
    if not whole:
        return "no other checkpoint of the run is whole: start it anew in another folder"
    remove = f"{file}" if is_pointer else f"{file.parent} and {root / LATEST}"
    return f"the checkpoint {whole[-1]} is whole: to go on from it, remove {remove}"


def _is_whole(checkpoint: Path) -> bool:
    try:
        load_file(checkpoint / NETWORK)
        load_file(checkpoint / OPTIMIZER)
        state = read_state(checkpoint)
        learner = load_file(checkpoint / LEARNER) if state.get("tensors") else {}
        return "steps" in state and sorted(learner) == state.get("tensors", [])
    except _DAMAGE:
        return False


def encode_bytes(tensor: Tensor) -> str:
    """Returns a byte tensor, such as a generator's state, as text."""
    return base64.b64encode(tensor.numpy().tobytes()).decode("ascii")


def decode_bytes(text: str) -> Tensor:
    """Returns the byte tensor of a text."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)


def write_json(path: Path, data: Any) -> None:
    """Writes JSON so that the file is either the old one or the whole new one."""
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    write_whole(path, [text.encode("utf-8")])


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _split_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns an optimizer's state as tensors by name, and the rest of it as plain data."""
    tensors = {
        f"{number}.{name}": torch.as_tensor(value).contiguous()
        for number, values in state["state"].items()
        for name, value in values.items()
    }
    return tensors, {"groups": state["param_groups"]}


def read_optimizer(checkpoint: Path, rest: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an optimizer's state dict, of which the checkpoint's state has the rest.

    Raises:
        ValueError: it is damaged.
    """
    file = checkpoint / OPTIMIZER
    state: dict[int | str, dict[str, Tensor]] = {}
    with read_as_checkpoint(file):
        for name, tensor in load_file(file).items():
            parameter, _, field = name.rpartition(".")
            key = int(parameter) if parameter.isdecimal() else parameter
            state.setdefault(key, {})[field] = tensor
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
