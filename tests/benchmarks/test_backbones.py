"""Tasks of the backbones' parts ask what they say they ask."""

import json
import sys

import numpy as np
import pytest
import torch

from benchmarks.backbones import __main__ as command
from benchmarks.backbones import preferences, recall, report, retrieval, routing, selective_copying
from benchmarks.backbones.small import ATTENTION, KINDS, TIME_INVARIANT, SmallNetwork
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset
from lightbulb_envs.registry import make_engine


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_what_is_to_be_copied_stands_in_the_text_in_its_order():
    text, wanted = selective_copying.draw(20, 48, _generator())
    for tokens, answer in zip(text[:, :48], wanted, strict=True):
        assert (tokens[tokens != 0] - 2).tolist() == answer.tolist()
    assert (text[:, 48:] == 1).all()


def test_what_is_to_be_recalled_was_told():
    text, wanted = recall.draw(20, _generator())
    half = 2 * recall.PAIRS
    for tokens, answer in zip(text.tolist(), wanted.tolist(), strict=True):
        told = dict(zip(tokens[:half:2], tokens[1:half:2], strict=True))
        assert [told[key] - recall.KEYS for key in tokens[half::2]] == answer


def test_passages_tell_the_world_and_questions_do_not():
    world = retrieval.draw_world(_generator())
    passages = retrieval.passages_of(world)
    assert (passages[:, 2] - 3 - retrieval.ENTITIES).tolist() == world.tolist()
    assert (passages[:, 1] - 3).tolist() == list(range(retrieval.ENTITIES))


@pytest.mark.parametrize("family", routing.FAMILIES)
def test_texts_of_a_family_say_which_they_are_of_and_count_what_can_be_told(family):
    families = routing.Families(0)
    text, counted = families.draw(family, 6, _generator())
    other, _ = routing.Families(0).draw(family, 6, _generator())
    assert torch.equal(text, other)
    assert (text[:, :4] == 1 + routing.FAMILIES.index(family)).all()
    assert text.shape == counted.shape == (6, 40)
    assert counted.any(dim=1).all()
    assert not counted[:, :4].any()
    if family == "copying":
        told = text[:, 4:34][text[:, 4:34] > text[:, 4:34].min()].view(6, -1)
        assert torch.equal(told, text[counted].view(6, -1))


def test_drafts_earn_what_the_environment_pays_and_texts_hold_them():
    desk = preferences.Desk("validation", 5)
    desk.open(np.arange(5))
    picks = desk.random_picks(np.random.default_rng(0))
    assert all(len(set(row)) == preferences.PICKS for row in picks.tolist())
    engine = make_engine(preferences.ENV, 1, split="validation")
    for row, returned in enumerate(desk.returns(picks)):
        engine.reset(np.array([0]), np.array([row]))
        total = 0.0
        for pick in [*picks[row], desk.sentences]:
            step = engine.step(np.array([0]), np.array([pick]))
            total += float(step.reward[0])
            if step.terminated[0]:
                break
        assert returned == pytest.approx(total)
    text = desk.texts(picks)
    assert (text[:, -4:-1].numpy() - desk.first).tolist() == picks.tolist()
    assert not (text[:, 1:] == 0)[text[:, :-1] != 0].any()  # padding comes first
    nothing = np.full((5, preferences.PICKS), -1)
    assert desk.returns(nothing).tolist() == [0.0] * 5


def test_sampled_drafts_are_of_different_sentences_that_may_be_picked(monkeypatch):
    torch.manual_seed(0)
    desk = preferences.Desk("validation", 8)
    desk.open(np.arange(8))
    model = LanguageExpertForCausalLM(preset("tiny", vocab_size=desk.vocabulary))
    drafts = []
    monkeypatch.setattr(desk, "returns", lambda picks: drafts.append(picks) or np.ones(len(picks)))
    assert preferences.sampled(model, desk, seed=0) == 1.0
    assert preferences.sampled(model, desk, seed=1) == 1.0
    assert drafts[0].shape == (8, preferences.PICKS)
    assert (drafts[0] != drafts[1]).any()
    for picks in drafts:
        assert all(len(set(row)) == preferences.PICKS for row in picks.tolist())
        assert np.take_along_axis(desk.legal, picks, axis=1).all()


def test_networks_of_all_kinds_have_about_the_same_size_and_see_the_past_alone():
    counts = {}
    for kind in KINDS:
        torch.manual_seed(0)
        network = SmallNetwork(kind, 9)
        counts[kind] = sum(one.numel() for one in network.parameters())
        text = torch.randint(9, (2, 12), generator=_generator())
        later = text.clone()
        later[:, 8] = (later[:, 8] + 1) % 9
        with torch.no_grad():
            one, other = network(text), network(later)
        assert torch.allclose(one[:, :8], other[:, :8], atol=1e-5)
        assert not torch.allclose(one[:, 8:], other[:, 8:], atol=1e-5)
    assert counts[KINDS[1]] == pytest.approx(counts[ATTENTION], rel=0.05)
    assert counts[TIME_INVARIANT] == pytest.approx(counts[ATTENTION], rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("task", report.TASKS)
def test_every_task_measures_numbers(task):
    told = command.run_task(task, 0, steps=2)
    assert all(np.isfinite(value) for value in told["measured"].values())


@pytest.fixture
def _measured(tmp_path, monkeypatch):
    """Results of three seeds of two tasks."""
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    for seed in report.SEEDS:
        for task, numbers in {
            "recall": {"mamba: accuracy": 0.5 + seed / 10, "mamba: weights": 1234.0},
            "routing": {
                "routed: loss": 1.0,
                "routed: grammar read by rag": seed / 2,
                "rag alone: loss": 1.0 + seed / 10,
            },
        }.items():
            told = {"measured": numbers, "processor_seconds": 1, "machine": {}}
            report.results_of(task, seed).write_text(json.dumps(told))


@pytest.mark.usefixtures("_measured")
def test_the_command_tells_what_was_measured_and_measures_nothing_twice(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["backbones", "--only", "recall"])
    command.main()
    assert "recall: mamba: accuracy: 0.600" in capsys.readouterr().out


@pytest.mark.usefixtures("_measured")
def test_tables_have_a_row_a_network_and_tell_who_reads_apart():
    assert report.parts_table("recall").splitlines() == [
        "|  | accuracy | weights |",
        "| --- | ---: | ---: |",
        "| mamba | 0.60 (0.35 to 0.85) | 1,234 |",
    ]
    assert report.parts_table("routing").splitlines()[2:] == [
        "| routed | 1.00 |",
        "| rag alone | 1.10 (0.85 to 1.35) |",
    ]
    assert report.routing_gains_table().splitlines()[2:] == [
        "| rag alone | -0.100 (-0.348 to 0.148) | +0.000 / -0.100 / -0.200 |",
    ]
    assert report.readers_table().splitlines()[::2] == [
        "| texts | rag |",
        "| routed: grammar | 0.00 / 0.50 / 1.00 |",
    ]
    assert report.parts_table("search") == "*Not measured yet.*"
