"""Canaries do what their names say, in every form of picking."""

from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

import lightbulb_envs
from lightbulb_envs.baselines import canaries
from lightbulb_envs.baselines.canaries import (
    CANARIES,
    Constant,
    FirstLegal,
    Scripted,
    canaries_of,
)
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"
SLATE = "Lightbulb/NewsSummariser-Slate-v0"
SUBSET = "Lightbulb/NewsSummariser-Subset-v0"


def drafts_of(name, env_id=ID, count=5, **settings):
    """Returns the drafts of a canary on the first documents, its episodes, and the engine."""
    canary = CANARIES[name]
    if canary.planted is not None:
        settings["source"] = f"planted:{canary.planted}"
    engine = lightbulb_envs.make_engine(env_id, count, split="validation", **settings)
    episodes = roll_out(canary.make(engine), engine, np.arange(count))
    return [engine.draft(row) for row in range(count)], episodes, engine


def lengths(engine, count=5):
    return [len(engine.source.document(instance).sentences) for instance in range(count)]


@pytest.mark.parametrize("env_id", [ID, SLATE, SUBSET])
def test_picks_by_position_are_the_same_in_every_form(env_id):
    drafts, _, engine = drafts_of("lead-k", env_id)
    assert drafts == [(0, 1, 2, 3)] * 5
    drafts, _, _ = drafts_of("tail-k", env_id)
    assert drafts == [tuple(range(n - 4, n)) for n in lengths(engine)]
    drafts, episodes, _ = drafts_of("nothing", env_id)
    assert drafts == [()] * 5
    assert [episode.episode_return for episode in episodes] == [0.0] * 5
    drafts, _, _ = drafts_of("everything", env_id, budget=engine.source.max_sentences)
    assert drafts == [tuple(range(n)) for n in lengths(engine)]


def test_a_budget_of_words_is_used_up_from_the_end_that_is_named():
    settings = {"budget": 40, "budget_unit": "words"}
    for name, first in (("lead-k", 0), ("tail-k", -1)):
        drafts, _, engine = drafts_of(name, **settings)
        for instance, draft in enumerate(drafts):
            count = len(engine.source.document(instance).sentences)
            assert draft[0] == range(count)[first]
            batch = engine.source.batch(np.array([instance]))
            words = (batch.words[0] >= 0).sum(axis=1)
            left = 40 - words[list(draft)].sum()
            assert 0 <= left < min(words[s] for s in range(count) if s not in draft)


def test_the_longest_sentences_have_the_most_words():
    drafts, _, engine = drafts_of("longest-k")
    for instance, draft in enumerate(drafts):
        words = (engine.source.batch(np.array([instance])).words[0] >= 0).sum(axis=1)
        assert min(words[list(draft)]) >= max(np.delete(words, list(draft)))


def test_the_keyword_richest_sentences_by_hand(write_jsonl):
    article = [
        "The mayor won.",
        "A cat slept.",
        "The mayor of Bor won Bor.",
        "It was the end of it.",
    ]
    path = write_jsonl([{"article": article, "summary": "The mayor won."}])
    engine = lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{path}", budget=2)
    roll_out(CANARIES["keyword-rich"].make(engine), engine, np.array([0]))
    assert engine.draft(0) == (2, 0)


def test_repeating_the_best_sentence_costs_a_penalty_at_every_step():
    drafts, episodes, engine = drafts_of("repeat-best")
    control = Scripted(engine.task, canaries.best)
    alone = roll_out(control, engine, np.arange(5))
    for draft, episode, honest in zip(drafts, episodes, alone, strict=True):
        assert set(episode.actions) == set(draft) == set(honest.actions) - {engine.stop}
        assert episode.truncated
        assert len(episode.actions) == 64
        assert episode.episode_return == pytest.approx(honest.episode_return - 63 * 0.01)


