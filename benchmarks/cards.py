"""The tables of the environments' cards, made from the code and from committed results."""

import ast
import functools
import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any

import lightbulb_envs
from benchmarks.markdown import load, span, table
from lightbulb_envs.audit.ceilings import CEILINGS, limit_of
from lightbulb_envs.engines.aspects import AspectConfig
from lightbulb_envs.engines.calibrated import CalibratedConfig
from lightbulb_envs.engines.sentiment_config import BanditConfig, LabelConfig, SentimentConfig
from lightbulb_envs.engines.slate import SlateConfig
from lightbulb_envs.engines.summarise import SummariseConfig
from lightbulb_envs.engines.summarise_tokens import TokensConfig
from lightbulb_envs.engines.summary_task import SummaryConfig
from lightbulb_envs.registry import keywords_of, make_engine
from lightbulb_envs.rewards.compose import PARTS, PRESETS
from lightbulb_envs.sources.labelled import LabelledConfig
from lightbulb_envs.sources.source import SourceConfig

SUMMARISERS = tuple(env_id for env_id in lightbulb_envs.ROWS if "NewsSummariser" in env_id)
WRITERS = ("Lightbulb/NewsSummariser-Tokens-v0", "Lightbulb/NewsSummariser-Text-v0")
PICKERS = tuple(env_id for env_id in SUMMARISERS if env_id not in WRITERS)
READERS = tuple(env_id for env_id in lightbulb_envs.ROWS if "SentimentAnalysis" in env_id)
LEVELS = {
    "level 0": ("whether an agent stops in time", "none that reads: lead-3 is all it takes"),
    "Easy": ("telling a repetition and late facts from news", "centrality: it follows words"),
    "v0": ("finding the event behind colour, and leaving another story", "lead-3"),
    "level 3": ("all of it in longer articles, with corrections", "lead-3: worse than random"),
    "Hard": ("two other stories and many corrected numbers", "lead-3: worse than random"),
    "MultiDoc": (
        "which of several reports is the latest, and not repeating them",
        "lead-3 reads one report, centrality what most of them say",
    ),
    "Slate": ("choosing a whole draft at once, without seeing it grow", "lead-3"),
    "Tokens": ("writing a summary word by word, 280 actions at each", "lead-3"),
    "Text": ("summarising in words, for language models", "lead-3"),
    "Subset": ("judging sentences one by one, in the article's order", "lead-3"),
}
"""What an environment tests, and which policy fails it and why."""
REVIEW_LEVELS = {
    "reviews of level 0": ("stopping in time: words say what they mean", "none that reads"),
    "reviews of level 1": ("negation, comparison and degrees", "the lexicon: it adds up words"),
    "Sentiment v0": (
        "contrast: after a turn, what came before counts half",
        "the lexicon, and who stops before the turn",
    ),
    "reviews of level 3": ("which aspect the title asks about", "who counts all aspects"),
    "Sentiment Hard": ("quotations of others and irony, too", "who takes words literally"),
    "Sentiment Cue": (
        "reading, though the title gives the label away in training",
        "who trusts the title: see `ood`",
    ),
    "Sentiment Bandit": ("a label for a whole text, in one step", "the lexicon"),
    "Sentiment Skim": ("choosing which chunk to read", "who reads from the start"),
    "Sentiment Aspect": (
        "two questions about one text, and reading on in between",
        "the lexicon: it does not ask whose words they are",
    ),
    "Sentiment Text": ("saying a label in words, for language models", "the lexicon"),
    "Sentiment Calibrated": (
        "being as sure as the part of a text that is shown allows",
        "who is always sure; the lexicon misses what words come to",
    ),
}
"""The same, of reading."""


_PAID = f", paid by {' and by '.join(f'`{name}`' for name in PRESETS)}"


def spaces_table(ids: Sequence[str] = SUMMARISERS) -> str:
    """Returns the spaces of ids."""
    rows = []
    for env_id in ids:
        engine = make_engine(env_id, 1)
        told = ", ".join(
            f"`{name}` {tuple(space.shape or ())} {space.dtype}"
            for name, space in engine.observation_space.items()
        )
        rows.append([f"`{env_id.removeprefix('Lightbulb/')}`", told, f"`{engine.action_space}`"])
    return table(["id", "observation", "action"], rows, of_text=True)


