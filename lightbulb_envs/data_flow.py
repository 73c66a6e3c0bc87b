"""Follows one article from world to reward: `python -m lightbulb_envs.data_flow`.

What it prints is `docs/data_flow.md`; a test compares the two.
"""

import argparse
import json
import textwrap
from collections.abc import Sequence

import numpy as np

from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.engines.summarise import SummariseEngine
from lightbulb_envs.record import records_of
from lightbulb_envs.registry import make_engine
from lightbulb_envs.render import fact_lines
from lightbulb_envs.rollout import Episode, roll_out
from lightbulb_envs.score import normalised_score, random_returns
from lightbulb_envs.sources.newsroom.plan import Role
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.splits import document_key
from lightbulb_envs.summation import add_in_order

ENV_ID = "Lightbulb/NewsSummariser-v0"
INSTANCE = 35
SETTINGS = {"split": "train"}
_ROW = np.zeros(1, dtype=np.int64)


def data_flow() -> str:
    """Returns the page as Markdown."""
    engine = make_engine(ENV_ID, 1, **SETTINGS)
    assert isinstance(engine, SummariseEngine)
    source = engine.source
    assert isinstance(source, NewsroomSource)
    ceiling = make_baseline("ceiling", engine)
    (episode,) = roll_out(ceiling, engine, np.array([INSTANCE]))
    sections = [
        _opening(),
        _world(source),
        _plan(source),
        _text(source),
        _observation(engine),
        _episode(engine, episode),
        _score(engine, episode),
        _record(engine, episode),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title: str, *parts: str) -> str:
    """Returns a section; its paragraphs are wrapped, its blocks left as they are."""
    wrapped = [part if part.startswith("```") else textwrap.fill(part, 100) for part in parts]
    return "\n\n".join([f"## {title}", *wrapped])


def _block(lines: Sequence[str]) -> str:
    return "\n".join(["```", *lines, "```"])


def _opening() -> str:
    key = document_key("newsroom", "train", 2)
    return f"""# From world to reward: one article

This page follows instance {INSTANCE} of `{ENV_ID}`, split `train`,
through everything that happens to it. `python -m lightbulb_envs.data_flow` prints it.

```
instance ─► draws ─► world: cast, facts ─► plan ─► pieces ─► tokens, words ─► episode ─► reward
```

Every draw is Philox4x32-10 of a key and a counter (`randomness.py`). The key stands for the suite
of documents (the newsroom) and its version, the salt (a public word, or the secret one of
`heldout`), the split and the level, here `({key[0]:#010x}, {key[1]:#010x})`; the counter holds the
instance, the number of the draw and its stream. Nothing is stored between documents, so
this one is the same alone, in a block of a thousand, and on your machine."""


def _world(source: NewsroomSource) -> str:
    document = source.document(INSTANCE)
    return _section(
        "1. A world of facts (`cast.py`, `facts.py`)",
        "First the people, places and things are drawn, then what happened. A fact is a subject, "
        "a predicate, an object, a time, a magnitude, a weight and a polarity. Its weight is that "
        "of its kind, times ½, 1 or 1½ for a minor, middling or major number, times 0.4 in "
        "another story. The event and the weightiest facts of the main story are *key*: the "
        "reference will tell them. One number was first reported wrong.",
        _block(fact_lines(document)),
    )


def _plan(source: NewsroomSource) -> str:
    instances = np.array([INSTANCE])
    world = source.worlds(instances)
    plan, _ = source.plans(instances, world)
    lines = []
    for sentence, role in enumerate(plan.role[0].tolist()):
        if role != Role.NONE:
            story = "main story" if plan.story[0, sentence] == 0 else "other story"
            lines.append(f"{sentence:>2}  {Role(role).name.lower():<11} {story}")
    return _section(
        "2. A plan of the article (`plan.py`)",
        "Every sentence gets a reason to be there, one or two facts and a rank; sorting by rank "
        "gives the article. The level's named attributes (`levels.py`) say how often an article "
        "is an inverted pyramid, how much it repeats, what it is distracted by. This one opens "
        "with another story.",
        _block(lines),
    )


def _text(source: NewsroomSource) -> str:
    document = source.document(INSTANCE)
    batch = source.batch(np.array([INSTANCE]))
    pieces = [int(piece) for piece in batch.tokens[0, 5] if piece]
    words = [int(word) for word in batch.words[0, 5] if word >= 0]
    vocabulary = source.vocabulary
    article = [f"{number:>2}  {text}" for number, text in enumerate(document.sentences)]
    return _section(
        "3. Words (`desks/`, `grammar.py`, `telling.py`)",
        "Each fact is told in one of the wordings of its desk (politics, sport, …); a person is "
        "named in full first, then by surname, role or pronoun. The reference is told in wordings "
        "that no article uses.",
        _block([*article, "", "reference: " + " ".join(document.reference)]),
        "A block of documents is told at once, as numbers. Sentence 5 as *pieces*, which the "
        "agent observes (`##` is written onto what came before, so an unseen name is two seen "
        "parts):",
        _block(
            [
                " ".join(vocabulary.pieces[piece] for piece in pieces),
                " ".join(map(str, pieces)),
            ]
        ),
        "and as *words*, which ROUGE compares (a name is one word, lower case, no marks):",
        _block([" ".join(vocabulary.word_text(word) for word in words)]),
    )


