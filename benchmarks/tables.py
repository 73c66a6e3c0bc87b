"""Writes the tables that are made from committed results, and the pictures of `pictures.py`.

    python -m benchmarks.tables

fills the parts of README.md, benchmarks/README.md and the cards between `<!-- name -->` and
`<!-- /name -->`, and draws docs/learning.svg and docs/tradeoff.svg. A test compares them with the
results.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightbulb_envs
from benchmarks.agent_backbones.report import agent_backbones_table
from benchmarks.agent_backbones.runs import PICKS, READS
from benchmarks.backbones.report import TASKS as PARTS
from benchmarks.backbones.report import parts_table, readers_table, routing_gains_table
from benchmarks.cards import CARD_TABLES
from benchmarks.cost_tables import backbones_table, memory_table, profile_table, time_to_score_table
from benchmarks.gpu.report import (
    gpu_attention_table,
    gpu_model_table,
    gpu_note,
    gpu_scan_table,
)
from benchmarks.language.report import language_table
from benchmarks.markdown import load, span, table
from benchmarks.pictures import PICTURES
from benchmarks.throughput.table import (
    second_throughput_table,
    second_writing_table,
    speed_sentence,
    throughput_table,
    writing_table,
)
from lightbulb_envs.sources.newsroom.levels import level_table
from lightbulb_envs.sources.reviews.levels import review_level_table

ROOT = Path(__file__).parent.parent
FILES = (
    "README.md",
    "benchmarks/README.md",
    "docs/envs/news_summariser.md",
    "docs/envs/sentiment_analysis.md",
)


def environments_table() -> str:
    """Returns the ids of the suite with their levels, those together that are acted in alike."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in lightbulb_envs.ROWS.values():
        family, name = row.id.removeprefix("Lightbulb/").split("-", 1)
        told = f"`-{name}` ({row.settings['level']})"
        alike.setdefault((family, row.head, row.heuristic, row.agent), []).append(told)
    rows = [
        [f"`{family}`", ", ".join(ids), head, heuristic, agent]
        for (family, head, heuristic, agent), ids in alike.items()
    ]
    columns = ["Lightbulb/…", "ids (level)", "head", "reference heuristic", "sub-agent"]
    return table(columns, rows, of_text=True)


def levels_table() -> str:
    """Returns what the baselines score on validation documents, a row a level."""
    return _levels("levels", {"lead-3": "lead-3", "centrality": "centrality"} | _CEILING)


def review_levels_table() -> str:
    """Returns what the baselines score on validation reviews, a row a level."""
    return _levels("review_levels", {name: name for name in ("lexicon", "lexicon, all read")})


_CEILING = {"ceiling": "readable ceiling"}


def _levels(results_of: str, names: dict[str, str]) -> str:
    rows = []
    for level, results in load(results_of).items():
        scores = {entry["name"]: entry["score"] for entry in results["entries"]}
        cells = [
            f"{scores[name]['mean']:.1f} ({scores[name]['low']:.1f} to {scores[name]['high']:.1f})"
            for name in names
        ]
        rows.append([level, *cells])
    return table(["level", *names.values()], rows)


def attributes_table() -> str:
    """Returns the named attributes of every level of the newsroom."""
    return _attributes(level_table())


def review_attributes_table() -> str:
    """Returns the named attributes of every level of reviews."""
    return _attributes(review_level_table())


def _attributes(levels: list[dict[str, Any]]) -> str:
    names = list(levels[0])
    rows = [
        [name.replace("_", " "), *(_attribute(level[name]) for level in levels)]
        for name in names
        if name != "level"
    ]
    return table(["attribute", *(f"level {level['level']}" for level in levels)], rows)


def _attribute(value: Any) -> str:
    return f"{value[0]} to {value[1]}" if isinstance(value, tuple) else str(value)


def learning_table() -> str:
    """Returns what was learnt of summarising, a row a suite."""
    return _learning(("lead-3", "centrality"), lambda suite: "NewsSummariser" in suite["env"])


def reader_learning_table() -> str:
    """Returns what was learnt of reading, a row a suite."""
    return _learning(("lexicon",), lambda suite: "SentimentAnalysis" in suite["env"])


def cue_table() -> str:
    """Returns who is fooled by a cue that is reversed in `ood`."""
    suites = {
        name: suite for name, suite in load("learning").items() if "-Cue-" in suite.get("env", "")
    }
    (first, *_) = suites.values()
    heuristic = [f"{one['lexicon']:.1f}" for one in (first["baselines"], first["ood"]["baselines"])]
    rows = [["lexicon", *heuristic]]
    for suite in suites.values():
        told = [" ".join(span(one["score"])) for one in (suite, suite["ood"])]
        rows.append([f"{suite['agent']}, {suite['budget']}, {len(suite['seeds'])} seeds", *told])
    return table(["on SentimentAnalysis-Cue-v0", "test: the cue holds", "ood: reversed"], rows)


