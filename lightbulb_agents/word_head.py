"""The head of writing word by word: scores for words and STOP, and the value of the draft.

A word's score is that of the best place in the article at which it may be copied, and one of its
own (after the pointer-generator network of See et al. 2017, "Get To The Point", whose places are
not compared with the draft). What a place is worth follows from the words around it, from its
sentence, and from the draft: whether the words before it are those written last, whether it was
copied already, how much of its sentence was, and how much its sentence repeats what was copied.

Letters of shapes: E articles, S sentences, P places, W words, n drafts, K words written, D width.
"""

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightbulb_agents.articles import Articles, Drafts
from lightbulb_agents.copying import (
    ENDS,
    FEATURES,
    LAST,
    Places,
    compare_places,
    coverage_of,
    find_places,
    places_copied,
    words_last,
    words_used,
)
from lightbulb_agents.layout import Layout

_LIKENESSES = 4
"""Ways in which sentences are compared with each other."""
_NOWHERE = -1e4
"""What makes the state of a place that is none zero."""


@dataclass(frozen=True)
class WordPages(Articles):
    """E articles place by place, and their words."""

    word: Tensor  # (E, P), the word at a place; W where there is none
    before: Tensor  # (E, P, 3), the words before it, -1 before the sentence
    sentence: Tensor  # (E, P)
    is_last: Tensor  # (E, P), whether the sentence ends with it
    place: Tensor  # (E, P, D / 2), a place's own share of its score
    words: Tensor  # (E, W, D)
    likeness: Tensor  # (E, S, S * H)
    gist: Tensor  # (E, D)
    states: Tensor  # (E, S, D)

    def followed_by(self, others: "WordPages") -> "WordPages":
        """Returns these articles and, after them, others, with as many places in each."""
        most = max(self.word.shape[1], others.word.shape[1])
        own, theirs = self._widened(most), others._widened(most)
        return super(WordPages, own).followed_by(theirs)

    def _widened(self, places: int) -> "WordPages":
        more = places - self.word.shape[1]
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("word", "before", "sentence", "is_last", "place"):
            value = {"word": self.words.shape[1], "place": _NOWHERE}.get(name, 0)
            beyond = (0, 0) * (told[name].ndim - 2) + (0, more)
            told[name] = functional.pad(told[name], beyond, value=value)
        return WordPages(**told)


