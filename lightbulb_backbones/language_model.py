"""The language expert: a sparse stem, a router of whole texts, sub-experts, a switch decoder.

    tokens → embeddings → stem: block-sparse causal attention
           → router: features of the prefix's attention and states choose one sub-expert a text
           → the sub-expert's layers, the choice's gate
           → decoder: causal attention, the last layers with switch feed-forward networks
           → states

Behind a text's prefix it is causal: no token changes what comes before it. A prefix is routed as a
whole, so its own tokens are left out of the loss. What a text becomes depends on no other.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel

from lightbulb_backbones.attention_features import FEATURES, attention_features
from lightbulb_backbones.blocks import AttentionBlock, SwitchBlock
from lightbulb_backbones.carried import Carried, State
from lightbulb_backbones.causal_attention import CausalAttention, Sight
from lightbulb_backbones.context import Context
from lightbulb_backbones.language_config import LanguageExpertConfig
from lightbulb_backbones.language_experts import make_expert
from lightbulb_backbones.language_output import LanguageExpertOutput
from lightbulb_backbones.language_weights import LanguageExpertPreTrainedModel
from lightbulb_backbones.padding import Aligned
from lightbulb_backbones.passage_index import PassageIndex
from lightbulb_backbones.presets import preset
from lightbulb_backbones.retrieval import Retriever
from lightbulb_backbones.sequence_router import ROUTE, SequenceRouter, gate_of, read_by_experts
from lightbulb_backbones.sparse_attention import SparsePattern
from lightbulb_backbones.state_cache import StateCache
from lightbulb_backbones.switch import Routed, balance_loss, z_loss
from lightbulb_backbones.table import LANGUAGE, BackboneConfig

_PREFIX = "prefix"
"""The entry of a state that says by how many tokens a text was routed."""
_SMALL = 1e-8
"""Far below the variance of a mean of states, which is 1e-5 at first."""


class LanguageExpertModel(LanguageExpertPreTrainedModel):
    """Tokens to states."""

    def __init__(self, config: LanguageExpertConfig):
        super().__init__(config)
        width, heads = config.hidden_size, config.num_attention_heads
        self.pattern = SparsePattern(config.block, config.local, config.stride, config.sink)
        self.embed = nn.Embedding(config.vocab_size, width)
        self.stem = nn.ModuleList(
            AttentionBlock(CausalAttention(width, heads, self.pattern), config.intermediate_size)
            for _ in range(config.stem_layers)
        )
        self.router = SequenceRouter(
            FEATURES * heads + width,
            len(config.experts),
            noise=config.router_noise,
            explored=config.router_explored,
        )
        self.experts = nn.ModuleDict({name: make_expert(name, config) for name in config.experts})
        self.retriever: Retriever | None = None
        if "rag" in config.experts:
            self.retriever = Retriever(
                config.vocab_size,
                config.retriever_size,
                config.retriever_heads,
                config.retriever_layers,
            )
        self.index: PassageIndex | None = None
        """What texts that `rag` reads retrieve from; they retrieve nothing where there is none."""
        if config.index_size:
            self.index = PassageIndex(
                config.retriever_size, config.index_length, config.index_factory, config.index_size
            )
        dense = config.decoder_layers - config.switch_layers
        self.decoder = nn.ModuleList(
            AttentionBlock(CausalAttention(width, heads), config.intermediate_size)
            if number < dense
            else SwitchBlock(
                width,
                heads,
                config.switch_intermediate_size,
                config.switch_experts,
                config.capacity,
                config.jitter,
            )
            for number in range(config.decoder_layers)
        )
        self.norm = nn.RMSNorm(width)
        self.post_init()

    @staticmethod
    def from_size(vocabulary_size: int, size: BackboneConfig) -> "LanguageExpertModel":
        """Returns the model of a preset, by a name such as "language:tiny", with fresh weights."""
        room = {"index_size": size.passages, "index_length": size.passage_length}
        name = size.name.removeprefix(LANGUAGE)
        return LanguageExpertModel(preset(name, vocab_size=vocabulary_size, **room))

    def described(self, size: BackboneConfig) -> BackboneConfig:
        """Returns a size that has room for the passages that this has."""
        self.describe_index()
        room = {"passages": self.config.index_size, "passage_length": self.config.index_length}
        return replace(size, **room)

    def forward(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"] | None = None,
        past_key_values: StateCache | None = None,
        use_cache: bool | None = None,
        prefix: Int[Tensor, " B"] | None = None,
        expert: str | None = None,
    ) -> LanguageExpertOutput:
        """Returns the states of texts, or of what goes on from a cache.

        Args:
            attention_mask: what is not padding, of the tokens or of all so far, whose last are
                these. By default what is not the config's padding, and behind a cache all, for a
                token that was generated may have any number.
            past_key_values: what an earlier call returned; it is changed to what is after this one.
            use_cache: whether what is after this call is returned.
            prefix: tokens by which each text is routed, for texts that are routed here; by default
                as many as the config says, or all there are.
            expert: the expert that reads all texts, whatever the router says.

        Raises:
            ValueError: there are no tokens, no expert has that name or another reads a text
                already, a prefix is empty, or there is a cache while gradients are checkpointed.
        """
        if not input_ids.shape[1]:
            raise ValueError("texts of no tokens were given: there is nothing to read")
        forced = None if expert is None else self._number(expert)
        if use_cache is None:
            use_cache = past_key_values is not None
        cache = past_key_values
        if cache is None and use_cache:
            cache = StateCache()
        if cache is not None and self.training and self.is_activation_checkpointing:
            raise ValueError(
                "gradient checkpointing computes layers twice, so nothing can be carried: call "
                "without a cache, or in evaluation"
            )
        carried = Carried(cache.state) if cache is not None else None
        text = Aligned.of(input_ids, self.keep(input_ids, attention_mask, cache))
        states, routed, found, drawn = self._read(text, carried, prefix, forced)
        return LanguageExpertOutput(
            last_hidden_state=text.back(self.norm(states)),
            past_key_values=cache if use_cache else None,
            route=found[ROUTE] - 1,
            prefix=found[_PREFIX],
            router_loss=self._router_loss(routed) if self.training else None,
            drawn=drawn,
        )

    def step(
        self,
        input_ids: Int[Tensor, "B T"],
        state: State | None = None,
        attention_mask: Bool[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], State]:
        """Returns the states of the next tokens of texts, and what the tokens after them need.

        A text is routed by its first part, where that has fewer tokens than the config's prefix:
        by how many, `state["prefix"]` says, and told those, `forward` returns the same states.

        Args:
            state: what the tokens before them returned; None at the beginning of texts.
            attention_mask: what is not padding; by default what is not the config's padding.
        """
        cache = StateCache(state)
        if attention_mask is None:
            attention_mask = self.keep(input_ids)
        told = self(input_ids, attention_mask, cache)
        return told.last_hidden_state, cache.state

    def describe_index(self) -> None:
        """Writes into the config how large the index is: a model made by it has room for one."""
        index = self.index
        self.config.index_size = 0 if index is None else len(index)
        self.config.index_length = 0 if index is None else index.length
        self.config.index_factory = None if index is None else index.factory

    def separable_layers(self) -> list[nn.Module]:
        """Returns the layers that compute in their `forward` alone, and in all processes alike.

        Their weights may be spread over processes layer by layer (`fully_shard`). Of the stem's
        last layer the router asks more than that.
        """
        stacks: list[Any] = [self.stem[:-1], *(expert.layers for expert in self.experts.values())]
        return [layer for stack in (*stacks, self.decoder) for layer in stack]

    def keep(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"] | None = None,
        cache: StateCache | None = None,
    ) -> Bool[Tensor, "B T"]:
        """Returns which tokens are not padding; see `forward`."""
        if attention_mask is not None:
            return attention_mask[:, attention_mask.shape[1] - input_ids.shape[1] :].bool()
        padding: int | None = self.config.pad_token_id
        if padding is None or (cache is not None and cache.state):
            return torch.ones_like(input_ids).bool()
        kept: Tensor = input_ids != padding
        return kept

    def _number(self, expert: str) -> int:
        if expert not in self.config.experts:
            known = ", ".join(self.config.experts)
            raise ValueError(f"expert must be one of {known}, got {expert!r}")
        number: int = self.config.experts.index(expert)
        return number

    def _read(
        self, text: Aligned, carried: Carried | None, prefix: Tensor | None, forced: int | None
    ) -> tuple[Tensor, list[Routed], State, Tensor | None]:
        """Returns states, how texts and tokens were routed, the texts' routes and prefixes, and
        with which log-probabilities they were drawn.
        """
        sight = Sight.of(text.tokens, text.keep, carried)
        entering = states = self.embed(text.tokens)
        for number, layer in enumerate(self.stem):
            entering = states
            states = layer(states, sight, carried and carried.part(f"stem.{number}"))
        stem = _Stem(text, sight, entering, states)
        before = {} if carried is None else carried.state
        found, routed, gate, drawn = self._route(stem, before, prefix, forced)
        sight = replace(sight, context=self._retrieve(text, before, found, carried))
        if carried is not None:
            carried.state.update(found)
        read = read_by_experts(
            list(self.experts.values()),
            (found[ROUTE] - 1).clamp(min=0),
            states,
            sight,
            text.keep,
            carried and carried.part("expert"),
        )
        states = states + gate[:, None, None] * (read - states)
        told = [] if routed is None else [routed]
        for number, layer in enumerate(self.decoder):
            part = carried and carried.part(f"decoder.{number}")
            if isinstance(layer, SwitchBlock):
                states, switched = layer(states, sight, text.keep, part)
                told.append(switched)
            else:
                states = layer(states, sight, part)
        return states, told, found, drawn

    def _route(
        self, stem: "_Stem", before: State, prefix: Tensor | None, forced: int | None
    ) -> tuple[State, Routed | None, Float[Tensor, " B"], Float[Tensor, " B"] | None]:
        """Returns which expert reads each text, how those were routed that begin, gates, and
        log-probabilities of what was drawn.
        """
        states = stem.states
        length = stem.length
        none_yet = torch.zeros_like(length)
        route, told = before.get(ROUTE, none_yet), before.get(_PREFIX, none_yet)
        gate = torch.ones_like(states[:, 0, 0])
        if forced is not None and ((route != 0) & (route != forced + 1)).any():
            raise ValueError(
                f"expert is {self.config.experts[forced]!r}, and another reads a text already: "
                "begin the texts anew, without a cache"
            )
        rows = ((route == 0) & (length > 0)).nonzero().squeeze(1)
        if not len(rows):
            return {ROUTE: route, _PREFIX: told}, None, gate, None
        own = length.clamp(max=self.config.prefix) if prefix is None else prefix.minimum(length)
        own = own[rows]
        if (own < 1).any():
            raise ValueError(f"a text is routed by 1 token or more, got prefix={prefix}")
        routed = self.router(self._features(stem, rows, own))
        if forced is not None:
            routed = Routed(routed.logits, torch.full_like(routed.expert, forced))
        found = {
            ROUTE: route.index_copy(0, rows, routed.expert + 1),
            _PREFIX: told.index_copy(0, rows, own),
        }
        gate = gate.index_copy(0, rows, gate_of(routed).to(gate.dtype))
        if routed.drawn is None:
            return found, routed, gate, None
        nothing = routed.drawn.new_zeros(len(length))
        return found, routed, gate, nothing.index_copy(0, rows, routed.drawn)

    def _retrieve(
        self, text: Aligned, before: State, found: State, carried: Carried | None
    ) -> Context | None:
        """Returns what the texts go on with, and what is retrieved for those that begin."""
        kept = Context.carried(carried.part("context")) if carried is not None else None
        if self.retriever is None or self.index is None:
            return kept
        number = self.config.experts.index("rag") + 1
        begins = before.get(ROUTE, torch.zeros_like(found[ROUTE])) == 0
        rows = (begins & (found[ROUTE] == number)).nonzero().squeeze(1)
        if not len(rows) and not torch.is_grad_enabled():  # as of `read_by_experts`
            return kept
        length = found[_PREFIX][rows]
        tokens = text.tokens[rows, : int(length.amax()) if len(rows) else 1]
        keep = torch.arange(tokens.shape[1], device=rows.device) < length.unsqueeze(1)
        fresh = self.retriever.retrieve(self.index, tokens, keep, self.config.passages)
        context = fresh.among(rows, kept or fresh.nothing(len(text.tokens)))
        if carried is not None:
            context.carry(carried.part("context"))
        return context

    def _features(self, stem: "_Stem", rows: Tensor, prefix: Tensor) -> Tensor:
        """Returns what the router is told of texts that begin here."""
        most = int(prefix.max())
        keep = torch.arange(most, device=rows.device) < prefix.unsqueeze(1)
        position = stem.sight.position[rows, :most]
        last: Any = self.stem[-1]
        entering = last.attention_norm(stem.entering[rows, :most])
        sight = Sight(position, position, is_whole=True)
        query, key, _ = last.attention.heads_of(entering, sight)
        features = attention_features(query, key, sight.allowed(self.pattern), keep)
        states = stem.states[rows, :most] * keep.unsqueeze(2)
        mean = states.sum(dim=1) / prefix.unsqueeze(1)
        mean = functional.layer_norm(mean, mean.shape[1:], eps=_SMALL)
        return torch.cat((features.to(mean.dtype), mean), dim=1)

    def _router_loss(self, routed: list[Routed]) -> Float[Tensor, ""]:
        total = self.embed.weight.new_zeros(())
        for one in routed:
            total = total + self.config.balance * balance_loss(one) + self.config.z * z_loss(one)
        return total


@dataclass(frozen=True)
class _Stem:
    """What the stem made of texts."""

    text: Aligned
    sight: Sight
    entering: Tensor
    """States before its last layer."""
    states: Tensor

    @property
    def length(self) -> Tensor:
        """Tokens of each text, without padding."""
        tokens = self.text.tokens
        if self.text.keep is not None:
            return self.text.keep.sum(dim=1)
        return torch.full((len(tokens),), tokens.shape[1], device=tokens.device)


AutoConfig.register(LanguageExpertConfig.model_type, LanguageExpertConfig)
AutoModel.register(LanguageExpertConfig, LanguageExpertModel)
