"""The gallery shows every level as it is."""

import re
from pathlib import Path

from lightbulb_envs.gallery import INSTANCES, gallery
from lightbulb_envs.sources.newsroom.levels import LEVELS
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.reviews.levels import LEVELS as REVIEW_LEVELS

ROOT = Path(__file__).parent.parent.parent


def test_the_gallery_is_what_its_command_prints():
    page = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    assert page == gallery(), "run python -m lightbulb_envs.gallery > docs/gallery.md"


def test_every_level_shows_the_first_documents_of_the_split():
    page = gallery()
    for level in range(len(LEVELS)):
        source = NewsroomSource(level, "train")
        for instance in INSTANCES:
            document = source.document(instance)
            assert f"### {document.id}\n" in page
            for sentence in document.sentences:
                assert sentence.replace("$", "\\$") in page


def test_tables_are_whole_and_details_are_closed():
    page = gallery()
    assert page.count("<details>") == page.count("</details>") == len(LEVELS) * len(INSTANCES)
    blocks = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    articles = 2 * len(LEVELS) * len(INSTANCES)
    assert len(blocks) == articles + len(REVIEW_LEVELS) * len(INSTANCES)
    for number, block in enumerate(blocks):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert columns == ({6} if number < articles else {5})