def learnt_table() -> str:
    """Returns what was learnt on the two base ids: the main job, and each agent's longest runs."""
    bases = ("Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0")
    results = load("learning")
    long = {
        (suite["env"], suite["agent"]) for suite in results.values() if suite["budget"] == "long"
    }

    def takes(suite: Mapping[str, Any]) -> bool:
        is_plain = not (suite["settings"] or suite.get("joint"))
        is_main = (suite["env"], suite["agent"]) == (bases[0], "ppo")
        is_longest = suite["budget"] == "long" or (suite["env"], suite["agent"]) not in long
        return suite["env"] in bases and is_plain and (is_main or is_longest)

    return _learning((), takes)


def _agent_of(suite: Mapping[str, Any]) -> str:
    """Returns what learnt, and what is particular about it."""
    flags, told = suite.get("flags", []), [suite["agent"]]
    if "--learning.imitate" in flags:
        told.append(f"imitates {flags[flags.index('--learning.imitate') + 1]} first")
    if suite.get("joint"):
        told.append("one Agent of both")
    return ", ".join(told)


def _learning(heuristics: Sequence[str], takes: Callable[[Mapping[str, Any]], bool]) -> str:
    """Returns what was learnt, a row a suite that is taken."""
    results = load("learning")
    suites = [suite for suite in results.values() if takes(suite)]
    rows = []
    for suite in suites:
        gaps, baselines = suite["differences"], suite["baselines"]
        heuristic = max((name for name in gaps), key=lambda name: baselines[_than(name)])
        told = [f"{baselines[name]:.1f}" for name in heuristics]
        if not heuristics:
            told = [f"{_than(heuristic)} {baselines[_than(heuristic)]:.1f}"]
        gained = [_gap(gaps[f"trained - {name}"]) for name in heuristics]
        rows.append(
            [
                f"`{' '.join([suite['env'].removeprefix('Lightbulb/'), *suite['settings']])}`",
                _agent_of(suite),
                suite["budget"],
                str(len(suite["seeds"])),
                f"{max(suite['steps']):,}",
                f"{min(suite['seconds'])} to {max(suite['seconds'])}",
                f"**{span(suite['score'])[0]}** {span(suite['score'])[1]}",
                " ".join(span(suite["ood"]["score"])),
                *told,
                _ceiling(suite),
                *(gained or [_gap(gaps[heuristic])]),
            ]
        )
    header = ["environment", "agent", "budget", "seeds", "steps", "seconds", "trained, test"]
    header += ["trained, ood", *(heuristics or ["best heuristic"]), "ceiling"]
    header += [f"return over {name}" for name in heuristics or ["it"]]
    documents = {suite["documents"] for suite in suites}
    machines = {
        f"{one['processor']}, {one['cores']} cores" for suite in suites for one in suite["machines"]
    }
    note = (
        f"Scores on {documents.pop()} documents of `test` (baselines too) and of `ood`: random 0, "
        "oracle 100 of the same documents. Means over seeds "
        "with 95 % Student intervals; gains in return with paired 95 % intervals over seeds and "
        f"documents. Machines: {'; '.join(sorted(machines))}; one "
        "thread a run, two runs at a time beside other work, so seconds are an upper bound."
    )
    return table(header, rows) + "\n\n" + note


def _ceiling(suite: Mapping[str, Any]) -> str:
    """Returns the score of the best that a reader can do, where it is known."""
    if "ceiling" in suite["baselines"]:
        return f"{suite['baselines']['ceiling']:.1f}"
    knows_no_more = suite["env"].startswith("Lightbulb/SentimentAnalysis-")  # than is read
    return "100.0" if knows_no_more else "unknown"


def _than(difference: str) -> str:
    """Returns the heuristic that a difference is over."""
    return difference.removeprefix("trained - ")


def _gap(interval: dict[str, float]) -> str:
    return f"{interval['mean']:+.3f} ({interval['low']:+.3f} to {interval['high']:+.3f})"


def news_table() -> str:
    """Returns ROUGE on real news, a row a policy."""
    results = load("news")
    names = {
        "lead-3": "lead-3",
        "centrality": "centrality (LexRank)",
        "greedy": "greedy oracle",
        "oracle": "beam oracle",
    }
    kinds = ("rouge1", "rouge2", "rougeLsum")
    rows = [
        [label, *(f"{results['baselines'][name][kind]:.2f}" for kind in kinds)]
        for name, label in names.items()
    ]
    own = [f"**{results['trained'][kind]:.2f}**" for kind in kinds]
    rows.insert(2, ["trained (mean of three seeds)", *own])
    gaps = results["trained - lead-3"]
    cells = [
        f"{gaps[kind]['mean']:+.2f} ({gaps[kind]['low']:+.2f} to {gaps[kind]['high']:+.2f})"
        for kind in kinds
    ]
    rows.insert(3, ["trained − lead-3, paired 95 %", *cells])
    note = (
        f"CNN / Daily Mail samples: {results['training_articles']} articles to train on, "
        f"{results['test_articles']} to test, at most three sentences, {results['budget']:,} "
        "steps. ROUGE F1 × 100, stemmed, by `rouge-score`; intervals over seeds and documents. The "
        f"steps were chosen by the returns on 100 training articles ({_tuning()})."
    )
    return table(["policy", "ROUGE-1", "ROUGE-2", "ROUGE-Lsum"], rows) + "\n\n" + note