def keywords_table() -> str:
    """Returns the keywords of the summarisers, with what their docstrings say."""
    return _keywords(SUMMARISERS, (SummaryConfig, SummariseConfig, SourceConfig, SlateConfig))


def writing_keywords_table() -> str:
    """Returns the keywords in which writing word by word differs from picking sentences."""
    fields = _documented_fields(TokensConfig)
    other = _documented_fields(SummariseConfig)
    rows = [
        [f"`{name}`", f"`{default}`", text.replace("|", "\\|")]
        for name, (default, text) in fields.items()
        if other.get(name) != (default, text)
    ]
    return table(["keyword", "default", "what it does"], rows, of_text=True)


def review_keywords_table() -> str:
    """Returns the keywords of the sentiment environments, with what their docstrings say."""
    own = (SentimentConfig, BanditConfig, LabelConfig, CalibratedConfig, LabelledConfig)
    return _keywords(READERS, (*own, SourceConfig, AspectConfig))


def _keywords(ids: Sequence[str], configs: Sequence[type]) -> str:
    """Returns the fields of configs, each told by the first that has it, and who takes it."""
    told: dict[str, list[str]] = {}
    for config in configs:
        for name, (default, text) in _documented_fields(config).items():
            row = [f"`{name}`{_takers(ids, name)}", f"`{default}`", text.replace("|", "\\|")]
            told.setdefault(name, row)
    return table(["keyword", "default", "what it does"], list(told.values()), of_text=True)


def _takers(ids: Sequence[str], keyword: str) -> str:
    """Returns which of some ids take a keyword, "" if all do."""
    names = [env_id.split("-", 1)[1].removesuffix("v0").strip("-") for env_id in ids]
    takes = [keyword in keywords_of(env_id) for env_id in ids]
    few = [name for name, it in zip(names, takes, strict=True) if it]
    others = [name for name, it in zip(names, takes, strict=True) if not it]
    if not others:
        return ""
    return f" (not {', '.join(others)})" if len(others) < len(few) else f" ({', '.join(few)})"


