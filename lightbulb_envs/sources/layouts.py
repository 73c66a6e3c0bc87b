"""How well-known data sets hold their documents: which columns, and what stands between texts."""

import re
from dataclasses import dataclass
from typing import Any

from lightbulb_envs.sources.sentences import split_sentences


@dataclass(frozen=True)
class Layout:
    """How the data sets of one name hold their documents."""

    article: str
    summary: str
    paragraphs: str | None = None
    """Pattern of what stands between an article's paragraphs; no sentence goes across it."""
    summary_opening: str = ""
    """What every summary begins with, and says nothing."""
    is_summary_prose: bool = False
    """Whether a summary is split into sentences; otherwise it has one a line."""

    def read_article(self, article: Any) -> Any:
        """Returns an article, as sentences where paragraphs are marked."""
        if self.paragraphs is None or not isinstance(article, str):
            return article
        parts = re.split(self.paragraphs, article)
        return [sentence for part in parts for sentence in split_sentences(part)]

    def read_summary(self, summary: Any) -> Any:
        """Returns a summary without its opening, as sentences where it is prose."""
        if not isinstance(summary, str):
            return summary
        told = summary.strip().removeprefix(self.summary_opening)
        return split_sentences(told) if self.is_summary_prose else told


PLAIN = Layout("article", "summary")
LAYOUTS: dict[str, Layout] = {
    "cnn_dailymail": Layout("article", "highlights"),
    "xsum": Layout("document", "summary", paragraphs=r"\n"),
    "multi_news": Layout(
        "document",
        "summary",
        paragraphs=r"\|{5}|\n",
        summary_opening="–",
        is_summary_prose=True,
    ),
}
"""Last part of a data set's name, in lower case → its layout; other data sets are PLAIN."""
