"""Texts of well-known data sets, read as those data sets write them."""

import pytest

from lightbulb_envs.sources.layouts import LABELS, SUMMARIES, layout_of
from lightbulb_envs.sources.rows import BadRowError, Labelled, Summarised

MULTI_NEWS = SUMMARIES["multi_news"]


def _article(layout, article):
    return layout.read({"article": article, "summary": ""})["article"]


def _summary(layout, summary):
    return layout.read({"article": "", "summary": summary})["summary"]


def test_reports_of_multi_news_become_sentences_of_their_own():
    article = (
        "First report, no stop ||||| Second one. It goes on. \n \n A headline\nMore.|||||Third. "
    )
    assert _article(MULTI_NEWS, article) == [
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
    assert _summary(MULTI_NEWS, summary) == sentences


def test_paragraphs_of_xsum_end_sentences():
    assert _article(SUMMARIES["xsum"], "A headline\nA town. Two.") == [
        "A headline",
        "A town.",
        "Two.",
    ]


@pytest.mark.parametrize("name", [*SUMMARIES, "unheard_of"])
@pytest.mark.parametrize("value", [None, 5, ["A | b.", "– c"]])
def test_what_is_no_string_is_left_as_it_is(name, value):
    layout = layout_of(name, Summarised())
    assert _article(layout, value) == value
    assert _summary(layout, value) == value


@pytest.mark.parametrize(
    ("name", "columns", "label", "told"),
    [
        ("sst2", {"text": "sentence", "label": "label"}, 0, "negative"),
        ("IMDB", {"text": "text", "label": "label"}, 1, "positive"),
        ("ag_news", {"text": "text", "label": "label"}, 3, "Sci/Tech"),
        ("financial_phrasebank", {"text": "sentence", "label": "label"}, 1, "neutral"),
        ("financial_phrasebank", {"text": "sentence", "label": "label"}, "neutral", "neutral"),
        ("unheard_of", {"text": "text", "label": "label"}, 3, 3),
    ],
)
def test_labels_of_known_data_sets_have_names(name, columns, label, told):
    layout = layout_of(name, Labelled())
    assert layout.columns() == columns
    assert layout.read({"text": "A film.", "label": label}) == {"text": "A film.", "label": told}


@pytest.mark.parametrize("label", [-1, 2])
def test_a_number_without_a_name_is_no_label(label):
    with pytest.raises(BadRowError, match=rf"must be in \[0, 2\), got {label}"):
        LABELS["sst2"].read({"text": "A film.", "label": label})
