"""Texts of well-known data sets, read as those data sets write them."""

import pytest

from lightbulb_envs.sources.layouts import LAYOUTS, PLAIN

MULTI_NEWS = LAYOUTS["multi_news"]


def test_reports_of_multi_news_become_sentences_of_their_own():
    article = (
        "First report, no stop ||||| Second one. It goes on. \n \n A headline\nMore.|||||Third. "
    )
    assert MULTI_NEWS.read_article(article) == [
        "First report, no stop",
        "Second one.",
        "It goes on.",
        "A headline",
        "More.",
        "Third.",
    ]


@pytest.mark.parametrize(
    ("summary", "sentences"),
    [
        ("– A bridge – a long one. Late.", ["A bridge – a long one.", "Late."]),
        ("–A bridge.", ["A bridge."]),
        ("  – A bridge.", ["A bridge."]),
        ("A bridge – opened.", ["A bridge – opened."]),
    ],
)
def test_the_dash_that_opens_summaries_of_multi_news_is_no_word(summary, sentences):
    assert MULTI_NEWS.read_summary(summary) == sentences


def test_paragraphs_of_xsum_end_sentences():
    assert LAYOUTS["xsum"].read_article("A headline\nA town. Two.") == [
        "A headline",
        "A town.",
        "Two.",
    ]


@pytest.mark.parametrize("layout", [*LAYOUTS.values(), PLAIN])
@pytest.mark.parametrize("value", [None, 5, ["A | b.", "– c"]])
def test_what_is_no_string_is_left_as_it_is(layout, value):
    assert layout.read_article(value) == value
    assert layout.read_summary(value) == value
