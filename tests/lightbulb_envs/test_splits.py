"""Splits differ, and the salt of heldout stays secret."""

import pytest

from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE, SPLITS, document_key, salt_digest


@pytest.fixture
def salt_file(tmp_path, monkeypatch):
    path = tmp_path / "salt"
    path.write_text("a salt that nobody knows\n")
    monkeypatch.setenv(HELDOUT_SALT_VARIABLE, str(path))
    return path


def test_every_split_and_level_has_a_key_of_its_own(salt_file):
    keys = {document_key("newsroom", split, level) for split in SPLITS for level in range(6)}
    assert len(keys) == len(SPLITS) * 6


def test_heldout_documents_depend_on_the_salt(salt_file):
    before = NewsroomSource(2, "heldout").document(0)
    salt_file.write_text("another salt, just as secret")
    assert NewsroomSource(2, "heldout").document(0) != before


def test_the_digest_of_a_salt_does_not_show_the_salt(salt_file):
    digest = salt_digest("heldout")
    assert len(digest) == 16
    assert digest not in salt_file.read_text()
    assert salt_digest("heldout") == digest
    salt_file.write_text("another salt, just as secret")
    assert salt_digest("heldout") != digest
    assert salt_digest("train") == "public"


def test_heldout_without_its_salt_says_what_to_set(monkeypatch):
    monkeypatch.delenv(HELDOUT_SALT_VARIABLE, raising=False)
    with pytest.raises(ValueError, match=HELDOUT_SALT_VARIABLE):
        NewsroomSource(2, "heldout")


def test_a_short_salt_is_refused_without_being_printed(salt_file):
    salt_file.write_text("short")
    with pytest.raises(ValueError, match="16 or more") as caught:
        NewsroomSource(2, "heldout")
    assert "short" not in str(caught.value)


def test_a_salt_that_is_no_text_is_refused(salt_file):
    salt_file.write_bytes(b"\xff" * 40)
    with pytest.raises(ValueError, match="no UTF-8 text"):
        NewsroomSource(2, "heldout")


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="got 'dev'"):
        NewsroomSource(2, "dev")
