"""Preferences of the environment: of two drafts of one document the one that earns more.

A tiny language expert reads an article, its sentences numbered, and writes the numbers of those
that it picks. First it learns what drafts look like, from random ones; then, by direct preference
optimisation on pairs of random drafts that `Lightbulb/NewsSummariser-Easy-v0` ranks, which are
better.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from benchmarks.backbones.small import fit, go_on
from lightbulb_backbones.dpo import Preferences, completion_log_probability, dpo_loss
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset
from lightbulb_envs.registry import make_engine

ENV = "Lightbulb/NewsSummariser-Easy-v0"
TOLD, PICKS = 10, 3
"""Tokens of a sentence that are told, and sentences of a draft."""
_BATCH, _TESTED = 24, 256
_BETA = 0.1


@dataclass(frozen=True)
class Drafts:
    """Drafts of documents: n texts of T tokens, of which the last PICKS + 1 are the draft."""

    text: Tensor  # (n, T)
    returns: NDArray[np.float64]  # (n,)


class Desk:
    """Documents of one split, and what drafts of them earn."""

    def __init__(self, split: str, rows: int):
        self.engine = make_engine(ENV, rows, split=split)
        self.rows = np.arange(rows)
        self.sentences = int(self.engine.action_space.n) - 1  # type: ignore[attr-defined]
        words = self.engine.source.vocabulary.size
        self.end, self.ask, self.first = words, words + 1, words + 2
        self.vocabulary = words + 2 + self.sentences
        self.articles = torch.zeros(0, 0, dtype=torch.long)
        self.legal: NDArray[np.bool_] = np.zeros((0, 0), dtype=bool)

    def open(self, instances: NDArray[np.int64]) -> None:
        """Takes up documents, a row each."""
        self.engine.reset(self.rows, instances)
        seen = self.engine.observe(self.rows)
        self.legal = seen["action_mask"][:, :-1].astype(bool)
        told = np.asarray(seen["tokens"])[:, :, :TOLD].astype(np.int64)
        numbers = np.arange(self.sentences)[None, :, None] + self.first
        marked = np.concatenate(
            (np.where(self.legal[:, :, None], numbers, 0), told), axis=2
        ).reshape(len(self.rows), -1)
        order = np.argsort(marked == 0, axis=1, kind="stable")  # padding behind the words
        packed = np.take_along_axis(marked, order, axis=1)
        width = int((packed != 0).any(axis=0).sum())
        self.articles = torch.from_numpy(packed[:, :width])

    def random_picks(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Returns different sentences for every row, (N, PICKS)."""
        scores = rng.random(self.legal.shape) + self.legal
        return np.argsort(-scores, axis=1)[:, :PICKS]

    def texts(self, picks: NDArray[np.int64]) -> Tensor:
        """Returns articles and drafts of them, (N, T); the articles' padding comes first."""
        count = len(self.rows)
        ask, end = (torch.full((count, 1), token) for token in (self.ask, self.end))
        article = self.articles
        shift = (article == 0).sum(dim=1)
        places = (torch.arange(article.shape[1]) - shift[:, None]) % article.shape[1]
        moved = article.gather(1, places)
        return torch.cat((moved, ask, torch.from_numpy(picks) + self.first, end), dim=1)

    def returns(self, picks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns what drafts earn; a draft ends at what is no sentence that may be picked."""
        self.engine.reset(self.rows, self.engine.instance(self.rows))
        total = np.zeros(len(self.rows))
        going = np.ones(len(self.rows), dtype=bool)
        for pick in [*picks.T, np.full(len(self.rows), -1)]:
            mask = self.engine.observe(self.rows)["action_mask"].astype(bool)
            is_pick = (pick >= 0) & (pick < self.sentences)
            fits = is_pick & mask[self.rows, np.where(is_pick, pick, 0)]
            action = np.where(fits, pick, self.sentences)
            rows = self.rows[going]
            if not len(rows):
                break
            step = self.engine.step(rows, action[going])
            total[rows] += step.reward
            going[rows] = ~(step.terminated | step.truncated)
        return total


def run(seed: int, steps: int = 300) -> dict[str, float]:
    """Returns preference accuracy on unseen documents and what sampled drafts earn there."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    desk, unseen = Desk("train", _BATCH), Desk("validation", _TESTED)
    unseen.open(np.arange(_TESTED))
    model = LanguageExpertForCausalLM(preset("tiny", vocab_size=desk.vocabulary))

    def drafts_alone() -> Tensor:
        model.train()
        desk.open(rng.integers(2**40, size=_BATCH))
        text = desk.texts(desk.random_picks(rng))
        logits = model(text, (text != 0).long()).logits[:, -PICKS - 2 : -1]
        return functional.cross_entropy(logits.flatten(0, 1), text[:, -PICKS - 1 :].flatten())

    fit(model.parameters(), drafts_alone, steps, learning_rate=1e-3)
    reference = _copied(model)
    found = {"return, before": sampled(model, unseen, seed)}

    def preferred() -> Tensor:
        desk.open(rng.integers(2**40, size=_BATCH))
        model.train(False)
        return _preferences(model, reference, desk, rng).loss

    fit(model.parameters(), preferred, steps, learning_rate=3e-4)
    with torch.no_grad():
        told = _preferences(model, reference, unseen, np.random.default_rng(seed + 1_000_000))
    found["accuracy, after"] = float(told.accuracy)
    found["return, after"] = sampled(model, unseen, seed)
    found["return of random drafts"] = float(unseen.returns(unseen.random_picks(rng)).mean())
    return found


def sampled(model: LanguageExpertForCausalLM, desk: Desk, seed: int) -> float:
    """Returns what drafts that a model samples of what may be picked earn, on average."""
    nobody = np.zeros((len(desk.rows), PICKS), dtype=np.int64)
    start = desk.texts(nobody)[:, : -PICKS - 1]
    torch.manual_seed(seed)

    def legal(row: int, tokens: Tensor) -> list[int]:
        picked = set(tokens[start.shape[1] :].tolist())
        numbers = np.flatnonzero(desk.legal[row]) + desk.first
        return [number for number in numbers.tolist() if number not in picked]

    told = go_on(model, start, PICKS, do_sample=True, top_k=0, prefix_allowed_tokens_fn=legal)
    picks = told[:, -PICKS:].numpy() - desk.first
    return float(desk.returns(picks).mean())


def _preferences(
    model: LanguageExpertForCausalLM,
    reference: LanguageExpertForCausalLM,
    desk: Desk,
    rng: np.random.Generator,
) -> Preferences:
    """Returns what a model has learnt of pairs of random drafts of the documents of a desk."""
    pair = [Drafts(desk.texts(picks), desk.returns(picks)) for picks in _two(desk, rng)]
    first_wins = torch.from_numpy(pair[0].returns > pair[1].returns)
    differ = torch.from_numpy(np.abs(pair[0].returns - pair[1].returns) > 1e-9)
    logs = []
    for one in (model, reference):
        with torch.set_grad_enabled(torch.is_grad_enabled() and one is model):
            logs.append([_log_probability(one, drafts.text) for drafts in pair])
    (own, theirs), wins = logs, first_wins[differ]

    def ranked(two: list[Tensor]) -> tuple[Tensor, Tensor]:
        left, right = (one[differ] for one in two)
        return torch.where(wins, left, right), torch.where(wins, right, left)

    return dpo_loss(*ranked(own), *ranked(theirs), beta=_BETA)


def _copied(model: LanguageExpertForCausalLM) -> LanguageExpertForCausalLM:
    copied: LanguageExpertForCausalLM = copy.deepcopy(model)
    copied.train(False)
    return copied


def _two(desk: Desk, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return desk.random_picks(rng), desk.random_picks(rng)


def _log_probability(model: LanguageExpertForCausalLM, text: Tensor) -> Tensor:
    logits = model(text, (text != 0).long()).logits
    of_draft = torch.zeros_like(text, dtype=torch.bool)
    of_draft[:, -PICKS - 1 :] = True
    found: Tensor = completion_log_probability(logits, text, of_draft)
    return found
