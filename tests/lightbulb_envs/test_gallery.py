"""The gallery shows every level as it is."""

import re
from pathlib import Path

from lightbulb_envs.gallery import INSTANCES, gallery
from lightbulb_envs.sources.newsroom.levels import LEVELS
from lightbulb_envs.sources.newsroom.source import NewsroomSource

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
    assert len(blocks) == 2 * len(LEVELS) * len(INSTANCES)
    for block in blocks:
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert columns == {6}