class WordHead(nn.Module):
    """Logits over W + 1 actions and a value, from encoded articles and drafts.

    Args:
        numbers: how many an action has, and the value: more than one where they are quantiles.
    """

    def __init__(self, width: int, layout: Layout, numbers: int = 1):
        super().__init__()
        self._numbers = numbers
        self.word = nn.Linear(2 * width, width)
        small = max(1, width // 2)  # there are many places
        self.around = nn.Linear(3 * width, small, bias=False)
        self.sentence = nn.Linear(width, small)
        self._size = max(1, width // _LIKENESSES)
        self.query = nn.Linear(width, _LIKENESSES * self._size)
        self.key = nn.Linear(width, _LIKENESSES * self._size)
        self.attention = nn.Linear(width, 1)
        self.features = nn.Linear(FEATURES + _LIKENESSES, small, bias=False)
        self.draft = nn.Linear(width, small)
        self.unwritten = nn.Parameter(torch.zeros(width))
        size = (LAST + 3) * width + layout.vector_width + ENDS
        self.context = nn.Sequential(
            nn.Linear(size, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.generate = nn.Linear(width, width * numbers)
        self.absent = nn.Parameter(torch.zeros(numbers))
        self.again = nn.Parameter(torch.zeros(numbers))
        self.score = nn.Linear(small, numbers)
        stop, worth = nn.Linear(width, numbers), nn.Linear(width, numbers)
        self.stop = nn.Sequential(nn.Linear(width + small, width), nn.GELU(), stop)
        self.worth = nn.Sequential(nn.Linear(2 * width + small, width), nn.GELU(), worth)
        for last in (self.generate, self.score, stop, worth):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)

    def prepare(self, states: Tensor, is_real: Tensor, words: Tensor, article: Tensor) -> WordPages:
        """Returns articles to act on.

        Args:
            states: (E, S, D).
            is_real: (E, S), which sentences there are.
            words: (E, W, 2 D), the pieces of words, pooled.
            article: (E, S, T), the text in actions, counted from 1.
        """
        count = words.shape[1]
        told = self.word(words)
        places, after = find_places(article, count)
        known = functional.pad(told, (0, 0, 0, 1))  # the last one is no word
        neighbours = (places.before[..., 0], places.word, after)
        around = [_picked(known, one.masked_fill(one < 0, count)) for one in neighbours]
        place = self.around(torch.cat(around, dim=2))
        place = place + _picked(self.sentence(states), places.sentence)
        is_there = places.word < count
        weight = self.attention(states).squeeze(2).masked_fill(~is_real, -1e9).softmax(dim=1)
        return WordPages(
            **vars(places),
            place=place.masked_fill(~is_there.unsqueeze(2), _NOWHERE),
            words=told,
            likeness=self._likeness(states),
            gist=(weight.unsqueeze(2) * states).sum(dim=1),
            states=states,
        )

    def _likeness(self, states: Tensor) -> Tensor:
        """Returns how much each sentence is like each other one, (E, S, S * H)."""
        shape = (*states.shape[:2], _LIKENESSES, self._size)
        query, key = (one(states).view(shape).transpose(1, 2) for one in (self.query, self.key))
        match: Tensor = (query @ key.transpose(2, 3) / math.sqrt(self._size)).sigmoid()
        return match.permute(0, 2, 3, 1).flatten(2)

    def forward(self, articles: WordPages, drafts: Drafts) -> tuple[Tensor, Tensor]:
        """Returns logits (n, W + 1), -inf where illegal, and values (n,).

        With several numbers each, (n, W + 1, numbers) and (n, numbers).
        """
        count = articles.words.shape[1]
        own = replace(articles, words=articles.words[:, :0])[drafts.article]
        places = Places(own.word, own.before, own.sentence, own.is_last)
        last = words_last(drafts.picks)
        is_used = words_used(drafts.picks, count)
        is_copied = places_copied(places, drafts.picks)
        sentences = own.states.shape[1]
        coverage = coverage_of(places, is_copied, sentences, count)
        features, ends = compare_places(places, last)
        features += [is_used.gather(1, own.word), is_copied, coverage.gather(1, own.sentence)]
        likeness = own.likeness.view(-1, sentences, sentences * _LIKENESSES)
        repeats = torch.einsum("nst,ns->nt", likeness, coverage)
        repeats = repeats.view(-1, sentences, _LIKENESSES)
        told = _Words(articles.words, drafts.article)
        context = self.context(self._seen(own, told, drafts, last, coverage, ends))
        compared = torch.stack([one.float() for one in features], dim=2)
        compared = torch.cat((compared, _picked(repeats, own.sentence)), dim=2)
        seen = own.place + self.features(compared) + self.draft(context).unsqueeze(1)
        hidden = functional.gelu(seen)  # 0 where there is no place
        score = self.score(hidden)
        copy = self.absent.expand(len(score), count + 1, -1).scatter_reduce(
            1, own.word.unsqueeze(2).expand_as(score), score, "amax", include_self=False
        )[:, :-1]
        aim = self.generate(context).view(len(context), -1, self._numbers)
        words = (
            copy
            + told.matched(aim) / math.sqrt(aim.shape[1])
            + self.again * is_used[:, :-1].unsqueeze(2)
        )
        best = hidden.amax(dim=1).clamp(min=0.0)
        stop = self.stop(torch.cat((best, context), dim=1))
        worth = self.worth(torch.cat((best, own.gist, context), dim=1))
        logits = torch.cat((words, stop.unsqueeze(1)), dim=1)
        logits = logits.masked_fill(~drafts.action_mask.unsqueeze(2), -torch.inf)
        if self._numbers > 1:
            return logits, worth
        return logits.squeeze(2), worth.squeeze(1)

    def _seen(
        self,
        own: WordPages,
        told: "_Words",
        drafts: Drafts,
        last: Tensor,
        coverage: Tensor,
        ends: Tensor,
    ) -> Tensor:
        """Returns what the context of a draft is made of, (n, ...)."""
        mean = told.mean(drafts.picks)
        recent = told.picked(last.clamp(min=0))
        recent = torch.where((last >= 0).unsqueeze(2), recent, self.unwritten)
        drawn = (coverage.unsqueeze(2) * own.states).sum(dim=1)
        return torch.cat((recent.flatten(1), mean, own.gist, drawn, drafts.vectors, ends), dim=1)


class _Words:
    """The words of the articles of n drafts: those are not copied for each of them."""

    def __init__(self, states: Tensor, article: Tensor):
        self._states = states  # (E, W, D)
        self._article = article  # (n,)

    def picked(self, words: Tensor) -> Tensor:
        """Returns the states (n, K, D) of words (n, K)."""
        return functional.embedding(self._rows(words), self._states.flatten(0, 1))

    def mean(self, words: Tensor) -> Tensor:
        """Returns the mean state (n, D) of words (n, K), of which some may be -1, for none."""
        is_one = (words >= 0).float()
        weights = is_one / is_one.sum(dim=1, keepdim=True).clamp(min=1)
        table = self._states.flatten(0, 1)
        rows = self._rows(words.clamp(min=0))
        return functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)

    def matched(self, aim: Tensor) -> Tensor:
        """Returns the products (n, W, N) of all words with what is looked for, (n, D, N)."""
        order = self._article.argsort(stable=True)
        ordered = self._article[order]
        first = torch.searchsorted(ordered, ordered)
        among = torch.empty_like(order)
        among[order] = torch.arange(len(order)) - first
        most = int(among.max()) + 1
        slot = self._article * most + among
        articles, words, width = self._states.shape
        padded = aim.new_zeros(articles * most, *aim.shape[1:]).index_copy(0, slot, aim)
        padded = padded.view(articles, most, width, -1).transpose(1, 2).flatten(2)
        found = (self._states @ padded).view(articles, words, most, -1)
        return found.transpose(1, 2).flatten(0, 1).index_select(0, slot)

    def _rows(self, words: Tensor) -> Tensor:
        return words + self._article.unsqueeze(1) * self._states.shape[1]


def _picked(states: Tensor, places: Tensor) -> Tensor:
    """Returns the states (n, K, D) at places (n, K), from states (n, S, D)."""
    return states.gather(1, places.unsqueeze(2).expand(-1, -1, states.shape[2]))
