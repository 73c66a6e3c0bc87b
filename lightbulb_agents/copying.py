"""Where the words of articles stand, and what a draft has to do with each place.

Words are counted from 0; W is none. Letters of shapes: E articles, S sentences, T tokens, P places,
W words, n drafts, K words written.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

LAST = 3
"""Words written last that are compared with those before a place."""
FEATURES = 10
"""What is told of a place with regard to a draft."""
ENDS = 2
"""What is told of a draft with regard to the sentences that it copies."""
NONE = -2
"""A word that stands nowhere: what was written before the first one."""


@dataclass(frozen=True)
class Places:
    """P places of each of some articles, in reading order."""

    word: Tensor  # (E, P), W where there is no place
    before: Tensor  # (E, P, LAST), the words before it; -1 before the sentence, and for no action
    sentence: Tensor  # (E, P)
    is_last: (
        Tensor  # (E, P), whether the sentence ends with it, or goes on with a word of no action
    )


def find_places(article: Tensor, words: int) -> tuple[Places, Tensor]:
    """Returns where the words of articles stand, and the word after each, -1 where there is none.

    Args:
        article: (E, S, T), the text in actions, counted from 1; 0 where there is none.
        words: W.
    """
    is_word = (article > 0).flatten(1)
    count = max(int(is_word.sum(dim=1).max()), 1)
    order = (~is_word).int().argsort(dim=1, stable=True)[:, :count]
    is_there = is_word.gather(1, order)
    width = article.shape[2]
    around = functional.pad(article, (LAST, 1)) - 1
    after, word, *before = (
        around[..., place : place + width].flatten(1).gather(1, order)
        for place in range(LAST + 1, -1, -1)
    )
    places = Places(
        word=word.masked_fill(~is_there, words),
        before=torch.stack(before, dim=2),
        sentence=order // width,
        is_last=is_there & (after < 0),
    )
    return places, after


def words_last(written: Tensor) -> Tensor:
    """Returns the words written last, the very last one first, (n, LAST)."""
    length = (written >= 0).sum(dim=1, keepdim=True)
    back = length - 1 - torch.arange(LAST)
    return written.gather(1, back.clamp(min=0)).masked_fill(back < 0, NONE)


def words_used(written: Tensor, words: int) -> Tensor:
    """Returns which words were written, (n, W + 1); never the one that is none."""
    counts = torch.zeros(len(written), words + 1, dtype=torch.long)
    return counts.scatter_add(1, written.clamp(min=0), (written >= 0).long()) > 0


def places_copied(places: Places, written: Tensor) -> Tensor:
    """Returns which places were copied, (n, P).

    A place was if its word was written after the word before it, or is the first of its sentence
    and was written.
    """
    earlier = functional.pad(written[:, :-1], (1, 0), value=NONE)
    before = places.before[..., :1]
    follows = (before == earlier.unsqueeze(1)) | (before < 0)
    return ((places.word.unsqueeze(2) == written.unsqueeze(1)) & follows).any(dim=2)


def coverage_of(places: Places, is_copied: Tensor, sentences: int, words: int) -> Tensor:
    """Returns the share of every sentence's places that were copied, (n, S)."""
    both = torch.stack((is_copied, places.word < words), dim=2).float()
    sums = torch.zeros(len(both), sentences, 2).scatter_add(
        1, places.sentence.unsqueeze(2).expand_as(both), both
    )
    return sums[..., 0] / sums[..., 1].clamp(min=1.0)


def compare_places(places: Places, last: Tensor) -> tuple[list[Tensor], Tensor]:
    """Returns what places have to do with the words written last.

    Returns:
        Whether each place goes on with the last word, with the last two, with the last three;
        whether it leaves out one word after the last, after the last two; whether it leaves out
        two; whether a sentence begins with it: (n, P) each. And whether the last two words end a
        sentence, and whether they stand within one, (n, ENDS).
    """
    one, two, three = last.unsqueeze(1).unbind(dim=2)
    before, earlier, first = places.before.unbind(dim=2)
    follows = before == one
    follows_two = follows & (earlier == two)
    skips = earlier == one
    features = [
        follows,
        follows_two,
        follows_two & (first == three),
        skips,
        skips & (first == two),
        first == one,
        before < 0,
    ]
    is_it = (places.word == one) & (before == two)
    ends = [(is_it & places.is_last).any(dim=1), (is_it & ~places.is_last).any(dim=1)]
    return features, torch.stack(ends, dim=1).float()
