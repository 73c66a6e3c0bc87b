"""The selective scan (Gu and Dao 2023, "Mamba", section 3.2 and algorithm 2): a recurrence, one
channel at a time, whose decay and input depend on the token.

Glossary, with the paper's symbols, for channel d and state n:

    u (B, T, D)      what is scanned
    delta (B, T, D)  step size, positive
    A (D, N)         decay rates, negative: a state is multiplied by exp(delta A) at every token
    B, C (B, T, N)   what of a token enters the state, and what of the state is read
    h (B, D, N)      the state

    h_t = exp(delta_t A) h_{t-1} + (delta_t u_t) B_t,    y_t = <C_t, h_t>

The skip connection D u and the gate are the mixer's (`mamba`). Everything is computed in float32 at
least, however the model is cast and under autocast too: decays near one are lost in fewer bits.

`scan_by_steps` is the definition. `scan` gives the same by an autograd function that is written out
by hand: products of all tokens of a chunk are made at once and only the recurrence itself is a
loop, forwards and backwards, over memory in the order of time. Autograd through such a loop would
write a gradient of the whole length at every token.

On a GPU that has mamba-ssm its kernel does it instead (`choose`). It begins in no state and its
last one has no gradient, so what a first state adds is added afterwards, and where something is
learnt through states the kernel is not taken.
"""

import contextlib
import functools
import importlib.util
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

_CHUNK_NUMBERS = 1 << 19
"""Numbers of a chunk's states, about: what the caches of a processor hold."""
_MORE_ON_GPU = 128
"""How many times as many a GPU takes at once, which begins slowly and has the room."""


def scan_dtype(dtype: torch.dtype) -> torch.dtype:
    """Returns what is computed in for inputs of a type."""
    return torch.promote_types(dtype, torch.float32)


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Returns a context in which products have the type of their factors."""
    if not torch.amp.is_autocast_available(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)


def scan_step(
    u: Float[Tensor, "B D"],
    delta: Float[Tensor, "B D"],
    decay: Float[Tensor, "D N"],
    entry: Float[Tensor, "B N"],
    reading: Float[Tensor, "B N"],
    state: Float[Tensor, "B D N"],
) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D N"]]:
    """Returns y and the next state of one token."""
    kept = torch.exp(delta[:, :, None] * decay) * state
    state = kept + (delta * u)[:, :, None] * entry[:, None, :]
    with without_autocast(state.device):
        return (state @ reading[:, :, None]).squeeze(2), state


def scan_by_steps(
    u: Float[Tensor, "B T D"],
    delta: Float[Tensor, "B T D"],
    decay: Float[Tensor, "D N"],
    entry: Float[Tensor, "B T N"],
    reading: Float[Tensor, "B T N"],
    state: Float[Tensor, "B D N"] | None = None,
) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B D N"]]:
    """Returns y and the last state, token by token; see `scan`."""
    u, delta, decay, entry, reading, state = _ready(u, delta, decay, entry, reading, state)
    outputs = []
    for token in range(u.shape[1]):
        output, state = scan_step(
            u[:, token], delta[:, token], decay, entry[:, token], reading[:, token], state
        )
        outputs.append(output)
    return torch.stack(outputs, dim=1) if outputs else torch.zeros_like(u), state


def scan(
    u: Float[Tensor, "B T D"],
    delta: Float[Tensor, "B T D"],
    decay: Float[Tensor, "D N"],
    entry: Float[Tensor, "B T N"],
    reading: Float[Tensor, "B T N"],
    state: Float[Tensor, "B D N"] | None = None,
    *,
    is_alone: bool = False,
    how: str | None = None,
) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B D N"]]:
    """Returns y and the state after the last token, in `scan_dtype`.

    Args:
        u, delta, decay, entry, reading: u, delta, A, B and C of the glossary.
        state: h before the first token, zero by default. What a scan of the first tokens returned
            makes the scan of the others what it is in one.
        is_alone: whether nothing is learnt through the last state.
        how: one of `WAYS`; by default `choose` says.
    """
    inputs = _ready(u, delta, decay, entry, reading, state)
    has_gradient = torch.is_grad_enabled() and any(one.requires_grad for one in inputs)
    if not has_gradient:
        inputs = [one.detach() for one in inputs]  # so that no states are kept
    name = how
    if name is None:
        is_free = not has_gradient or (state is None and is_alone)
        name = choose(u.device, may_lose_the_last=is_free)
    if name not in WAYS:
        raise ValueError(f"a scan is computed by {', '.join(WAYS)}; got {name!r}")
    if not len(u):
        return _of_no_texts(*inputs)
    if name == "steps":
        return scan_by_steps(*inputs)
    with without_autocast(u.device):
        if name == "kernel":
            return _scan_by_kernel(*inputs, begins=state is not None)
        outputs: tuple[Tensor, Tensor] = _Scan.apply(*inputs)
        return outputs


WAYS = ("steps", "autograd", "kernel")
"""How a scan is computed: token by token, with its gradient written out, by mamba-ssm's kernel."""


