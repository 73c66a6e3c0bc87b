"""Mamba (Gu and Dao 2023): a causal network whose memory has one size, however long the text.

Parameters have the names and the arithmetic of `transformers`, whose weights load; `hf:FOLDER` also
reads what `mamba-ssm` wrote (`mamba_ssm_config`).
Equations of the mixer, with the paper's symbols; the scan's are in `selective_scan`:

    [u, z] = W_in x;   u = SiLU(conv(u));   [dt, B, C] = W_x u;   delta = softplus(W_dt dt + b)
    y = scan(u, delta, -exp(A_log), B, C) + D u;   out = W_out (y SiLU(z))

It departs from `transformers` in four ways: a state is carried over chunks of any length (theirs
begins anew at a chunk of more than one token), padding leaves the state as it was wherever it
stands (theirs lets the state decay), the scan is that of `selective_scan`, and matrices begin as
the authors' do (theirs by `initializer_range`, which is that of embeddings here).
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional
from transformers import Mamba2Config, MambaConfig, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutput

from lightbulb_backbones.carried import Carried, State
from lightbulb_backbones.causal_convolution import convolve
from lightbulb_backbones.padding import Aligned
from lightbulb_backbones.selective_scan import scan, scan_dtype
from lightbulb_backbones.table import BackboneConfig

_ACTIVATIONS = ("silu", "swish")
_SCHEMES = ("random", "constant")


class MambaMixer(nn.Module):
    """Mixes what tokens have in them over time.

    Args:
        width: D.
        inner: channels of the scan.
        state_size: N, numbers that each channel remembers.
        kernel: tokens that the convolution sees.
        rank: of the step sizes.
    """

    def __init__(
        self,
        width: int,
        inner: int,
        state_size: int = 16,
        kernel: int = 4,
        rank: int | None = None,
        *,
        has_bias: bool = False,
        has_conv_bias: bool = True,
    ):
        super().__init__()
        self.rank = rank or math.ceil(width / 16)
        self.state_size = state_size
        self.in_proj = nn.Linear(width, 2 * inner, bias=has_bias)
        self.conv1d = nn.Conv1d(inner, inner, kernel, groups=inner, bias=has_conv_bias)
        self.x_proj = nn.Linear(inner, self.rank + 2 * state_size, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.A_log = nn.Parameter(torch.empty(inner, state_size))
        self.D = nn.Parameter(torch.empty(inner))
        self.out_proj = nn.Linear(inner, width, bias=has_bias)

    @staticmethod
    def of(config: MambaConfig) -> "MambaMixer":
        """Returns the mixer of a config of `transformers`."""
        return MambaMixer(
            config.hidden_size,
            config.intermediate_size,
            config.state_size,
            config.conv_kernel,
            int(config.time_step_rank),
            has_bias=config.use_bias,
            has_conv_bias=config.use_conv_bias,
        )

    @torch.no_grad()
    def initialise(
        self,
        smallest: float = 1e-3,
        largest: float = 1e-1,
        floor: float = 1e-4,
        scale: float = 1.0,
        *,
        is_constant: bool = False,
    ) -> None:
        """Sets what the paper initialises in a way of its own (section 3.6, and its code).

        Args:
            smallest, largest: step sizes that the bias alone gives, log-uniform between these.
            floor: what none is less than.
            scale: of the weights by which step sizes depend on tokens.
            is_constant: whether those weights are all alike, and not uniform.
        """
        inner = len(self.D)
        rates = torch.arange(1, self.state_size + 1, device=self.A_log.device).float()
        init.copy_(self.A_log, rates.log().expand(inner, -1))
        init.ones_(self.D)
        most = scale * self.rank**-0.5
        if is_constant:
            init.constant_(self.dt_proj.weight, most)
        else:
            init.uniform_(self.dt_proj.weight, -most, most)
        bias = self.dt_proj.bias
        init.copy_(bias, draw_step_bias(bias, smallest, largest, floor))

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Returns the mixed states.

        Args:
            keep: which tokens are not padding, which is at the ends of rows; None where all are.
            carried: what came before, which is replaced by what is after; None for neither.
        """
        entering, gate = self.in_proj(states).chunk(2, dim=2)
        u = functional.silu(convolve(self.conv1d, entering, keep, carried))
        ranked, entry, reading = self.x_proj(u).split(
            [self.rank, self.state_size, self.state_size], dim=2
        )
        dtype = scan_dtype(states.dtype)
        ranked = ranked @ self.dt_proj.weight.T
        delta = functional.softplus(ranked.to(dtype) + self.dt_proj.bias.to(dtype))
        if keep is not None:
            delta = delta * keep.unsqueeze(2)  # a step of no size changes no state
        decay = -torch.exp(self.A_log.to(dtype))
        before = carried.get("scan") if carried is not None else None
        found, last = scan(u, delta, decay, entry, reading, before, is_alone=carried is None)
        if carried is not None:
            carried["scan"] = last
        gated = (found + u * self.D) * functional.silu(gate)
        mixed: Tensor = self.out_proj(gated.to(states.dtype))
        return mixed


