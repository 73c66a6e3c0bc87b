"""The states of torch's generators: the CPU's, and that of the GPU on which routers draw noise."""

import sys
from collections.abc import Mapping
from typing import Any

import torch

from lightbulb_backbones.runs.checkpoint import decode_bytes, encode_bytes

_CPU, _GPU = "cpu", "cuda"


def generator_states(device: torch.device, gpu: Any = torch.cuda) -> dict[str, str]:
    """Returns the states of what is drawn from by a process that computes on a device.

    Args:
        gpu: has `get_rng_state(device)`.
    """
    states = {_CPU: encode_bytes(torch.get_rng_state())}
    if device.type == _GPU:
        states[_GPU] = encode_bytes(gpu.get_rng_state(device))
    return states


def set_generator_states(
    states: Mapping[str, str] | str, device: torch.device, gpu: Any = torch.cuda
) -> None:
    """Goes back to states; says so on stderr where the device's own is not among them.

    Args:
        states: of `generator_states`, or the CPU's alone, as older versions wrote it.
        gpu: has `set_rng_state(state, device)`.
    """
    states = {_CPU: states} if isinstance(states, str) else states
    torch.set_rng_state(decode_bytes(states[_CPU]))
    is_on_gpu = device.type == _GPU
    if is_on_gpu and _GPU in states:
        gpu.set_rng_state(decode_bytes(states[_GPU]), device)
    if is_on_gpu != (_GPU in states):
        print(
            "The checkpoint was written on another kind of device, or by an older version: the "
            "run will not end with the same weights, bit for bit",
            file=sys.stderr,
        )