def choose(device: torch.device, *, may_lose_the_last: bool) -> str:
    """Returns how a scan is computed on a device.

    Args:
        may_lose_the_last: whether no gradient goes through the last state.
    """
    if device.type != "cuda" or not may_lose_the_last:
        return "autograd"
    return "kernel" if _has_kernel() else "autograd"


@functools.cache
def _has_kernel() -> bool:
    return all(map(importlib.util.find_spec, ("mamba_ssm", "selective_scan_cuda")))


def _of_no_texts(
    u: Tensor, delta: Tensor, decay: Tensor, entry: Tensor, reading: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Returns y and a state of no texts, to which all inputs are worth 0; no token is gone through.

    An expert that no text of a batch goes to reads so many.
    """
    nothing = 0.0 * (decay.sum() + entry.sum() + reading.sum())
    return u * delta + nothing, state + nothing


def _scan_by_kernel(
    u: Tensor,
    delta: Tensor,
    decay: Tensor,
    entry: Tensor,
    reading: Tensor,
    state: Tensor,
    *,
    begins: bool,
) -> tuple[Tensor, Tensor]:
    """Returns what mamba-ssm computes, whose layout is (B, D, T), and what a first state adds."""
    from mamba_ssm.ops.selective_scan_interface import (  # type: ignore[import-not-found,unused-ignore]
        selective_scan_fn,
    )

    across = (one.transpose(1, 2).contiguous() for one in (u, delta, entry, reading))
    u_across, delta_across, entry_across, reading_across = across
    output, last = selective_scan_fn(
        u_across, delta_across, decay, entry_across, reading_across, return_last_state=True
    )
    output = output.transpose(1, 2)
    if begins:
        output = output.clone()
        for start in range(0, u.shape[1], _chunk(state)):
            part = slice(start, start + _chunk(state))
            so_far = delta[:, part].cumsum(dim=1).unsqueeze(3)
            kept = (so_far * decay).exp() * state.unsqueeze(1)
            output[:, part] += (kept @ reading[:, part].unsqueeze(3)).squeeze(3)
            state = kept[:, -1]
        last = last + state
    return output, last


def _ready(*inputs: Tensor | None) -> list[Tensor]:
    """Returns the arguments of a scan in the type it is computed in, with a first state."""
    u, delta, decay, entry, reading, state = inputs
    assert u is not None
    assert decay is not None
    dtype = scan_dtype(u.dtype)
    if state is None:
        state = torch.zeros(u.shape[0], *decay.shape, dtype=dtype, device=u.device)
    told = (u, delta, decay, entry, reading, state)
    return [one.to(dtype) for one in told if one is not None]


class _Scan(torch.autograd.Function):
    """The scan, chunk after chunk of tokens; inside, the first axis is time."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, delta: Tensor, decay: Tensor, entry: Tensor, reading: Tensor, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        batch, tokens, width = u.shape
        keeps = any(ctx.needs_input_grad)
        chunk = min(tokens, _chunk(h))
        output = u.new_empty(tokens, batch, width)
        states = u.new_empty(tokens if keeps else chunk, *h.shape)
        last = h
        for start in range(0, tokens, chunk or 1):
            scanned, step, enters, read = _of_chunk(start, chunk, u, delta, entry, reading)
            found = states[start:] if keeps else states
            found = found[: len(step)]
            torch.mul((step * scanned).unsqueeze(3), enters.unsqueeze(2), out=found)
            for one, kept in zip(found.unbind(), _kept(step, decay).unbind(), strict=True):
                last = one.addcmul_(kept, last)
            output[start : start + chunk] = (found @ read.unsqueeze(3)).squeeze(3)
            last = last if keeps else last.clone()  # the next chunk is written over it
        ctx.save_for_backward(u, delta, decay, entry, reading, h, states)
        return output.transpose(0, 1), last.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_output: Tensor, of_last: Tensor) -> tuple[Tensor, ...]:
        with without_autocast(of_output.device):  # it may be called elsewhere than the scan was
            return _gradients(ctx.saved_tensors, of_output, of_last)


