"""Where words stand, and what a draft has to do with each place, by hand."""

import torch

from lightbulb_agents.copying import (
    NONE,
    Places,
    compare_places,
    coverage_of,
    find_places,
    places_copied,
    words_last,
    words_used,
)

WORDS = 7
ARTICLE = torch.tensor([[[3, 1, 0, 2], [0, 0, 0, 0], [3, 3, 0, 0]], [[1, 0, 0, 0]] * 3])
LINE = torch.tensor([[[1, 2, 3, 4, 5, 0], [1, 3, 5, 0, 0, 0]]])
"""Words 0 to 4, and in a second sentence words 0, 2 and 4."""


def test_where_words_stand_and_what_is_around_them():
    places, after = find_places(ARTICLE, WORDS)
    assert places.word.tolist() == [[2, 0, 1, 2, 2], [0, 0, 0, WORDS, WORDS]]
    assert places.sentence[0].tolist() == [0, 0, 0, 2, 2]
    assert places.sentence[1, :3].tolist() == [0, 1, 2]
    before = [[-1, -1, -1], [2, -1, -1], [-1, 0, 2], [-1, -1, -1], [2, -1, -1]]
    assert places.before[0].tolist() == before
    assert after[0].tolist() == [0, -1, -1, 2, -1]
    assert places.is_last.tolist() == [
        [False, True, True, False, True],
        [True, True, True, False, False],
    ]


def test_an_article_without_words_has_one_place_that_is_none():
    places, _ = find_places(torch.zeros(2, 3, 4, dtype=torch.long), WORDS)
    assert places.word.tolist() == [[WORDS]] * 2
    assert not places.is_last.any()


def test_the_last_words_come_backwards():
    written = torch.tensor([[4, 1, 4, 2], [3, -1, -1, -1], [-1, -1, -1, -1]])
    assert words_last(written).tolist() == [[2, 4, 1], [3, NONE, NONE], [NONE] * 3]


def test_words_that_were_written_are_known():
    written = torch.tensor([[4, 1, 4], [0, -1, -1], [-1, -1, -1]])
    assert words_used(written, 5).nonzero().tolist() == [[0, 1], [0, 4], [1, 0]]


def _places(drafts):
    places, _ = find_places(LINE, WORDS)
    rows = len(drafts)
    return Places(*(one.expand(rows, *one.shape[1:]) for one in vars(places).values()))


def test_a_place_was_copied_after_the_word_before_it():
    written = torch.tensor([[0, 1, 2, -1], [2, 3, -1, -1], [0, 2, 1, -1], [-1, -1, -1, -1]])
    places = _places(written)
    is_copied = places_copied(places, written)
    assert [row.nonzero().squeeze(1).tolist() for row in is_copied] == [
        [0, 1, 2, 5],  # 0 1 2, and the 0 that begins the other sentence too
        [3],  # 3 after 2
        [0, 5, 6],  # 2 after 0, in the other sentence
        [],
    ]
    coverage = coverage_of(places, is_copied, 3, WORDS)
    expected = torch.tensor([[3 / 5, 1 / 3, 0], [1 / 5, 0, 0], [1 / 5, 2 / 3, 0], [0, 0, 0]])
    assert torch.allclose(coverage, expected)


def _told(*written):
    """Returns the features of places after words, as lists of places, and the ends."""
    drafts = torch.tensor([list(written)])
    features, ends = compare_places(_places(drafts), words_last(drafts))
    return [one[0].nonzero().squeeze(1).tolist() for one in features], ends[0].tolist()


def test_places_go_on_with_what_was_written_last():
    # Places 0 to 4 hold the words 0 to 4, places 5 to 7 the words 0, 2 and 4.
    begins = [0, 5]
    after_two_one_two = [[3, 7], [3], [], [4], [4], [], begins]
    assert _told(5, 1, 2) == (after_two_one_two, [0.0, 1.0])
    assert _told(0, 1, 2)[0][2] == [3]
    assert _told(6, 0) == ([[1, 6], [], [], [2, 7], [], [3], begins], [0.0, 0.0])
    assert _told(2, 4) == ([[], [], [], [], [], [], begins], [1.0, 0.0])
    assert _told(0, 2)[0][1] == [7]
    assert _told(-1) == ([[], [], [], [], [], [], begins], [0.0, 0.0])
