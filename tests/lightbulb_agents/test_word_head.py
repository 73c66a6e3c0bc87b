"""The head that scores words computes what plain loops over words and places compute."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import gelu

from lightbulb_agents.articles import Drafts
from lightbulb_agents.copying import NONE
from lightbulb_agents.layout import Layout
from lightbulb_agents.word_head import WordHead

WIDTH, WORDS, SENTENCES, TOKENS = 8, 6, 3, 4
LIKENESSES = 4


class _Plain:
    """One article, and one draft of it, written down as it is defined."""

    def __init__(self, head, states, is_real, words, article):
        self.head, self.states = head, states
        self.words = head.word(words)
        lines = [[word - 1 for word in line] for line in article.tolist()]
        self.places = [
            (sentence, place, word)
            for sentence, line in enumerate(lines)
            for place, word in enumerate(line)
            if word >= 0
        ]
        self.lines = lines
        weight = head.attention(states).squeeze(1).masked_fill(~is_real, -1e9).softmax(0)
        self.gist = (weight.unsqueeze(1) * states).sum(0)

    def around(self, sentence, place, offset):
        """Returns a word near a place, -1 beyond the sentence and where there is none."""
        line, at = self.lines[sentence], place + offset
        return line[at] if 0 <= at < len(line) else -1

    def state_of(self, word):
        return self.words[word] if word >= 0 else torch.zeros(WIDTH)

    def decide(self, written, budget):
        """Returns the scores of all words and STOP, and the value."""
        head, count = self.head, len(written)
        last = [*reversed(written), NONE, NONE, NONE][:3]

        def is_copied(sentence, place, word):
            before = self.around(sentence, place, -1)
            return any(
                written[at] == word and (before < 0 or (at > 0 and written[at - 1] == before))
                for at in range(count)
            )

        copied = {one: is_copied(*one) for one in self.places}
        coverage = []
        for sentence in range(SENTENCES):
            own = [copied[one] for one in self.places if one[0] == sentence]
            coverage.append(sum(own) / max(len(own), 1))
        size = WIDTH // LIKENESSES
        query, key = head.query(self.states), head.key(self.states)
        repeats = torch.zeros(SENTENCES, LIKENESSES)
        for of in range(SENTENCES):
            for other in range(SENTENCES):
                for way in range(LIKENESSES):
                    part = slice(way * size, (way + 1) * size)
                    match = torch.dot(query[other, part], key[of, part]) / math.sqrt(size)
                    repeats[of, way] += match.sigmoid() * coverage[other]
        ends = [0.0, 0.0]
        for sentence, place, word in self.places:
            if (self.around(sentence, place, -1), word) == (last[1], last[0]):
                ends[0 if self.around(sentence, place, 1) < 0 else 1] = 1.0
        recent = [self.words[word] if word >= 0 else head.unwritten for word in last]
        mean = sum((self.words[word] for word in written), torch.zeros(WIDTH)) / max(count, 1)
        drawn = sum(share * state for share, state in zip(coverage, self.states, strict=True))
        seen = [*recent, mean, self.gist, drawn, torch.tensor([budget]), torch.tensor(ends)]
        context = head.context(torch.cat(seen))
        best, scores = torch.zeros(WIDTH // 2), [[] for _ in range(WORDS)]
        for sentence, place, word in self.places:
            before, earlier, first = (self.around(sentence, place, -back) for back in (1, 2, 3))
            told = [
                before == last[0],
                [before, earlier] == last[:2],
                [before, earlier, first] == last,
                earlier == last[0],
                [earlier, first] == last[:2],
                first == last[0],
                before < 0,
                word in written,
                copied[sentence, place, word],
                coverage[sentence],
            ]
            features = torch.cat((torch.tensor([float(one) for one in told]), repeats[sentence]))
            near = [before, word, self.around(sentence, place, 1)]
            base = head.around(torch.cat([self.state_of(one) for one in near]))
            base = base + head.sentence(self.states[sentence])
            hidden = gelu(base + head.features(features) + head.draft(context))
            best = torch.maximum(best, hidden)
            scores[word].append(head.score(hidden))
        aim = head.generate(context).view(WIDTH, -1)
        logits = []
        for word in range(WORDS):
            copy = torch.stack(scores[word]).amax(0) if scores[word] else head.absent
            generate = self.words[word] @ aim / math.sqrt(WIDTH)
            logits.append(copy + generate + head.again * (word in written))
        logits.append(head.stop(torch.cat((best, context))))
        return torch.stack(logits), head.worth(torch.cat((best, self.gist, context)))


words = st.integers(0, WORDS)
lines = st.lists(words, min_size=TOKENS, max_size=TOKENS)
articles = st.lists(lines, min_size=SENTENCES, max_size=SENTENCES)
drafts = st.lists(st.integers(0, WORDS - 1), max_size=5)


@pytest.mark.parametrize("numbers", [1, 3])
@settings(max_examples=40, deadline=None)
@given(
    st.lists(articles, min_size=2, max_size=2),
    st.lists(st.tuples(st.integers(0, 1), drafts), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_the_head_computes_what_loops_do(numbers, told, played, seed):
    torch.manual_seed(seed)
    head = WordHead(WIDTH, Layout(WORDS + 1, writes=True), numbers)
    with torch.no_grad():
        for weight in head.parameters():
            weight.normal_(std=0.3)
    article = torch.tensor(told)
    states, words = torch.randn(2, SENTENCES, WIDTH), torch.randn(2, WORDS, 2 * WIDTH)
    is_real = (article > 0).any(dim=2)
    most = max(1, *(len(draft) for _, draft in played))
    picks = torch.tensor([draft + [-1] * (most - len(draft)) for _, draft in played])
    count = len(played)
    seen = Drafts(
        article=torch.tensor([number for number, _ in played]),
        picks=picks,
        vectors=torch.full((count, 1), 0.25),
        action_mask=torch.ones(count, WORDS + 1, dtype=torch.bool),
        features=torch.zeros(count, SENTENCES, 0),
        seen=torch.zeros(count, dtype=torch.long),
    )
    with torch.no_grad():
        logits, value = head(head.prepare(states, is_real, words, article), seen)
        for row, (number, draft) in enumerate(played):
            plain = _Plain(head, states[number], is_real[number], words[number], article[number])
            own, worth = plain.decide(draft, 0.25)
            assert torch.allclose(logits[row].view(own.shape), own, atol=1e-4, rtol=1e-4)
            assert torch.allclose(value[row].view(worth.shape), worth, atol=1e-4, rtol=1e-4)