def draw_step_bias(like: Tensor, smallest: float, largest: float, floor: float) -> Tensor:
    """Returns biases whose softplus is log-uniform between two step sizes, and no less than a
    third (section 3.6, and the authors' code)."""
    share = torch.rand(len(like), device=like.device)
    step = (math.log(smallest) + share * math.log(largest / smallest)).exp().clamp(min=floor)
    return step + torch.log(-torch.expm1(-step))


class MambaBlock(GradientCheckpointingLayer):
    """A mixer on normalised input, added to it.

    Args:
        mixer: maps states, what is not padding, and what is carried to states.
    """

    def __init__(self, config: MambaConfig | Mamba2Config, mixer: nn.Module):
        super().__init__()
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.mixer = mixer
        self._dtype = torch.float32 if config.residual_in_fp32 else None

    def forward(
        self,
        states: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "B T"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Returns the states with what the mixer adds; see it for the arguments."""
        mixed = self.mixer(self.norm(states.to(self.norm.weight.dtype)), keep, carried)
        if self._dtype is not None:
            states = states.to(torch.promote_types(states.dtype, self._dtype))
        added: Tensor = states + mixed
        return added


class Mamba(PreTrainedModel):
    """Embeddings, blocks, a normalisation.

    Raises:
        ValueError: the config tells of an activation, or of a beginning, that is not computed here.
    """

    config_class: Any = MambaConfig
    base_model_prefix = "backbone"

    def __init__(self, config: MambaConfig | Mamba2Config):
        super().__init__(config)
        _check(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            MambaBlock(config, self.make_mixer(config)) for _ in range(config.num_hidden_layers)
        )
        self.norm_f = nn.RMSNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.post_init()

    @staticmethod
    def make_mixer(config: Any) -> nn.Module:
        """Returns the mixer of a block."""
        return MambaMixer.of(config)

    @staticmethod
    def beginning(config: Any) -> dict[str, Any]:
        """Returns what else a mixer is initialised by."""
        is_constant = config.time_step_init_scheme == "constant"
        return {"scale": config.time_step_scale, "is_constant": is_constant}

    @staticmethod
    def from_size(vocabulary_size: int, size: BackboneConfig) -> "Mamba":
        """Returns a Mamba with fresh weights."""
        return Mamba(
            MambaConfig(
                vocab_size=vocabulary_size,
                hidden_size=size.width,
                num_hidden_layers=size.layers,
            )
        )

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.config.initializer_range)
        elif isinstance(module, (nn.Linear, nn.Conv1d)):
            init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.RMSNorm):
            init.ones_(module.weight)
        elif callable(initialise := getattr(module, "initialise", None)):  # a mixer
            config = self.config
            initialise(
                config.time_step_min,
                config.time_step_max,
                config.time_step_floor,
                **self.beginning(config),
            )
            if config.rescale_prenorm_residual:
                into = module.get_submodule("out_proj").get_parameter("weight")
                most = (into.shape[1] * config.num_hidden_layers) ** -0.5
                init.uniform_(into, -most, most)

    def forward(
        self, input_ids: Int[Tensor, "B T"], attention_mask: Bool[Tensor, "B T"] | None = None
    ) -> BaseModelOutput:
        """Returns the tokens' states as `last_hidden_state` (B, T, D).

        Args:
            attention_mask: what is not padding; by default, what is not 0.
        """
        return BaseModelOutput(last_hidden_state=self._read(input_ids, attention_mask, None))

    def step(
        self,
        input_ids: Int[Tensor, "B T"],
        state: State | None = None,
        attention_mask: Bool[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Returns the states of the next tokens of texts, and what the tokens after them need.

        Args:
            state: what the tokens before them returned; None at the beginning of texts.
        """
        carried = Carried(dict(state or {}))
        return self._read(input_ids, attention_mask, carried), carried.state

    def _read(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Bool[Tensor, "B T"] | None,
        carried: Carried | None,
    ) -> Float[Tensor, "B T D"]:
        if not input_ids.numel():
            return self.norm_f.weight.new_zeros(*input_ids.shape, self.config.hidden_size)
        text = Aligned.of(input_ids, attention_mask)
        states = self.embeddings(text.tokens)
        for number, layer in enumerate(self.layers):
            states = layer(states, text.keep, carried and carried.part(f"layers.{number}"))
        found: Tensor = self.norm_f(states.to(self.norm_f.weight.dtype))
        return text.back(found)


def _check(config: MambaConfig | Mamba2Config) -> None:
    if config.hidden_act not in _ACTIVATIONS:
        raise ValueError(
            f'hidden_act must be "silu", also called "swish", got {config.hidden_act!r}: models '
            "with another activation are computed by transformers alone"
        )
    scheme = getattr(config, "time_step_init_scheme", _SCHEMES[0])  # of Mamba alone
    if scheme not in _SCHEMES:
        raise ValueError(f'time_step_init_scheme must be "random" or "constant", got {scheme!r}')
