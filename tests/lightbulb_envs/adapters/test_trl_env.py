"""TRL's own GRPOTrainer plays our environments through a scripted model."""

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import get_json_schema
from trl import GRPOConfig, GRPOTrainer
from trl.chat_template_utils import qwen3_chat_template

from lightbulb_envs.adapters.text import TextWrapper, make_text_env
from lightbulb_envs.adapters.trl_env import TrlEnv, ended, environment_factory, episode_returns

ROOT = Path(__file__).parents[3]
PICK, READ = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
END, PAD = "<|im_end|>", "<|endoftext|>"
LEGAL = re.compile(r"Legal answers: (\d+)(?:-(\d+))?(?:, (\d+))?")

pytestmark = [
    # TRL says so of every environment_factory; its version is pinned.
    pytest.mark.filterwarnings(
        "ignore:You are using 'environment_factory', which is an experimental feature:UserWarning"
    ),
    # TRL 1.16 calls what transformers 5.23 has newer names for.
    pytest.mark.filterwarnings(
        r"ignore:.(is_)?gradient_checkpointing\w*. is deprecated and will be removed:FutureWarning"
    ),
]

Policy = Callable[[int, str], str]
"""From the number of a rollout, and what it was told, to what it writes."""


def _call(answer: str) -> str:
    """Returns how Qwen3 calls the tool."""
    call = {"name": "answer", "arguments": {"text": answer}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Qwen3's chat template over subwords of a few articles."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    rows = environment_factory(PICK).rows(8, seed=1)
    texts = [TrlEnv(PICK).reset(**row) for row in rows] + [qwen3_chat_template]
    inner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=1000,
            special_tokens=[PAD, "<|im_start|>", END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    whole = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=END, pad_token=PAD)
    whole.chat_template = qwen3_chat_template
    return whole


def _scripted(policy: Policy, tokenizer: PreTrainedTokenizerFast):
    """Returns what generates a policy's words, in place of a model's own."""

    def generate(input_ids, attention_mask, **settings):
        told = [row[mask.bool()] for row, mask in zip(input_ids, attention_mask, strict=True)]
        written = [policy(*one) + END for one in enumerate(tokenizer.batch_decode(told))]
        replies = [torch.tensor(tokenizer(text)["input_ids"]) for text in written]
        padded = torch.nn.utils.rnn.pad_sequence(
            replies, batch_first=True, padding_value=tokenizer.pad_token_id
        )
        return torch.cat([input_ids, padded], dim=1)

    return generate


def _small_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            max_position_embeddings=8192,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _pick_two(rollout: int, told: str) -> str:
    """Picks the first or the second sentence that it may, then another one, and stops."""
    turn = told.count("<tool_response>")
    if turn == 2:
        return _call("stop")
    if turn > 2:
        return "Done."
    legal = LEGAL.findall(told)[-1]
    first, last = int(legal[0]), int(legal[1] or legal[2])
    return _call(str((first if rollout % 2 else last) if turn == 0 else first))


@dataclass
class Played:
    """What a rollout came to, as a reward function of the trainer sees it."""

    asked: int
    """The instance of its row."""
    instance: int
    messages: list[dict[str, str]]
    episode_return: float
    has_ended: bool

    @property
    def answers(self) -> list[str]:
        return [one["content"] for one in self.messages if one["role"] == "assistant"]


class Watch:
    """A reward function that pays nothing, and writes down what was played."""

    __name__ = "watch"

    def __init__(self):
        self.played: list[Played] = []

    def __call__(self, environments, instance, **columns):
        for one, asked in zip(environments, instance, strict=True):
            told = one.info["instance"], one.info["messages"]
            self.played.append(Played(asked, *told, one.episode_return, one.has_ended))
        return [0.0] * len(environments)


@pytest.fixture
def train(tokenizer, tmp_path):
    """Trains on the CPU; returns the rollouts in their order, and what the trainer logged."""

    def run(policy, factory, rows, rewards=(), **settings):
        watch = Watch()
        given = {"num_generations": 2, "max_completion_length": 4096, "max_steps": 2, **settings}
        model = _small_model(tokenizer)
        model.generate = _scripted(policy, tokenizer)
        trainer = GRPOTrainer(
            model,
            reward_funcs=[episode_returns, *rewards, watch],
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            environment_factory=factory,
            args=GRPOConfig(
                output_dir=str(tmp_path),
                use_cpu=True,
                per_device_train_batch_size=4,
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                **given,
            ),
        )
        trainer.train()
        return watch.played, [one for one in trainer.state.log_history if "reward" in one]

    return run


def _replayed(one: Played, env_id: str) -> tuple[float, list[dict[str, str]]]:
    """Returns the return and the chat of a rollout's answers, without TRL."""
    env = TextWrapper(gymnasium.make(env_id))
    _, info = env.reset(options={"instance": one.asked})
    total = 0.0
    for answer in one.answers:
        _, reward, _, _, info = env.step(answer)
        total += reward
    return total, info["messages"]


def test_a_real_trainer_plays_whole_episodes_and_is_paid_their_returns(train):
    factory = environment_factory(PICK)
    played, log = train(_pick_two, factory, factory.rows(4, seed=3))
    assert len(played) == 8
    for one in played:
        assert one.has_ended
        assert len(one.answers) == 3
        assert (one.episode_return, one.messages) == _replayed(one, PICK)
    for step, logged in enumerate(log):
        returns = [one.episode_return for one in played[4 * step : 4 * step + 4]]
        mean = pytest.approx(sum(returns) / 4)
        assert logged["rewards/episode_returns/mean"] == mean
        assert logged["reward"] == mean
        assert sum(logged[name] for name in logged if name.startswith("reward_parts/")) == mean
        assert logged["has_ended"] == 1
        assert logged["tools/call_frequency"] == 3
        assert logged["tools/failure_frequency"] == 0


def test_all_rollouts_of_a_group_play_its_rows_instance_however_many_they_are(train):
    factory = environment_factory(PICK, level=1)
    rows = factory.rows(4, seed=3)
    orders = []
    for rollouts, workers in ((2, 0), (4, 2)):
        given = {"num_generations": rollouts, "dataloader_num_workers": workers}
        played, _ = train(_pick_two, factory, rows, max_steps=rollouts // 2, **given)
        groups = [played[at : at + rollouts] for at in range(0, len(played), rollouts)]
        for group in groups:
            assert {one.instance for one in group} == {one.asked for one in group}
            assert len({one.instance for one in group}) == 1
            assert len({one.messages[1]["content"] for one in group}) == 1
            assert group[0].answers != group[1].answers
        orders.append([group[0].instance for group in groups])
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == 2
    assert {*orders[0]} < {row["instance"] for row in rows}


def _misbehave(rollout: int, told: str) -> str:
    """Answers once: by prose, by another tool, by a number that is no string; or past the end."""
    if "<tool_response>" in told:
        return "I have said it."
    return (
        "I would say 2.",
        _call("2").replace("answer", "reply", 1),
        _call("2").replace('"2"', "2"),
        _call("2") + "\n" + _call("1"),
    )[rollout]


def test_what_a_model_does_wrong_is_told_and_stops_no_training(train):
    factory = environment_factory(READ)
    played, (logged,) = train(_misbehave, factory, factory.rows(2, 0), (ended,), max_steps=1)
    assert [one.answers for one in played] == [[], [], [], ["2"]]
    assert [one.has_ended for one in played] == [False, False, False, True]
    assert [one.episode_return for one in played[:3]] == [0, 0, 0]
    assert abs(played[3].episode_return) == 1
    assert logged["rewards/ended/mean"] == logged["has_ended"] == 0.25
    assert logged["tools/failure_frequency"] == 0.75  # of four calls


def _answer_once(rollout: int, told: str) -> str:
    return "Done." if "<tool_response>" in told else _call("1")


def test_one_run_mixes_environments(train):
    factories = {"pick": environment_factory(PICK), "read": environment_factory(READ)}
    rows = [
        {"environment": name, **row}
        for name, factory in factories.items()
        for row in factory.rows(1, seed=5)
    ]
    played, _ = train(_answer_once, factories, rows, max_steps=1)
    told = [one.messages[0]["content"].split()[0] for one in played]
    assert sorted(told) == ["Say", "Say", "Summarise", "Summarise"]
    for one in played:
        env_id = PICK if one.messages[0]["content"].startswith("Summarise") else READ
        assert (one.episode_return, one.messages) == _replayed(one, env_id)


@given(st.integers(0, 1 << 40), st.integers(1, 6), st.integers(0, 3), st.sampled_from([None, 5]))
def test_rows_are_the_instances_of_the_seed_the_first_the_same_for_every_count(
    seed, count, more, num_instances
):
    factory = environment_factory(PICK, num_instances=num_instances)
    instances = [row["instance"] for row in factory.rows(count, seed)]
    assert [row["instance"] for row in factory.rows(count + more, seed)][:count] == instances
    env = gymnasium.make(PICK, num_instances=num_instances)
    played = [env.reset(seed=seed)[1]["instance"]]
    played += [env.reset()[1]["instance"] for _ in instances[1:]]
    assert played == instances


@settings(max_examples=25)
@given(st.integers(0, 1 << 50), st.integers(0, 1 << 31), st.sampled_from([PICK, READ]))
def test_a_row_says_which_episode_it_is_and_its_other_columns_do_not(instance, seed, env_id):
    wrapper, first, second = make_text_env(env_id), TrlEnv(env_id), TrlEnv(env_id)
    second.reset(seed=seed + 1)
    second.answer("1")
    for row, told in (
        ({"instance": instance}, {"options": {"instance": instance}}),
        ({"seed": seed}, {"seed": seed}),
    ):
        opening = first.reset(**row)
        assert second.reset(prompt=[], topic="x", **row) == opening
        assert wrapper.reset(**told)[1]["messages"][1]["content"] == opening
        assert (second.episode_return, second.reward_parts, second.has_ended) == (0, {}, False)


@pytest.mark.parametrize("row", [{}, {"prompt": []}, {"instance": 1, "seed": 1}])
def test_a_row_that_leaves_its_episode_to_chance_is_refused(row):
    with pytest.raises(ValueError, match="must have an instance or a seed, and not both") as error:
        TrlEnv(PICK).reset(**row)
    assert "makes rows" in str(error.value)


@settings(max_examples=25)
@given(
    st.lists(st.text() | st.sampled_from(["0", "1", "2", "stop", "99"]), max_size=8),
    st.sampled_from([PICK, READ]),
)
def test_answers_are_paid_what_the_text_wrapper_pays(texts, env_id):
    env, wrapper = TrlEnv(env_id), make_text_env(env_id)
    env.reset(instance=4)
    wrapper.reset(options={"instance": 4})
    total, has_ended = 0.0, False
    for text in texts:
        _, reward, terminated, truncated, info = wrapper.step(text)
        total, has_ended = total + reward, terminated or truncated
        assert env.answer(text) == info["messages"][-1]["content"]
        assert env.info["messages"] == info["messages"]
        if has_ended:
            break
    assert (env.episode_return, env.has_ended) == (total, has_ended)
    assert sum(env.reward_parts.values()) == pytest.approx(total)
    if has_ended:
        with pytest.raises(RuntimeError, match="takes no more answers"):
            env.answer("1")
        assert env.episode_return == total


def test_answer_is_the_one_tool_and_its_schema_says_what_it_takes():
    public = [name for name in vars(TrlEnv) if not name.startswith("_")]
    assert public == ["reset", "answer"]
    schema = get_json_schema(TrlEnv(PICK).answer)["function"]
    assert schema["name"] == "answer"
    assert schema["parameters"]["required"] == ["text"]
    text = schema["parameters"]["properties"]["text"]
    assert text == {"type": "string", "description": "The answer, written as the task asks for it."}


def test_returns_are_for_our_environments_and_others_are_left_out():
    env = TrlEnv(PICK)
    env.reset(instance=0)
    logged = {}
    assert episode_returns([env, object()], log_metric=logged.__setitem__) == [0.0, None]
    assert logged == {"has_ended": 0.0}
    assert ended([object(), env]) == [None, 0.0]


def test_a_factory_survives_pickling_and_says_at_once_what_is_wrong():
    factory = pickle.loads(pickle.dumps(environment_factory(PICK, level=1)))
    assert factory.rows(2, 0) == environment_factory(PICK, level=1).rows(2, 0)
    assert factory().reset(instance=7) == TrlEnv(PICK, level=1).reset(instance=7)
    with pytest.raises(ValueError, match="there are Lightbulb/NewsSummariser-Easy-v0"):
        environment_factory("Lightbulb/NewsSummarizer-v0")
    with pytest.raises(TypeError, match="unknown keyword 'levle'"):
        environment_factory(PICK, levle=1)
    with pytest.raises(ValueError, match="count must be 1 or more, got 0"):
        factory.rows(0, 0)


def test_it_loads_neither_trl_nor_torch():
    code = (
        "import sys; from lightbulb_envs.adapters import trl_env;"
        "trl_env.environment_factory('Lightbulb/NewsSummariser-v0').rows(1, 0);"
        "print([m for m in ('trl', 'torch', 'transformers', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_of_the_page_trains(tokenizer, tmp_path, monkeypatch):
    page = (ROOT / "docs/language_models.md").read_text(encoding="utf-8")
    code, _ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    folder = tmp_path / "model"
    _small_model(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for old, new in (
        ('"Qwen/Qwen3-0.6B"', repr(str(folder))),
        ("max_steps=500", "max_steps=1, logging_steps=1, use_cpu=True"),
    ):
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    generate = _scripted(_pick_two, tokenizer)
    monkeypatch.setattr(LlamaForCausalLM, "generate", lambda self, **told: generate(**told))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, "language_models.md", "exec"), names)
    logged = names["trainer"].state.log_history[0]
    assert logged["rewards/episode_returns/mean"] > 0 < logged["has_ended"]