def _observation(engine: SummariseEngine) -> str:
    engine.reset(_ROW, np.array([INSTANCE]))
    seen = engine.observe(_ROW)
    mask = seen["action_mask"][0]
    lines = [
        f"tokens       {seen['tokens'][0].shape} int32    pieces of every sentence, 0 is padding",
        f"selected     {seen['selected'][0].shape} int8        place in the draft, 0 if not picked",
        f"budget       {seen['budget'][0].shape} float32      share of the budget that is left",
        f"action_mask  {mask.shape} int8        {''.join(map(str, mask.tolist()))}",
    ]
    return _section(
        "4. What the agent sees (`engines/summarise.py`)",
        f"Actions 0 to {engine.stop - 1} pick a sentence, action {engine.stop} stops.",
        _block(lines),
    )


def _episode(engine: SummariseEngine, episode: Episode) -> str:
    engine.reset(_ROW, np.array([INSTANCE]))
    parts = engine.part_names[:-1]
    lines = ["action  " + "".join(f"{name:>10}" for name in parts) + f"{'reward':>10}"]
    for action in episode.actions:
        step = engine.step(_ROW, np.array([action]))
        gains = "".join(f"{gain:>+10.4f}" for gain in step.parts[0, :-1])
        name = "STOP" if action == engine.stop else f"pick {action}"
        lines.append(f"{name:<8}{gains}{step.reward[0]:>+10.4f}")
    final = engine.scores(0)
    total = "".join(f"{score:>10.4f}" for score in final.values())
    lines.append(f"{'return':<8}{total}{add_in_order(final.values()):>10.4f}")
    return _section(
        "5. An episode and its rewards (`rewards/`)",
        "The potential of a draft is ½ fact F1 + ⅙ (ROUGE-1 + ROUGE-2 + ROUGE-L). A pick is paid "
        "what it adds, so the rewards of an episode sum to what its draft is worth. These are the "
        "picks of the readable ceiling, which knows the facts and not the reference's wording.",
        _block(lines),
        _arithmetic(engine, episode),
    )


def _arithmetic(engine: SummariseEngine, episode: Episode) -> str:
    """Returns the fact F1 of the first pick worked out by hand."""
    batch = engine.source.batch(np.array([INSTANCE]))
    pick = episode.actions[0]
    claims = [int(fact) for fact in batch.claims[0, pick] if fact >= 0]
    weight, is_key = batch.fact_weight[0], batch.fact_is_key[0]
    claimed = add_in_order(float(weight[fact]) for fact in claims)
    covered = add_in_order(float(weight[fact]) for fact in claims if is_key[fact])
    total = float(weight[is_key].sum())
    precision, recall = covered / claimed, covered / total
    f1 = 2 * precision * recall / (precision + recall)
    return (
        f"By hand: sentence {pick} claims facts of weight {claimed:.3f}, of which {covered:.3f} is "
        f"key; all key facts weigh {total:.3f}. Precision is {covered:.3f} / {claimed:.3f} = "
        f"{precision:.3f}, recall {covered:.3f} / {total:.3f} = {recall:.3f}, F1 "
        f"{f1:.4f}, and half of that is the first gain in `fact_f1`. A repeated fact would weigh "
        "on the claims again and cover nothing; so would the wrong number."
    )


def _score(engine: SummariseEngine, episode: Episode) -> str:
    instances = np.array([INSTANCE])
    random = random_returns(engine, instances)
    engine.reset(_ROW, instances)
    plan = engine.oracle(0)
    oracle = np.array([plan.value])
    own = np.array([episode.episode_return])
    score = normalised_score(own, random, oracle)
    picks = ", ".join(map(str, plan.draft))
    return _section(
        "6. The score (`score.py`, `search.py`)",
        "The normalised score is 0 for a random policy and 100 for the oracle, over the same "
        "instances. The "
        f"oracle sees the reference and searches ({plan.method}): here it picks {picks}.",
        _block(
            [
                f"random  {random[0]:.4f}   mean of 100 episodes of uniform legal actions",
                f"ceiling {own[0]:.4f}",
                f"oracle  {oracle[0]:.4f}",
                f"score   100 * ({own[0]:.4f} - {random[0]:.4f}) / "
                f"({oracle[0]:.4f} - {random[0]:.4f}) = {score:.1f}",
            ]
        ),
    )


def _record(engine: SummariseEngine, episode: Episode) -> str:
    (record,) = records_of(ENV_ID, SETTINGS, engine, [episode])
    shown = json.loads(record.to_json())
    shown["rewards"] = [round(reward, 4) for reward in shown["rewards"]]
    shown["versions"] = dict.fromkeys(shown["versions"], "…")
    lines = json.dumps(shown, indent=1, ensure_ascii=False).splitlines()
    return _section(
        "7. The record (`record.py`)",
        "An episode is its environment, settings, instance and actions. With these anybody can "
        "replay it and recompute every reward, without the policy that played it.",
        _block(lines),
    )


def main() -> None:
    """Prints the page."""
    argparse.ArgumentParser(
        prog="python -m lightbulb_envs.data_flow",
        description=f"Follow instance {INSTANCE} of {ENV_ID} from world to reward.",
    ).parse_args()
    print(data_flow(), end="")


if __name__ == "__main__":
    main()
