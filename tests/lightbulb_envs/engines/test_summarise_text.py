"""Any text is a summary, worth what its words and claims are."""

import json
import re

import gymnasium
import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

import lightbulb_envs
from lightbulb_envs.adapters.text import TextWrapper
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.rollout import roll_out
from lightbulb_envs.score import mean_returns, normalised_score, random_returns

ID = "Lightbulb/NewsSummariser-Text-v0"
ROW = np.zeros(1, dtype=np.int64)


def started(instance=0, **settings):
    engine = lightbulb_envs.make_engine(ID, 1, **settings)
    engine.reset(ROW, np.array([instance]))
    return engine


def paid(engine, text):
    """Returns what a text earns, by part."""
    engine.reset(ROW, engine.instance(ROW))
    step = engine.step(ROW, [text])
    assert step.terminated[0]
    return dict(zip(engine.part_names, step.parts[0].tolist(), strict=True))


@pytest.mark.parametrize("level", range(6))
@pytest.mark.parametrize("split", ["train", "ood"])
def test_the_reference_is_worth_all_there_is(level, split):
    for instance in range(8):
        engine = started(instance, level=level, split=split, budget=200)
        assert sum(paid(engine, engine.document(0).reference_text).values()) == pytest.approx(1.0)
        assert engine.oracle_method(0) == "exact"
        assert engine.oracle_return(0) == pytest.approx(1.0)


def test_sentences_of_the_article_are_worth_what_picking_them_is():
    picker = lightbulb_envs.make_engine("Lightbulb/NewsSummariser-v0", 1)
    generator = np.random.default_rng(0)
    for instance in range(40):
        engine = started(instance, budget=500)
        sentences = engine.document(0).sentences
        picked = generator.permutation(len(sentences))[:3].tolist()
        picker.reset(ROW, np.array([instance]))
        for number in picked:
            picker.step(ROW, np.array([number]))
        told = paid(engine, "\n".join(sentences[number] for number in picked))
        wanted = picker.scores(0)
        assert told == pytest.approx(wanted), picked


def test_rouge_is_that_of_rouge_score_line_by_line():
    weights = {"rouge1": 1.0, "rouge2_stem": 1.0, "rougeL": 1.0, "rougeLsum_stem": 1.0}
    engine = started(3, reward=weights, budget=500)
    document = engine.document(0)
    text = f"{document.sentences[2]}\nSomething else, entirely.\n{document.sentences[0].upper()}"
    told = paid(engine, text)
    for name, value in told.items():
        kind, _, suffix = name.partition("_")
        scorer = RougeScorer([kind], use_stemmer=suffix == "stem")
        assert value == scorer.score(document.reference_text, text)[kind].fmeasure


def test_words_past_the_budget_are_not_read():
    engine = started(1, budget=6, reward={"length": 1.0})
    assert paid(engine, "one two three four five six") == paid(
        engine, "One two,\nthree four five six seven\neight"
    )
    assert paid(engine, "one two three four five") != paid(engine, "one two three four five six")


def _told_in_digits(engine):
    """Returns a sentence that states one key fact and no more, by a number, and that number."""
    document = engine.document(0)
    for sentence, claims in zip(document.sentences, document.claims, strict=True):
        numbers = re.findall(r"(?<![0-9,])[0-9]{2,3}(?![0-9,])", sentence)
        if len(claims) == len(numbers) == 1 and document.facts[claims[0]].is_key:
            return sentence, numbers[0]
    return None


def test_a_wrong_number_is_a_claim_that_covers_nothing():
    found = 0
    for instance in range(60):
        engine = started(instance, reward={"fact_precision": 1.0, "fact_recall": 1.0}, budget=500)
        told = _told_in_digits(engine)
        if told is None:
            continue
        right, number = told
        wrong = right.replace(number, str(int(number) + 1), 1)
        alone, both = paid(engine, right), paid(engine, f"{right}\n{wrong}")
        assert alone["fact_precision"] == pytest.approx(1.0)
        assert both["fact_recall"] == alone["fact_recall"] > 0
        assert both["fact_precision"] == pytest.approx(0.5)
        assert paid(engine, wrong) == {"fact_precision": 0.0, "fact_recall": 0.0}
        found += 1
    assert found > 3


def test_scores_lie_between_random_and_the_oracle():
    engine = lightbulb_envs.make_engine(ID, 64, split="validation")
    rows = np.arange(64)
    random = random_returns(engine, rows, rollouts=5)
    oracle = mean_returns(make_baseline("oracle", engine), engine, rows)
    scores = [
        normalised_score(mean_returns(make_baseline(name, engine), engine, rows), random, oracle)
        for name in ("lead-3", "centrality")
    ]
    assert 0 < scores[0] < scores[1] < 60


def test_real_text_is_summarised_too(tmp_path):
    path = tmp_path / "news.jsonl"
    row = {"id": "a", "article": "A bridge opened. It is long.", "summary": "A long bridge opened."}
    path.write_text(json.dumps(row) + "\n")
    engine = started(0, source=f"jsonl:{path}")
    assert engine.part_names == ("rouge1_stem", "rouge2_stem", "rougeLsum_stem")
    assert sum(paid(engine, "A long bridge opened!").values()) == pytest.approx(1.0)
    assert 0 < sum(paid(engine, "Bridges are opening.").values()) < 1


def test_language_models_are_told_the_article_and_the_budget():
    env = TextWrapper(gymnasium.make(ID))
    prompt, _ = env.reset(seed=1)
    document = env.unwrapped.engine.document(0)
    assert all(sentence[1:] in prompt for sentence in document.sentences)
    assert "in at most 40 words" in prompt
    _, reward, terminated, _, info = env.step(document.reference_text)
    assert terminated
    assert reward == pytest.approx(env.unwrapped.engine.oracle_return(0))
    assert info["action"] == document.reference_text


def test_an_episode_goes_on_elsewhere_from_its_snapshot():
    engine = started(2)
    engine.step(ROW, ["Three people died."])
    other = started(5)
    other.restore(0, json.loads(json.dumps(engine.snapshot(0))))
    assert other.summary(0) == "Three people died."
    assert other.scores(0) == engine.scores(0)
    with pytest.raises(RuntimeError, match="have ended"):
        other.step(ROW, ["again"])
    assert "Three people died." in other.render(0, "html")


@pytest.mark.parametrize("budget", [0, 5000])
def test_a_budget_that_makes_no_sense_is_refused(budget):
    with pytest.raises(ValueError, match=r"budget must be in \[1, 4096\] words"):
        started(budget=budget)


def test_a_summary_is_one_step():
    engine = lightbulb_envs.make_engine(ID, 3, split="test")
    episodes = roll_out(make_baseline("centrality", engine), engine, np.arange(3))
    assert [len(one.actions) for one in episodes] == [1, 1, 1]
