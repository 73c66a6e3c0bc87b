"""Mamba-2 (Dao and Gu 2024): as `mamba`, with one decay a head and several times as large a memory.

Parameters have the names and the arithmetic of `transformers`, whose weights load; `hf:FOLDER` also
reads what `mamba-ssm` wrote (`mamba_ssm_config`).
Equations of the mixer (their section 7), the scan's are in `state_space_duality`:

    [z, u B C, dt] = W_in x;   [u, B, C] = SiLU(conv(u B C));   delta = softplus(dt + b)
    y = ssd(u, delta, -exp(A_log), B, C) + D u;   out = W_out RMSNorm(y SiLU(z))

It departs from `transformers` in that padding leaves the state as it was wherever it stands, and in
how matrices begin, as `mamba` does.
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional
from transformers import Mamba2Config
from transformers import initialization as init

from lightbulb_backbones.carried import Carried
from lightbulb_backbones.causal_convolution import convolve
from lightbulb_backbones.mamba import Mamba, draw_step_bias
from lightbulb_backbones.selective_scan import scan_dtype
from lightbulb_backbones.state_space_duality import ssd
from lightbulb_backbones.table import BackboneConfig

_STATE_SIZE = 64
_FEWEST_HEADS, _LARGEST_HEAD = 4, 64


class GatedNorm(nn.Module):
    """A root-mean-square norm of gated states, group by group of channels."""

    def __init__(self, width: int, groups: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.groups = groups
        self.eps = eps

    def forward(
        self, states: Float[Tensor, "B T D"], gate: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "B T D"]:
        """Returns the states times SiLU of the gate, normalised."""
        gated = states * functional.silu(gate.to(states.dtype))
        grouped = gated.unflatten(2, (self.groups, -1))
        size = (grouped.square().mean(dim=3, keepdim=True) + self.eps).rsqrt()
        scaled: Tensor = (grouped * size).flatten(2) * self.weight
        return scaled


class Mamba2Mixer(nn.Module):
    """Mixes what tokens have in them over time; numbers of heads and states are the config's."""

    def __init__(self, config: Mamba2Config):
        super().__init__()
        self.heads, self.groups = config.num_heads, config.n_groups
        self.state_size, self.inner = config.state_size, int(config.expand * config.hidden_size)
        if self.heads % self.groups:
            raise ValueError(
                f"num_heads must be a multiple of n_groups={self.groups}, got {self.heads}: heads "
                "of a group share what enters their states"
            )
        convolved = self.inner + 2 * self.groups * self.state_size
        width, kernel = config.hidden_size, config.conv_kernel
        self.in_proj = nn.Linear(width, self.inner + convolved + self.heads, bias=config.use_bias)
        self.conv1d = nn.Conv1d(
            convolved, convolved, kernel, groups=convolved, bias=config.use_conv_bias
        )
        self.dt_bias = nn.Parameter(torch.empty(self.heads))
        self.A_log = nn.Parameter(torch.empty(self.heads))
        self.D = nn.Parameter(torch.empty(self.heads))
        self.norm = GatedNorm(self.inner, self.groups, config.layer_norm_epsilon)
        self.out_proj = nn.Linear(self.inner, width, bias=config.use_bias)
        self._limit = tuple(config.time_step_limit)

    @torch.no_grad()
    def initialise(
        self, smallest: float = 1e-3, largest: float = 1e-1, floor: float = 1e-4
    ) -> None:
        """Sets what the authors' code initialises in a way of its own; see `MambaMixer`."""
        rates = torch.arange(1, self.heads + 1, device=self.A_log.device).float()
        init.copy_(self.A_log, rates.log())
        init.ones_(self.D)
        init.ones_(self.norm.weight)
        init.copy_(self.dt_bias, draw_step_bias(self.dt_bias, smallest, largest, floor))

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Returns the mixed states; see `MambaMixer` for the arguments."""
        of_groups = self.groups * self.state_size
        gate, entering, step = self.in_proj(states).split(
            [self.inner, self.inner + 2 * of_groups, self.heads], dim=2
        )
        convolved = functional.silu(convolve(self.conv1d, entering, keep, carried))
        u, entry, reading = convolved.split([self.inner, of_groups, of_groups], dim=2)
        dtype = scan_dtype(states.dtype)
        delta = functional.softplus(step.to(dtype) + self.dt_bias.to(dtype)).clamp(*self._limit)
        if keep is not None:
            delta = delta * keep.unsqueeze(2)  # a step of no size changes no state
        u = u.unflatten(2, (self.heads, -1))
        found, last = ssd(
            u,
            delta,
            -torch.exp(self.A_log.to(dtype)),
            entry.unflatten(2, (self.groups, -1)),
            reading.unflatten(2, (self.groups, -1)),
            carried.get("scan") if carried is not None else None,
        )
        if carried is not None:
            carried["scan"] = last
        found = (found + u * self.D.unsqueeze(1)).flatten(2)
        mixed: Tensor = self.out_proj(self.norm(found, gate).to(states.dtype))
        return mixed


class Mamba2(Mamba):
    """Embeddings, blocks, a normalisation."""

    config_class: Any = Mamba2Config

    @staticmethod
    def make_mixer(config: Mamba2Config) -> nn.Module:
        """Returns the mixer of a block."""
        return Mamba2Mixer(config)

    @staticmethod
    def beginning(config: Any) -> dict[str, Any]:
        """Returns what else a mixer is initialised by: nothing."""
        del config
        return {}

    @staticmethod
    def from_size(vocabulary_size: int, size: BackboneConfig) -> "Mamba2":
        """Returns a Mamba-2 with fresh weights."""
        config = size_of_mamba2(size.width, _STATE_SIZE)
        config.vocab_size, config.num_hidden_layers = vocabulary_size, size.layers
        return Mamba2(config)


def size_of_mamba2(width: int, state_size: int) -> Mamba2Config:
    """Returns the config of layers of a width: heads of 64 channels, or smaller for there to be
    four."""
    inner = 2 * width
    head = math.gcd(_LARGEST_HEAD, max(1, inner // _FEWEST_HEADS))
    return Mamba2Config(
        hidden_size=width,
        num_heads=inner // head,
        head_dim=head,
        n_groups=1,
        state_size=state_size,
    )
