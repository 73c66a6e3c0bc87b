"""Any text-in, text-out model of `transformers` in a local folder: chats in, answers out, batched.

A chat is told by the tokenizer's chat template or, in the plain form, as its messages one after
the other, each followed by a blank line, where an answer ends at the first blank line. Special
tokens that stand in an article are read as text in both: no article ends a turn. Decoder-only
models are padded on the left, encoder-decoders on the right.

Tokens are the likeliest (temperature 0), or drawn. A draw takes one number of the row's own
generator a token, so that other rows of the batch do not move it, and no global generator is used.
What the folder's generation_config.json says of sampling and of penalties is not used: a score is
of the model and of the flags that are told beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jinja2
import numpy as np
import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from lightbulb_backbones.runs.limits import check_least, check_most
from lightbulb_envs.adapters.conversation import Messages

_BLANK = "\n\n"


@dataclass(frozen=True)
class LanguageConfig:
    """How a language model is told chats, and how it answers."""

    batch: int = 8
    """Chats that the model reads at once."""
    max_new_tokens: int = 64
    """Tokens of an answer at most. One that is cut off there is read as far as it goes."""
    temperature: float = 0.0
    """0 takes the likeliest token; more than 0 draws, by the flatter probabilities the more."""
    top_p: float = 1.0
    """Share of the probability that is drawn from: the likeliest tokens that together have it."""
    form: Literal["auto", "chat", "plain"] = "auto"
    """"chat" takes the tokenizer's chat template, "plain" needs none, and "auto" takes the template
    where there is one."""
    system: Literal["role", "user"] = "role"
    """Whether the task is a message of the system's, or the head of the user's first, for chat
    templates that have no role system."""
    device: str = "cpu"
    """Where the model runs, such as cuda."""

    def __post_init__(self) -> None:
        check_least(self, batch=1, max_new_tokens=1, temperature=0)
        check_most(self, batch=65_536, max_new_tokens=1_000_000, temperature=1000, top_p=1)
        if not self.top_p > 0:
            raise ValueError(f"top_p must be more than 0, got {self.top_p}")
        if self.top_p < 1 and not self.temperature:
            raise ValueError("top_p is for drawing: give a temperature too")
        for name, allowed in (("form", ("auto", "chat", "plain")), ("system", ("role", "user"))):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )


class LanguageModel:
    """A model and its tokenizer.

    Args:
        model: a `transformers` model that generates.
        tokenizer: the one that it was trained with.
        config: how it is told chats, and how it answers.

    Raises:
        ValueError: the form "chat" is asked for, and the tokenizer has no chat template; the
            tokenizer has more tokens than the model; or there is no such device.
    """

    def __init__(self, model: Any, tokenizer: Any, config: LanguageConfig | None = None):
        self.config = LanguageConfig() if config is None else config
        self.cut = 0
        """Answers that were cut off at max_new_tokens."""
        self._model, self._tokenizer = _placed(model, self.config.device).eval(), tokenizer
        self.has_template = self.config.form != "plain" and bool(tokenizer.chat_template)
        if self.config.form == "chat" and not self.has_template:
            raise ValueError(
                'the tokenizer has no chat template: take the form "plain", or put the '
                "chat_template.jinja that the model was trained with beside it"
            )
        size = model.get_input_embeddings().num_embeddings
        if len(tokenizer) > size:
            raise ValueError(
                f"the tokenizer has {len(tokenizer)} tokens, and the model embeds {size}: this is "
                "not the tokenizer that it was trained with"
            )
        self._is_encoder_decoder = bool(model.config.is_encoder_decoder)
        self._generation = self._generation_config()
        model.generation_config = self._generation  # which would fill in what is not set

    def __str__(self) -> str:
        config = self.config
        drawn = f"temperature {config.temperature:g}, top_p {config.top_p:g}"
        return ", ".join(
            (
                type(self._model).__name__,
                "chat template" if self.has_template else "plain form",
                drawn if config.temperature else "greedy",
                f"answers of up to {config.max_new_tokens} tokens ({self.cut} were cut off there)",
            )
        )

    def _generation_config(self) -> GenerationConfig:
        """Returns how to generate: special tokens are the model's, all else is ours."""
        own = self._model.generation_config
        ends = own.eos_token_id
        named = ends if isinstance(ends, list) else [ends]
        self._ends = sorted(
            {one for one in (*named, self._tokenizer.eos_token_id) if one is not None}
        )
        pad = self._tokenizer.pad_token_id
        self._pad = pad if pad is not None else (self._ends or [0])[0]  # it is masked
        return GenerationConfig(
            do_sample=False,
            num_beams=1,
            max_new_tokens=self.config.max_new_tokens,
            pad_token_id=self._pad,
            eos_token_id=self._ends or None,
            bos_token_id=own.bos_token_id,
            decoder_start_token_id=own.decoder_start_token_id,
            forced_bos_token_id=own.forced_bos_token_id,
        )

    @property
    def context(self) -> int | None:
        """How many tokens the model can read, None if neither it nor its tokenizer says."""
        own: int | None = getattr(
            self._model.config.get_text_config(), "max_position_embeddings", None
        )
        told = int(self._tokenizer.model_max_length)
        return own or (told if told < 10**9 else None)  # a tokenizer that knows none says 10**30

    def answer(
        self, chats: Sequence[Messages], generators: Sequence[np.random.Generator]
    ) -> list[str]:
        """Returns an answer to every chat; `generators` are one a chat, for drawing.

        Raises:
            ValueError: a chat that is longer than the model's context, nothing of which is left
                out; or one that the chat template refuses.
        """
        prompts = [self._encode(chat) for chat in chats]
        for prompt in prompts:
            self._check_length(len(prompt))
        answers: list[str] = []
        for start in range(0, len(prompts), self.config.batch):
            block = slice(start, start + self.config.batch)
            answers += self._generate(prompts[block], generators[block])
        return answers

    def _encode(self, chat: Messages) -> list[int]:
        """Returns a chat as tokens, up to where the answer begins."""
        told = _without_system(chat) if self.config.system == "user" else chat
        if not self.has_template:
            text = "".join(message["content"] + _BLANK for message in told)
            ids: list[int] = self._tokenizer(text, split_special_tokens=True, verbose=False)[
                "input_ids"
            ]
            return ids
        try:
            encoded = self._tokenizer.apply_chat_template(
                told, add_generation_prompt=True, sanitize_control_tokens=True
            )
        except jinja2.TemplateError as error:
            raise ValueError(
                f"the tokenizer's chat template does not take the chat ({error}): if it has no "
                'role system, take system "user"; or take the form "plain"'
            ) from error
        ids = encoded["input_ids"]
        return ids

    def _check_length(self, length: int) -> None:
        answer = 0 if self._is_encoder_decoder else self.config.max_new_tokens
        if self.context is not None and length + answer > self.context:
            raise ValueError(
                f"a chat has {length} tokens and its answer up to {answer}, and the model reads "
                f'{self.context}: take the history "state", which does not grow, fewer '
                "max_new_tokens, shorter documents or a model that reads more; nothing is cut off"
            )

    def _generate(
        self, prompts: Sequence[list[int]], generators: Sequence[np.random.Generator]
    ) -> list[str]:
        ids, mask = self._padded(prompts)
        processors = LogitsProcessorList()
        if self.config.temperature:
            processors.append(_Draw(generators, self.config.temperature, self.config.top_p))
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=self._generation,
                logits_processor=processors,
            )
        new = written[:, 1 if self._is_encoder_decoder else ids.shape[1] :]
        return [self._decode(row) for row in new.tolist()]

    def _padded(self, prompts: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Returns prompts of one length, and which of their tokens are real."""
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self._pad)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            place = slice(len(prompt)) if self._is_encoder_decoder else slice(-len(prompt), None)
            ids[row, place] = torch.tensor(prompt)
            mask[row, place] = 1
        return ids.to(self.config.device), mask.to(self.config.device)

    def _decode(self, ids: list[int]) -> str:
        """Returns what a model wrote, as text."""
        end = next((place for place, one in enumerate(ids) if one in self._ends), None)
        self.cut += end is None
        text: str = self._tokenizer.decode(ids[:end], skip_special_tokens=True)
        return text if self.has_template else text.lstrip("\n").split(_BLANK)[0]


def _placed(model: Any, device: str) -> Any:
    """Returns a model on a device; ValueError if there is no such device here."""
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0]
        raise ValueError(f"the model cannot be put on the device {device!r} ({said})") from error


def _without_system(chat: Messages) -> Messages:
    """Returns a chat whose first message, the system's, is the head of the user's."""
    system, user, *rest = chat
    return [{**user, "content": system["content"] + _BLANK + user["content"]}, *rest]


class _Draw(LogitsProcessor):
    """Draws every row's token, and leaves no other to choose: greedy generation so samples.

    Of the tokens in order of their probability p, it keeps the fewest that have top_p together
    (Holtzman, Buys, Du, Forbes and Choi 2020, "The Curious Case of Neural Text Degeneration"), and
    takes the first whose cumulated probability is more than a uniform number.
    """

    def __init__(self, generators: Sequence[np.random.Generator], temperature: float, top_p: float):
        self._generators, self._temperature, self._top_p = generators, temperature, top_p

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        chances = torch.softmax(scores.float() / self._temperature, dim=-1)
        ranked, tokens = chances.sort(dim=-1, descending=True, stable=True)
        total = ranked.cumsum(dim=-1)
        last = (total - ranked < self._top_p).sum(dim=-1, keepdim=True) - 1
        uniform = torch.tensor([[one.random()] for one in self._generators]).to(total)
        place = (total <= uniform * total.gather(-1, last)).sum(dim=-1, keepdim=True)
        chosen = tokens.gather(-1, torch.minimum(place, last))
        return torch.full_like(scores, -torch.inf).scatter(-1, chosen, 0.0)
