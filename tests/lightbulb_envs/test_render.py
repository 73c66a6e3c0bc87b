"""What a draft claims, worked out by hand, and text that cannot command a terminal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbulb_envs.document import Document, Fact
from lightbulb_envs.registry import make_engine
from lightbulb_envs.render import (
    COVERS,
    NOT_KEY,
    REPEATED,
    SUPERSEDED,
    account_lines,
    claims_of,
    claims_score,
    cost_text,
    fact_text,
    printable,
    render_summary,
)

ID = "Lightbulb/NewsSummariser-Hard-v0"
ROW = np.zeros(1, dtype=np.int64)


def _fact(name, weight, *, is_key=False, superseded_by=None):
    return Fact(
        subject="the fire",
        predicate=name,
        object=f"{name} people",
        time="Monday",
        magnitude=None,
        weight=weight,
        polarity=0,
        is_key=is_key,
        superseded_by=superseded_by,
    )


DOCUMENT = Document(
    id="d",
    instance=0,
    sentences=("Six died.", "Two died.", "Again, six died.", "A dog barked."),
    reference=("Six people died.",),
    facts=(
        _fact("six", 1.0, is_key=True),
        _fact("two", 1.0, superseded_by=0),
        _fact("dog", 0.5),
        _fact("hurt_badly", 1.0, is_key=True),
    ),
    claims=((0,), (1,), (0,), (2,)),
)


def test_every_claim_is_of_one_kind():
    kinds = [claim.kind for claim in claims_of(DOCUMENT, [1, 0, 2, 3, 1])]
    assert kinds == [SUPERSEDED, COVERS, REPEATED, NOT_KEY, SUPERSEDED]


def test_what_idle_claims_cost_is_said_in_words_and_worked_out_by_hand():
    # Claimed 1 + 1, covered 1 of 2: precision 1/2, recall 1/2, F1 1/2; without it 1, 1/2, 2/3.
    text = cost_text(DOCUMENT, [0, 1], {"fact_f1": 0.6, "rouge1": 0.4})
    assert text == (
        "The draft claims facts of weight 2.00, and 1.00 of it covers no key fact. Without those "
        "claims fact precision would be 1.00 instead of 0.50, and fact F1 0.67 instead of 0.50: "
        "as far as facts go, they cost 0.100 of the return."
    )
    assert cost_text(DOCUMENT, [0], {"fact_f1": 1.0}) == ""
    assert "costs nothing" in cost_text(DOCUMENT, [0, 1], {"fact_recall": 1.0})
    assert "none of it covers a key fact" in cost_text(DOCUMENT, [1], {"fact_f1": 1.0})


def test_an_account_names_what_is_covered_missed_and_idle():
    lines = account_lines(DOCUMENT, [1, 0], {"fact_f1": 1.0})
    assert lines[0] == "key facts covered: 1 of 2"
    assert lines[1].split() == "covered by 0 1.00 the fire: six, six people".split()
    assert lines[2].split() == "missed 1.00 the fire: hurt badly, hurt_badly people".split()
    assert lines[3].startswith("  superseded in 1 ")
    assert lines[3].endswith("the article's latest word is six people (sentence 0, 2)")
    assert account_lines(Document("d", 0, ("A.",), ("B.",)), [0], {"rouge1": 1.0}) == []


@settings(max_examples=20)
@given(st.integers(0, 2**40), st.lists(st.integers(0, 9), max_size=4, unique=True))
def test_claims_score_what_the_reward_pays(instance, draft):
    engine = make_engine(ID, 1, reward={"fact_precision": 1.0, "fact_recall": 1.0, "fact_f1": 1.0})
    engine.reset(ROW, np.array([instance]))
    for sentence in draft:
        if engine.observe(ROW)["action_mask"][0, sentence]:
            engine.step(ROW, np.array([sentence]))
    document = engine.document(0)
    score = claims_score(document, claims_of(document, engine.draft(0)))
    assert list(score) == pytest.approx(list(engine.scores(0).values()))


def test_a_fact_is_told_in_a_few_words():
    assert fact_text(DOCUMENT.facts[3]) == "the fire: hurt badly, hurt_badly people"


@given(st.text(st.characters()))
def test_printable_text_is_one_line_that_can_be_written_and_commands_nothing(text):
    shown = printable(text)
    assert shown.splitlines() in ([], [shown])
    assert not any(character in shown for character in "\x00\x07\x1b\x7f\x9b\u202e\u2066")
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert printable(shown) == shown


def test_printable_text_keeps_words_emoji_and_other_scripts():
    for text in ("“Why?” – he said", "👩‍👩‍👧 emoji", "العربية \u200f", "日本語", "naïve"):
        assert printable(text) == text
    assert printable("a\tb\r\nc") == "a b  c"
    assert printable("\x1b[31mred\ud800") == "\ufffd[31mred\ufffd"


def test_a_summary_is_rendered_with_picks_in_order_and_without_escapes():
    hostile = Document("i\x1bd", 0, ("One.", "Two\x1b[2J.", "Three."), ("Ref\nerence.",))
    text = render_summary(hostile, [2, 0], {"rouge1": 0.25, "rouge2": 0.5})
    assert text.splitlines() == [
        "i\ufffdd",
        "[2]  0  One.",
        "     1  Two\ufffd[2J.",
        "[1]  2  Three.",
        "score 0.750  (rouge1 0.250  rouge2 0.500)",
        "reference: Ref erence.",
    ]
