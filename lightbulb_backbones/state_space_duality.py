"""The scan of Mamba-2 (Dao and Gu 2024, "Transformers are SSMs", sections 3 and 6): one decay a
head, so that a chunk of tokens is a product of matrices, as attention is.

Glossary, with the paper's symbols, for head h, its channel p and state n:

    u (B, T, H, P)       what is scanned, the paper's X
    delta (B, T, H)      step size, positive
    A (H,)               decay rates, negative: a state is multiplied by exp(delta A) at every token
    B, C (B, T, G, N)    what of a token enters the state, and what of the state is read; G groups
                         of heads share theirs
    h (B, H, P, N)       the state

    h_t = exp(delta_t A) h_{t-1} + (delta_t u_t) B_t^T,    y_t = h_t C_t

and, for the tokens of a chunk that begins in state h (their section 6; s is the sum of delta A so
far in the chunk):

    y_t = exp(s_t) h C_t + sum over j <= t of exp(s_t - s_j) <C_t, B_j> delta_j u_j

`ssd_by_steps` is the definition; `ssd` goes chunk by chunk, and autograd with it. Everything is
computed in float32 at least, under autocast too, as in `selective_scan`. Of its gradients that is
so where `backward` is called outside of autocast, as torch asks for.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from lightbulb_backbones.selective_scan import scan_dtype, without_autocast

CHUNK = 32
"""Tokens of a chunk: the work in it grows with its square, that between them with their number."""


def ssd_by_steps(
    u: Float[Tensor, "B T H P"],
    delta: Float[Tensor, "B T H"],
    decay: Float[Tensor, " H"],
    entry: Float[Tensor, "B T G N"],
    reading: Float[Tensor, "B T G N"],
    state: Float[Tensor, "B H P N"] | None = None,
) -> tuple[Float[Tensor, "B T H P"], Float[Tensor, "B H P N"]]:
    """Returns y and the last state, token by token; see `ssd`."""
    u, delta, decay, entry, reading, state = _ready(u, delta, decay, entry, reading, state)
    of_group = u.shape[2] // entry.shape[2]
    outputs = []
    for token in range(u.shape[1]):
        kept = torch.exp(delta[:, token] * decay)[:, :, None, None]
        enters = entry[:, token].repeat_interleave(of_group, dim=1)[:, :, None, :]
        told = (delta[:, token, :, None] * u[:, token])[:, :, :, None]
        state = kept * state + told * enters
        read = reading[:, token].repeat_interleave(of_group, dim=1)[:, :, :, None]
        with without_autocast(u.device):
            outputs.append((state @ read).squeeze(3))
    return torch.stack(outputs, dim=1) if outputs else torch.zeros_like(u), state


def ssd(
    u: Float[Tensor, "B T H P"],
    delta: Float[Tensor, "B T H"],
    decay: Float[Tensor, " H"],
    entry: Float[Tensor, "B T G N"],
    reading: Float[Tensor, "B T G N"],
    state: Float[Tensor, "B H P N"] | None = None,
    chunk: int = CHUNK,
) -> tuple[Float[Tensor, "B T H P"], Float[Tensor, "B H P N"]]:
    """Returns y and the state after the last token, in `scan_dtype`.

    Args:
        u, delta, decay, entry, reading: u, delta, A, B and C of the glossary.
        state: h before the first token, zero by default.
        chunk: tokens that are scanned by one product.
    """
    u, delta, decay, entry, reading, state = _ready(u, delta, decay, entry, reading, state)
    if not u.shape[1]:
        return torch.zeros_like(u), state
    with without_autocast(u.device):
        return _by_chunks(u, delta, decay, entry, reading, state, min(chunk, u.shape[1]))


def _by_chunks(
    u: Tensor,
    delta: Tensor,
    decay: Tensor,
    entry: Tensor,
    reading: Tensor,
    state: Tensor,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    tokens, groups = u.shape[1], entry.shape[2]
    u, delta, entry, reading = (_in_chunks(one, chunk) for one in (u, delta, entry, reading))
    # Letters: c chunk, t and j tokens of it, g group, e head of a group, p channel, n state.
    u, delta = (one.unflatten(3, (groups, -1)) for one in (u, delta))
    told = u * delta.unsqueeze(5)
    sums = (delta * decay.view(groups, -1)).cumsum(dim=2)  # (B, c, t, g, e)
    apart = sums.unsqueeze(3) - sums.unsqueeze(2)  # (B, c, t, j, g, e)
    later = torch.ones(chunk, chunk, dtype=torch.bool, device=u.device).triu(1)
    kept = apart.masked_fill(later[:, :, None, None], -torch.inf).exp()
    match = torch.einsum("bctgn,bcjgn->bctjg", reading, entry)
    within = torch.einsum("bctjge,bcjgep->bctgep", match.unsqueeze(5) * kept, told)
    left = (sums[:, :, -1:] - sums).exp()
    gained = torch.einsum("bctgep,bctgn->bcgepn", told * left.unsqueeze(5), entry)
    before = []
    last = state.unflatten(1, (groups, -1))
    for gain, all_kept in zip(gained.unbind(1), sums[:, :, -1].exp().unbind(1), strict=True):
        before.append(last)
        last = all_kept[..., None, None] * last + gain
    carried = torch.einsum("bcgepn,bctgn->bctgep", torch.stack(before, dim=1), reading)
    output = within + carried * sums.exp().unsqueeze(5)
    return output.flatten(3, 4).flatten(1, 2)[:, :tokens], last.flatten(1, 2)


def _ready(*inputs: Tensor | None) -> list[Tensor]:
    """Returns the arguments in the type that is computed in, with a first state."""
    u, delta, decay, entry, reading, state = inputs
    assert u is not None
    assert entry is not None
    dtype = scan_dtype(u.dtype)
    if state is None:
        batch, _, heads, width = u.shape
        state = torch.zeros(batch, heads, width, entry.shape[3], dtype=dtype, device=u.device)
    return [one.to(dtype) for one in (u, delta, decay, entry, reading, state) if one is not None]


def _in_chunks(told: Tensor, chunk: int) -> Tensor:
    """Returns (B, T, ...) as (B, c, t, ...), with steps of no size at the end, which do nothing."""
    lacking = -told.shape[1] % chunk
    if lacking:
        told = functional.pad(told, (0, 0) * (told.ndim - 2) + (0, lacking))
    parts: Tensor = told.unflatten(1, (-1, chunk))
    return parts
