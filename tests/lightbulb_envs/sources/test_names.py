"""Names belong to one split each, and no two of them are spelt alike."""

import itertools

import numpy as np
import pytest

from lightbulb_envs.sources.names import (
    COMPANIES,
    FIRST_NAMES,
    MEN,
    PLACES,
    SURNAMES,
    WOMEN,
    NameParts,
)
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.newsroom.stylebook import stylebook
from lightbulb_envs.splits import SPLITS, split_residue

INVENTORIES = {"surnames": SURNAMES, "places": PLACES, "companies": COMPANIES}


def _spelt(parts: NameParts) -> list[str]:
    return [start + end for start, end in itertools.product(parts.starts, parts.ends)]


def test_no_two_names_and_no_name_and_word_are_spelt_alike():
    names = [name.lower() for parts in INVENTORIES.values() for name in _spelt(parts)]
    assert len(names) == len(set(names))
    words = set(stylebook().vocabulary.fragment_texts)
    assert not words & set(names)


@pytest.mark.parametrize("parts", INVENTORIES.values(), ids=INVENTORIES)
def test_every_split_has_as_many_names_and_shares_none(parts):
    words = np.arange(0, 2**32, 2**32 // 997, dtype=np.uint64).astype(np.uint32)
    starts, ends = np.meshgrid(words, words[::7])
    drawn = {
        split: set(parts.choose(starts.ravel(), ends.ravel(), split_residue(split)).tolist())
        for split in SPLITS
    }
    assert {len(names) for names in drawn.values()} == {
        len(parts.starts) * len(parts.ends) // len(SPLITS)
    }
    for one, other in itertools.combinations(drawn.values(), 2):
        assert not one & other


@pytest.mark.parametrize("parts", INVENTORIES.values(), ids=INVENTORIES)
def test_moving_a_name_keeps_its_split_and_changes_its_start(parts):
    names = np.arange(len(parts.starts) * len(parts.ends))
    residues = np.add(*np.divmod(names, len(parts.ends))) % len(SPLITS)
    for steps in range(1, len(parts.starts)):
        starts, ends = np.divmod(parts.shift_start(names, steps), len(parts.ends))
        assert np.array_equal((starts + ends) % len(SPLITS), residues)
        assert (starts != names // len(parts.ends)).all()


def test_documents_of_different_splits_share_no_person_place_or_company():
    seen = {}
    for split in ("train", "validation", "test", "ood"):
        cast = NewsroomSource(4, split).worlds(np.arange(300)).cast
        seen[split] = set(
            np.concatenate(
                [
                    cast.actor_surname.ravel(),
                    cast.voice_surname.ravel(),
                    cast.place.ravel(),
                    cast.body_name.ravel(),
                ]
            ).tolist()
        )
    for one, other in itertools.combinations(seen.values(), 2):
        assert not one & other


def test_no_two_people_of_an_article_share_a_surname():
    cast = NewsroomSource(4, "train").worlds(np.arange(300)).cast
    people = np.concatenate([cast.actor_surname[:, :, None], cast.voice_surname], axis=2)
    for row in people.reshape(len(people), -1):
        assert len(set(row.tolist())) == row.size


def test_splits_share_no_document():
    texts = [
        NewsroomSource(2, split).document(instance).text
        for split in ("train", "validation", "test", "ood")
        for instance in range(100)
    ]
    assert len(texts) == len(set(texts))


def test_first_names_are_of_women_or_of_men():
    assert not set(WOMEN) & set(MEN)
    assert len(FIRST_NAMES) == len(set(FIRST_NAMES))


def test_parts_that_do_not_divide_among_the_splits_are_refused():
    with pytest.raises(ValueError, match="multiples of 5"):
        NameParts(("A", "B"), ("c",) * 5)