def _gradients(saved: tuple[Tensor, ...], of_output: Tensor, of_last: Tensor) -> tuple[Tensor, ...]:
    """Returns what the arguments of a scan are worth; inside, the first axis is time."""
    u, delta, decay, entry, reading, h, states = saved
    tokens = u.shape[1]
    chunk = min(tokens, _chunk(h))
    of_u, of_delta, of_entry, of_reading = (
        one.new_empty(tokens, one.shape[0], one.shape[2]) for one in (u, delta, entry, reading)
    )
    of_decay = torch.zeros_like(decay)
    beyond = of_last
    for start in reversed(range(0, tokens, chunk or 1)):
        scanned, step, enters, read, told = _of_chunk(
            start, chunk, u, delta, entry, reading, of_output
        )
        part = slice(start, start + len(step))
        kept = _kept(step, decay)
        of_states = told.unsqueeze(3) * read.unsqueeze(2)
        of_states[-1] += beyond
        worth = of_states.unbind()
        for token in range(len(worth) - 2, -1, -1):
            worth[token].addcmul_(kept[token + 1], worth[token + 1])
        beyond = kept[0] * worth[0]
        of_reading[part] = (told.unsqueeze(2) @ states[part]).squeeze(2)
        of_entry[part] = ((step * scanned).unsqueeze(2) @ of_states).squeeze(2)
        of_entering = (of_states @ enters.unsqueeze(3)).squeeze(3)
        of_u[part] = of_entering * step
        # From here on: what the exponent of the decay is worth, kept h_{t-1} of_states.
        of_states[1:] *= states[part][:-1]
        of_states[0] *= states[start - 1] if start else h
        of_exponent = of_states.mul_(kept)
        of_delta[part] = of_entering * scanned + torch.einsum("tbdn,dn->tbd", of_exponent, decay)
        of_decay += torch.einsum("tbdn,tbd->dn", of_exponent, step)
    timely = (one.transpose(0, 1) for one in (of_u, of_delta, of_entry, of_reading))
    of_u, of_delta, of_entry, of_reading = timely
    return of_u, of_delta, of_decay, of_entry, of_reading, beyond


def _chunk(state: Tensor) -> int:
    numbers = _CHUNK_NUMBERS * (_MORE_ON_GPU if state.device.type == "cuda" else 1)
    return max(1, numbers // max(1, state.numel()))


def _of_chunk(start: int, chunk: int, *all_tokens: Tensor) -> list[Tensor]:
    """Returns the tokens of a chunk, time first."""
    return [one[:, start : start + chunk].transpose(0, 1) for one in all_tokens]


def _kept(step: Tensor, decay: Tensor) -> Tensor:
    """Returns what share of the states (T, B, D, N) tokens keep."""
    return (step.unsqueeze(3) * decay).exp_()