def _documented_fields(config: type) -> dict[str, tuple[str, str]]:
    """Returns the fields that a class itself defines: their defaults, and their docstrings."""
    (definition,) = ast.parse(inspect.getsource(config)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for line, following in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            if not isinstance(line.value, ast.Call):  # no keyword(default, example=...)
                continue
            assert isinstance(following, ast.Expr)
            assert isinstance(following.value, ast.Constant)
            text = " ".join(str(following.value.value).split())
            found[line.target.id] = (ast.unparse(line.value.args[0]), text)
    return found


def rewards_table() -> str:
    """Returns the formula and the range of every preset."""
    rows = []
    for name, weights in PRESETS.items():
        formula = " + ".join(f"{weight:.4g} · {part}" for part, weight in weights.items())
        rows.append([f"`{name}`", formula, f"0 to {sum(weights.values()):.4g}"])
    return table(["preset", "score of a draft", "range"], rows, of_text=True)


def parts_table() -> str:
    """Returns the parts that rewards are made of."""
    return ", ".join(f"`{name}`" for name in PARTS)


def baselines_table() -> str:
    """Returns what the summarisers' baselines return and score, a row an environment."""
    columns = {name: name for name in ("random", "lead-3", "centrality")}
    return _baselines(LEVELS, {**columns, "ceiling": "readable ceiling", "oracle": "oracle"})


def review_baselines_table() -> str:
    """Returns what the readers' baselines return and score, a row an environment."""
    names = ("random", "lexicon", "lexicon, all read", "lexicon, last first", "oracle")
    return _baselines(REVIEW_LEVELS, {name: name for name in names})


def _baselines(environments: Iterable[str], columns: dict[str, str]) -> str:
    results = {name: load("baselines")[name] for name in environments}
    rows = []
    for name, result in results.items():
        entries = {entry["name"]: entry for entry in result["entries"]}
        cells = []
        for actor in columns:
            if actor not in entries:
                cells.append("")
                continue
            own = " ".join(span(entries[actor]["episode_return"], 3))
            if actor in ("random", "oracle"):
                cells.append(own)
            else:
                cells.append(f"{own}, **{entries[actor]['score']['mean']:.1f}**")
        rows.append([name, *cells])
    episodes = {result["episodes"] for result in results.values()}
    note = (
        f"Returns on {episodes.pop():,} test documents with 95 % bootstrap intervals, and scores "
        "in bold (random 0, oracle 100). `python -m benchmarks.baselines`."
    )
    return table(["environment", *columns.values()], rows) + "\n\n" + note


def tests_table() -> str:
    """Returns a line a level: what it tests, and which policy fails it."""
    return _tests(LEVELS, ("lead-3", "centrality"))


def review_tests_table() -> str:
    """Returns a line a level of reviews: what it tests, and which policy fails it."""
    return _tests(REVIEW_LEVELS, ("lexicon",))


def _tests(levels: dict[str, tuple[str, str]], heuristics: Sequence[str]) -> str:
    results = load("baselines")
    rows = []
    for name, (what, fails) in levels.items():
        scores = {entry["name"]: entry["score"]["mean"] for entry in results[name]["entries"]}
        shown = ", ".join(f"{heuristic} {scores[heuristic]:.0f}" for heuristic in heuristics)
        rows.append([name, what, f"{fails} ({shown})"])
    return table(["environment", "what it tests", "which policy fails it"], rows, of_text=True)


def audit_table() -> str:
    """Returns what the canaries that pick score, both presets in a column."""
    return _audit(PICKERS, "NewsSummariser-", _PAID)


def writing_audit_table() -> str:
    """Returns what the canaries that write score, both presets in a column."""
    return _audit(WRITERS, "NewsSummariser-", _PAID)


def review_audit_table() -> str:
    """Returns what the readers' canaries score."""
    return _audit(READERS, "SentimentAnalysis-", "")


def _audit(ids: Sequence[str], prefix: str, paid: str) -> str:
    """Returns what every canary scores, a row a canary and a column an id."""
    audit = load("audit")
    columns: dict[str, dict[str, Any]] = {env_id: {} for env_id in ids}
    for column in audit["columns"]:
        if column["env_id"] in columns:
            columns[column["env_id"]][column["reward"]] = column
    header = ["policy", "ceiling"]
    header += [env_id.removeprefix(f"Lightbulb/{prefix}") for env_id in columns]
    every = [column for columns_of_id in columns.values() for column in columns_of_id.values()]
    canaries = dict.fromkeys(name for column in every for name in column["scores"])
    rows = []
    for canary in canaries:
        cells = [
            ", ".join(filter(None, (_audited(canary, own) for own in columns_of_id.values())))
            for columns_of_id in columns.values()
        ]
        own = f"{CEILINGS[canary].score:.0f}" if canary in CEILINGS else ""
        rows.append([canary, own, *cells])
    note = (
        f"Scores (random 0, oracle 100) on {audit['episodes']} validation documents{paid}. ¹: more "
        "than the ceiling, which `lightbulb_envs/audit/ceilings.py` explains."
    )
    return table(header, rows) + "\n\n" + note


def _audited(canary: str, column: dict[str, Any]) -> str:
    if canary not in column["scores"]:
        return ""
    score = column["scores"][canary]["mean"]
    limit = limit_of(canary, column["env_id"], column["reward"], column["heuristic_score"])
    return f"{score:.0f}{'¹' if score > limit.ceiling else ''}"


def versions_table(ids: Sequence[str] = SUMMARISERS) -> str:
    """Returns the version and digest of ids."""
    text = resources.files("lightbulb_envs").joinpath("golden.json").read_text(encoding="utf-8")
    digests: dict[str, Any] = json.loads(text)
    rows = [
        [f"`{env_id}`", env_id.rpartition("-")[2], f"`{digests[env_id]}`", "first version"]
        for env_id in ids
    ]
    return table(["id", "version", "digest", "what changed"], rows, of_text=True)


CARD_TABLES: dict[str, Callable[[], str]] = {
    "summariser_spaces": spaces_table,
    "summariser_keywords": keywords_table,
    "summariser_rewards": rewards_table,
    "summariser_parts": parts_table,
    "summariser_baselines": baselines_table,
    "summariser_levels": tests_table,
    "summariser_audit": audit_table,
    "writing_keywords": writing_keywords_table,
    "writing_audit": writing_audit_table,
    "summariser_versions": versions_table,
    "reader_spaces": functools.partial(spaces_table, READERS),
    "reader_keywords": review_keywords_table,
    "reader_baselines": review_baselines_table,
    "reader_levels": review_tests_table,
    "reader_audit": review_audit_table,
    "reader_versions": functools.partial(versions_table, READERS),
}
"""Tables of cards by the names that the pages give them."""
