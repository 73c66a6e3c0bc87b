"""Labels in words: what says one, and what is prose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.label_answers import WORDS, read_label

LABELS = ("negative", "positive")


@pytest.mark.parametrize(
    "text",
    [
        "positive",
        " POSITIVE. ",
        "**Label:** positive",
        "<answer>positive</answer>",
        '{"label": "positive"}',
        "I say: it is positive!",
        "The sentiment of this review is positive.",
        "It might be negative.\nNo: not negative.\npositive",
        "negative\npositive",
        "positive\nbecause the food was good, and nothing was negative in the end",
    ],
)
def test_a_line_of_a_label_and_known_words_says_it_and_the_last_one_counts(text):
    assert read_label(text, LABELS) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "not positive",
        "positive or negative",
        "positive negative",
        "rather positive",
        "positively",
        "It is good.",
        "positive" * 3,
        "positive positive",
    ],
)
def test_nothing_is_guessed(text):
    assert read_label(text, LABELS) is None


def test_labels_may_have_several_words_or_be_words_of_answers_themselves():
    labels = ("very bad", "bad", "this", "World & Politics")
    assert read_label("Answer: very bad.", labels) == 0
    assert read_label("bad", labels) == 1
    assert read_label("this", labels) == 2
    assert read_label("label: world & politics", labels) == 3


def test_a_line_that_says_two_labels_says_none():
    labels = ("this", "text")  # which lines may hold besides any label
    assert read_label("this text", labels) is None
    assert read_label("text", labels) == 1


@given(st.lists(st.sampled_from(sorted(WORDS))), st.lists(st.sampled_from(sorted(WORDS))))
def test_words_around_a_label_change_nothing(before, after):
    assert read_label(" ".join((*before, "negative", *after)), LABELS) == 0


@given(st.text())
def test_any_text_is_read(text):
    assert read_label(text, LABELS) in (None, 0, 1)
