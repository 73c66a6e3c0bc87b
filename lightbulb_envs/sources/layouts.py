"""How well-known data sets hold their documents: which columns, and what stands between texts."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from lightbulb_envs.sources.rows import BadRowError, Form, Labelled
from lightbulb_envs.sources.sentences import split_sentences


class Layout(Protocol):
    """How the data sets of one name hold their documents."""

    def columns(self) -> dict[str, str]:
        """Returns the columns by the fields of a row."""

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        """Returns a row, by its fields, as a row of a `Form`."""


@dataclass(frozen=True)
class SummaryLayout:
    """Of articles with summaries."""

    article: str
    summary: str
    paragraphs: str | None = None
    """Pattern of what stands between an article's paragraphs; no sentence goes across it."""
    summary_opening: str = ""
    """What every summary begins with, and says nothing."""
    is_summary_prose: bool = False
    """Whether a summary is split into sentences; otherwise it has one a line."""

    def columns(self) -> dict[str, str]:
        return {"article": self.article, "summary": self.summary}

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            **row,
            "article": self._read_article(row["article"]),
            "summary": self._read_summary(row["summary"]),
        }

    def _read_article(self, article: Any) -> Any:
        """Returns an article, as sentences where paragraphs are marked."""
        if self.paragraphs is None or not isinstance(article, str):
            return article
        parts = re.split(self.paragraphs, article)
        return [sentence for part in parts for sentence in split_sentences(part)]

    def _read_summary(self, summary: Any) -> Any:
        """Returns a summary without its opening, as sentences where it is prose."""
        if not isinstance(summary, str):
            return summary
        told = summary.strip().removeprefix(self.summary_opening)
        return split_sentences(told) if self.is_summary_prose else told


@dataclass(frozen=True)
class LabelLayout:
    """Of texts with labels."""

    text: str
    label: str
    names: tuple[str, ...] = ()
    """Names of labels that are numbers, from 0; () where a label is its own name."""

    def columns(self) -> dict[str, str]:
        return {"text": self.text, "label": self.label}

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        label = row["label"]
        if self.names and isinstance(label, int):
            if label not in range(len(self.names)):
                raise BadRowError(
                    f"the label must be in [0, {len(self.names)}), got {label}: rows without a "
                    "label are told so by some data sets"
                )
            label = self.names[label]
        return {**row, "label": label}


SUMMARIES: dict[str, Layout] = {
    "cnn_dailymail": SummaryLayout("article", "highlights"),
    "xsum": SummaryLayout("document", "summary", paragraphs=r"\n"),
    "multi_news": SummaryLayout(
        "document",
        "summary",
        paragraphs=r"\|{5}|\n",
        summary_opening="–",
        is_summary_prose=True,
    ),
}
"""Last part of a data set's name, in lower case → its layout."""
LABELS: dict[str, Layout] = {
    "sst2": LabelLayout("sentence", "label", ("negative", "positive")),
    "imdb": LabelLayout("text", "label", ("negative", "positive")),
    "ag_news": LabelLayout("text", "label", ("World", "Sports", "Business", "Sci/Tech")),
    "financial_phrasebank": LabelLayout("sentence", "label", ("negative", "neutral", "positive")),
}
"""The same, of data sets with labels."""


def layout_of(name: str, form: Form) -> Layout:
    """Returns the layout of a data set by the last part of its name; a plain one if unknown."""
    if isinstance(form, Labelled):
        return LABELS.get(name.lower(), LabelLayout(form.text, form.told))
    return SUMMARIES.get(name.lower(), SummaryLayout(form.text, form.told))