def sst2_table() -> str:
    """Returns what was got right of SST-2 and how much was read, a row a way of reading."""
    results, tuned = load("sst2"), load("sst2_tuning")
    told = {"bandit": "the whole sentence, in one step", "reading": "four words at a time"}
    rows = []
    for name, label in told.items():
        if name not in results:
            continue  # it has not been run yet
        own = results[name]
        runs, share = own["runs"], own["share_read"]
        cells = [f"{100 * run['accuracy']:.1f}" for run in runs]
        rows.append(
            [
                label,
                f"**{100 * own['accuracy']['mean']:.1f}** ({100 * own['accuracy']['low']:.1f} to "
                f"{100 * own['accuracy']['high']:.1f})",
                ", ".join(cells),
                f"{100 * share['mean']:.0f} %",
                f"{max(run['steps'] for run in runs):,}",
                f"{min(run['seconds'] for run in runs)} to {max(run['seconds'] for run in runs)}",
            ]
        )
    (texts,) = {run["texts"] for name in told if name in results for run in results[name]["runs"]}
    tried = "; ".join(
        f"{float(share):.0%} " + " and ".join(f"{100 * one:.1f}" for one in accuracy)
        for share, accuracy in tuned["accuracy"].items()
    )
    note = (
        f"PPO from scratch by rewards of ±1, trained on all phrases, tested on the {texts} "
        f"validation sentences (the more frequent label: {100 * results['majority']:.1f}). Means "
        f"over seeds with 95 % Student intervals; one thread a run, beside other work. "
        f"{results['dropout']:.0%} of the words are hidden while it learns, with a weight decay of "
        f"{results['weight_decay']:g}: on the {tuned['sentences']} training sentences that were "
        f"held out, hiding so many got right, by seed: {tried}."
    )
    header = ["what is shown", "accuracy", "by seed", "share read", "steps", "seconds"]
    return table(header, rows) + "\n\n" + note


def replay_table() -> str:
    """Returns what replaying records costs beside stepping, a row a policy."""
    results = load("replay")
    rows = [
        [
            policy,
            f"{result['steps']:,}",
            _span(result["step_seconds"]),
            _span(result["replay_seconds"]),
            f"**{speed['median']:.2f}** ({speed['least']:.2f} to {speed['most']:.2f})",
        ]
        for policy, result in results["policies"].items()
        for speed in [result["speed_of_replay"]]
    ]
    note = (
        f"{results['episodes']:,} episodes of `{results['env'].removeprefix('Lightbulb/')}`, "
        f"{results['rows']} at a time: medians of {results['repeats']} interleaved repeats, with "
        "the least and the most, in seconds of one core. Stepping has the engine open and the "
        "actions in memory; replaying reads the file, opens the engine and compares every reward."
    )
    header = ["policy", "steps", "stepping", "replaying", "speed of replaying over stepping"]
    return table(header, rows) + "\n\n" + note


def _span(seconds: dict[str, float]) -> str:
    return f"{seconds['median']:.2f} s ({seconds['least']:.2f} to {seconds['most']:.2f})"


def _tuning() -> str:
    returns = load("news_tuning")["returns"]
    return ", ".join(
        f"{int(budget):,}: {sum(scores) / len(scores):.4f}" for budget, scores in returns.items()
    )


TABLES: dict[str, Callable[[], str]] = {
    "environments": environments_table,
    "levels": levels_table,
    "review_levels": review_levels_table,
    "review_attributes": review_attributes_table,
    "attributes": attributes_table,
    "learning": learning_table,
    "learnt": learnt_table,
    "reader_learning": reader_learning_table,
    "reader_cue": cue_table,
    "news": news_table,
    "sst2": sst2_table,
    "replay": replay_table,
    "speed": speed_sentence,
    "throughput": throughput_table,
    "second_throughput": second_throughput_table,
    "writing_throughput": writing_table,
    "second_writing_throughput": second_writing_table,
    "time_to_score": time_to_score_table,
    "profile": profile_table,
    "memory": memory_table,
    "backbones": backbones_table,
    "language": language_table,
    "gpu_attention": gpu_attention_table,
    "gpu_scan": gpu_scan_table,
    "gpu_model": gpu_model_table,
    "gpu_note": gpu_note,
    **{f"parts_{task}": partial(parts_table, task) for task in PARTS},
    "parts_readers": readers_table,
    "parts_routing_gains": routing_gains_table,
    "summariser_backbones": partial(agent_backbones_table, PICKS),
    "reader_backbones": partial(agent_backbones_table, READS),
    **CARD_TABLES,
}


def filled(text: str) -> str:
    """Returns a page with all its tables made anew."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n{TABLES[name]()}\n<!-- /{name} -->"

    return re.sub(r"<!-- (?P<name>\w+) -->\n.*?<!-- /(?P=name) -->", fill, text, flags=re.DOTALL)


def main() -> None:
    """Fills all tables and draws the pictures."""
    for name in FILES:
        path = ROOT / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    for name, picture in PICTURES.items():
        (ROOT / name).write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
