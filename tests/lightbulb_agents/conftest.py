"""What the agents' tests share: a small network, its trunk, rollouts, and small language models."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput

import lightbulb_envs
from lightbulb_agents.actor_critic import ActorCriticConfig, make_actor_critic
from lightbulb_agents.collector import EpisodeCollector
from lightbulb_agents.config import TrainConfig
from lightbulb_agents.layout import Layout
from lightbulb_agents.network import ActorCriticNetwork, NetworkConfig
from lightbulb_agents.train import run_training
from lightbulb_agents.training import Training
from lightbulb_agents.trunk import Trunk
from lightbulb_backbones import BackboneConfig

ID = "Lightbulb/NewsSummariser-v0"
SMALL = NetworkConfig(BackboneConfig("bag", width=16, heads=2))


class Learner:
    """An algorithm, its collector and what they share."""

    def __init__(self, name: str = "ppo", rows: int = 16, seed: int = 0, **settings: Any):
        torch.manual_seed(seed)
        limit = settings.pop("max_steps", None)
        self.engine = lightbulb_envs.make_engine(ID, rows, **settings)
        if limit is not None:
            self.engine = type(self.engine)(self.engine.config, rows, limit)
        self.network = ActorCriticNetwork(
            self.engine.source.vocabulary.size,
            "pointer",
            Layout.of(self.engine.observation_space, self.engine.action_space),
            SMALL,
        )
        self.trunk = Trunk(self.network)
        self.config = ActorCriticConfig()
        self.algorithm = make_actor_critic(name, self.trunk, self.engine.action_space, self.config)
        generator = torch.Generator()
        generator.manual_seed(seed)
        self.collector = EpisodeCollector(
            self.algorithm.policy,
            self.trunk,
            self.engine,
            2,
            generator,
            np.random.default_rng(seed),
        )
        self.collector.stream.seed(seed)

    def collect(self) -> Any:
        """Plays one rollout and returns its batch."""
        self.collector.collect(n_episode=self.engine.num_envs)
        return self.collector.buffer.sample(0)[0]


@pytest.fixture
def make_learner() -> Callable[..., Learner]:
    """Makes learners."""
    return Learner


TEMPLATE = (
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A tokenizer that reads any text byte by byte or in a few words, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    marks = ["<system>", "<user>", "<assistant>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<end>", *marks],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    engine = lightbulb_envs.make_engine(ID, 1)
    texts = [engine.source.document(number).text for number in range(20)]
    pieces.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        pad_token="<pad>",
        eos_token="<end>",
        additional_special_tokens=marks,
    )
    made.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="session")
def model_folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Llama of a few random weights, whose answers are gibberish."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=8192,
        initializer_range=1.0,  # so that what comes next depends on what came before
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def write_script(tokenizer: Any, tmp_path: Path) -> Callable[..., Path]:
    """Writes the folder of a model that gives scripted answers, one a turn, the last for ever."""

    def write(*answers: str) -> Path:
        folder = tmp_path / "script"
        tokens = [tokenizer(answer)["input_ids"] for answer in answers]
        ends, asks = tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<assistant>")
        config = ScriptConfig(
            vocab_size=len(tokenizer), answers=tokens, eos_token_id=ends, mark_token_id=asks
        )
        ScriptModel(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return write


class ScriptConfig(PreTrainedConfig):
    """What a scripted model answers, as tokens."""

    model_type = "lightbulb-script"

    def __init__(
        self,
        vocab_size: int = 8,
        answers: Sequence[Sequence[int]] = ((),),
        mark_token_id: int = 0,
        **others: Any,
    ):
        self.vocab_size, self.answers, self.mark_token_id = vocab_size, answers, mark_token_id
        self.num_hidden_layers = 1  # which a cache asks for
        super().__init__(**others)


class ScriptModel(PreTrainedModel, GenerationMixin):
    """Writes the answer of the turn that it is: the mark of an answer tells how many there were."""

    config_class = ScriptConfig
    main_input_name = "input_ids"

    def __init__(self, config: ScriptConfig):
        super().__init__(config)
        self.tokens = nn.Embedding(config.vocab_size, 1)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.tokens

    def prepare_inputs_for_generation(
        self, input_ids: Any, attention_mask: Any = None, **others: Any
    ) -> dict[str, Any]:
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def forward(self, input_ids: Any, attention_mask: Any, **others: Any) -> CausalLMOutput:
        logits = torch.zeros(*input_ids.shape, self.config.vocab_size)
        is_real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        for row, (all_ids, mask) in enumerate(zip(input_ids, is_real.bool(), strict=True)):
            ids = all_ids[mask].tolist()
            marks = [place for place, one in enumerate(ids) if one == self.config.mark_token_id]
            answer = self.config.answers[min(len(marks), len(self.config.answers)) - 1]
            said = len(ids) - marks[-1] - 1
            token = answer[said] if said < len(answer) else self.config.eos_token_id
            logits[row, -1, token] = 1.0
        return CausalLMOutput(logits=logits)


AutoConfig.register("lightbulb-script", ScriptConfig)
AutoModelForCausalLM.register(ScriptConfig, ScriptModel)


@pytest.fixture
def run_in_two_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[[TrainConfig], None]:
    """Trains a run that is stopped after its first update, and goes on."""

    def run(config: TrainConfig) -> None:
        own = Training.update

        def stopping(self: Training) -> dict[str, float]:
            if self.steps:
                raise KeyboardInterrupt
            return own(self)

        with monkeypatch.context() as patch:
            patch.setattr(Training, "update", stopping)
            with pytest.raises(KeyboardInterrupt):
                run_training(config)
        run_training(replace(config, resume=True))

    return run