@pytest.mark.parametrize("env_id", [SLATE, SUBSET])
def test_repeating_the_best_sentence_at_once_earns_what_it_earns_alone(env_id):
    _, episodes, engine = drafts_of("repeat-best", env_id)
    alone = roll_out(Scripted(engine.task, canaries.best), engine, np.arange(5))
    for episode, honest in zip(episodes, alone, strict=True):
        assert episode.episode_return == honest.episode_return


def test_the_best_sentence_earns_more_than_any_other():
    engine = lightbulb_envs.make_engine(ID, 1, split="validation")
    (episode,) = roll_out(Scripted(engine.task, canaries.best), engine, np.array([2]))
    for sentence in range(len(engine.source.document(2).sentences)):
        other = Scripted(engine.task, lambda *_, sentence=sentence: [sentence])
        assert roll_out(other, engine, np.array([2]))[0].episode_return <= episode.episode_return


@pytest.mark.parametrize("name", [name for name in CANARIES if CANARIES[name].planted is not None])
@pytest.mark.parametrize("env_id", [ID, SUBSET])
def test_canaries_of_planted_text_pick_it(name, env_id):
    drafts, _, engine = drafts_of(name, env_id)
    for instance, draft in enumerate(drafts):
        hidden = engine.source.planted(instance)
        if name.startswith("greedy"):
            continue
        if name.startswith("best"):
            assert draft == (draft[0], hidden[draft[0]])
        else:
            assert draft
            assert set(draft) <= set(hidden)


def test_copies_are_those_of_the_best_sentences():
    drafts, _, engine = drafts_of("homoglyphs copies")
    best = [
        tuple(canaries.best(engine.task, engine.source.batch(np.array([one])), 0))
        for one in range(5)
    ]
    for instance, draft in enumerate(drafts):
        assert len(draft) == 4
        assert draft[0] == engine.source.planted(instance)[best[instance][0]]


def test_greedy_is_the_baseline_on_plain_documents():
    engine = lightbulb_envs.make_engine(ID, 5, split="validation")
    ours = roll_out(Scripted(engine.task, canaries.greedy), engine, np.arange(5))
    theirs = lightbulb_envs.baselines.make_baseline("greedy", engine)
    assert ours == roll_out(theirs, engine, np.arange(5))


def test_planted_text_is_asked_for_where_there_is_none():
    engine = lightbulb_envs.make_engine(ID, 1)
    with pytest.raises(ValueError, match="nothing is planted here: make the environment with"):
        roll_out(CANARIES["word_soup"].make(engine), engine, np.array([0]))


def test_an_engine_of_another_kind_has_canaries_that_do_not_look():
    labels = canaries_of(SimpleNamespace(action_space=Discrete(3)))
    assert list(labels) == ["first legal", "last legal", "always 0", "always 1", "always 2"]
    assert list(canaries_of(SimpleNamespace(action_space=Discrete(99)))) == [
        "first legal",
        "last legal",
    ]
    assert canaries_of(SimpleNamespace(action_space=Box(0, 1))) == {}
    assert canaries_of(lightbulb_envs.make_engine(SLATE, 1)) is CANARIES


def test_the_first_and_last_legal_actions_by_hand():
    mask = np.array([[0, 1, 1, 0], [1, 0, 0, 0]], dtype=np.int8)

    def act(space, masks, is_last):
        return FirstLegal(space, is_last=is_last).act({"action_mask": masks}, {}).tolist()

    assert act(Discrete(4), mask, False) == [1, 0]
    assert act(Discrete(4), mask, True) == [2, 0]
    assert act(MultiDiscrete([4, 4]), mask[None], True) == [[2, 0]]
    assert act(MultiBinary(4), mask, False) == [[0] * 4] * 2
    assert act(MultiBinary(4), mask, True) == mask.tolist()
    with pytest.raises(ValueError, match="canaries act in spaces of `actions`"):
        FirstLegal(Box(0, 1), is_last=True)


def test_a_constant_action_gives_way_where_it_is_illegal():
    mask = np.array([[1, 1, 0], [0, 1, 1]], dtype=np.int8)
    assert Constant(Discrete(3), 0).act({"action_mask": mask}, {}).tolist() == [0, 2]
