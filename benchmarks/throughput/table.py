"""The races as tables, from the committed results."""

from typing import Any

from benchmarks.markdown import load, table

PEERS = ("rouge-score-rs", "rouge-score")


def throughput_table() -> str:
    """Returns what a unit of work costs us, and how many times that it costs the peers."""
    results = load("throughput")
    sizes = "; ".join(
        f"*{name}*: " + ", ".join(f"{size:g} {unit}" for unit, size in measures.items())
        for name, measures in results["workloads"].items()
    )
    told = [
        *_sentences_and_environments(results),
        _training(results["training"]["NewsSummariser-v0, PPO"]),
        _orders(results["others"]),
        f"{_machine(results)}. Documents: {sizes}.",
    ]
    return "\n\n".join(told)


def speed_sentence() -> str:
    """Returns the races in one sentence, as each processor that was measured ran them."""
    told = [_speeds(load(name)) for name in ("throughput", "throughput_second")]
    return (
        f"At each step ROUGE of the draft costs `rouge-score-rs` {told[0]['step']} times and "
        f"`rouge-score` {told[0]['python']} times what it costs Lightbulb, facts and ROUGE in a "
        f"batch of 1,024 episodes are {told[0]['batch']} times as fast as ROUGE alone in the "
        f"environment that one would write first on `rouge-score-rs`, and PPO trains "
        f"{told[0]['training']} times as fast as Stable-Baselines3's with the same network "
        f"({told[0]['processor']}, one core; {told[1]['processor']}: {told[1]['step']}, "
        f"{told[1]['python']} and {told[1]['batch']} times)."
    )


def _speeds(results: dict[str, Any]) -> dict[str, str]:
    draft = results["kernel"]["ROUGE-1+2+L; wide, reference of 55 words"]["times"]
    batch = results["environments"]["batch of 1024; newsroom"]["times"]
    training = results.get("training", {}).get("NewsSummariser-v0, PPO", {"times": {}})["times"]
    return {
        "processor": results["machine"]["processor"].removesuffix(" Processor"),
        "step": f"{draft['rouge-score-rs']:.0f}",
        "python": f"{draft['rouge-score']:,.0f}",
        "batch": f"{batch['obvious, rouge-score-rs']:.0f}",
        "training": f"{training.get('Stable-Baselines3 PPO', 0):.1f}",
    }


def second_throughput_table() -> str:
    """Returns the races of scoring and of environments as another processor ran them."""
    results = load("throughput_second")
    return "\n\n".join([*_sentences_and_environments(results), f"{_machine(results)}."])


def _sentences_and_environments(results: dict[str, Any]) -> list[str]:
    environments = dict(results["environments"])
    fresh = environments.pop("fresh documents")["documents_per_second"]
    rates = ", ".join(f"{rate:,.0f} ({name})" for name, rate in fresh.items())
    return [
        _races("scoring", {**results["kernel"], **results["strings"]}, ""),
        _races("environment", environments, "obvious, "),
        _others(environments),
        f"Fresh documents in every episode: {rates} documents a second.",
    ]


def _machine(results: dict[str, Any]) -> str:
    return (
        f"{results['machine']['processor']}, Python {results['versions']['python']}; one core, "
        f"processor time, medians of {results['repeats']} turns, with the least and the most"
    )


def _races(title: str, races: dict[str, Any], prefix: str) -> str:
    """Returns a row a race: our cost and how many times it the two scorers of strings cost."""
    rows = [
        [name, _microseconds(race["microseconds"]["ours"])]
        + [f"**{_times(race['times'][prefix + peer])}**" for peer in PEERS]
        for name, race in races.items()
    ]
    return table([title, "ours, µs a unit", *(prefix + peer for peer in PEERS)], rows)


def _others(races: dict[str, Any]) -> str:
    """Returns what our own other ways to step cost, as times our cost."""
    rows = [
        [name, other, f"{times:,.3g}×"]
        for name, race in races.items()
        for other, times in race["times"].items()
        if not other.startswith("obvious")
    ]
    return table(["environment", "way to step it", "times our cost"], rows)


def writing_table() -> str:
    """Returns what a word costs that is written, and how many times that it costs the peers."""
    return _writing("throughput_words")


def second_writing_table() -> str:
    """Returns the same of another machine."""
    return _writing("throughput_words_second")


def _writing(name: str) -> str:
    results = load(name)
    rows = [
        [
            name,
            _microseconds(race["microseconds"]["ours, views"]),
            *(_times(race["times"][f"obvious, {peer}"]) for peer in PEERS),
            _times(race["times"]["ours, copies"]),
        ]
        for name, race in results["words"].items()
    ]
    head = ["a word of", "ours, views, µs", *PEERS, "ours, copies"]
    return f"{table(head, rows)}\n\n{_machine(results)}."


def _training(race: dict[str, Any]) -> str:
    """Returns what a step of training costs, and how fast ours is beside every other."""
    rows = [
        [name, _microseconds(cost), f"{100 * race['times'].get(name, 1.0):.3g} %"]
        for name, cost in race["microseconds"].items()
    ]
    return table(["training", "µs a step", "ours, as a share of its speed"], rows)


def _orders(others: dict[str, Any]) -> str:
    """Returns by how many powers of ten units of other work cost what ours does."""
    names = list(next(iter(others["orders_of_magnitude"].values())))
    rows = [
        [name, *(f"10^{powers[name]}" for powers in others["orders_of_magnitude"].values())]
        for name in names
    ]
    told = [f"beside {name}" for name in others["orders_of_magnitude"]]
    return table(["other work", *told], rows) + f"\n\n{others['note']}"


def _times(value: float) -> str:
    return f"{value:,.0f}×" if value >= 100 else f"{value:.3g}×"


def _microseconds(cost: dict[str, float]) -> str:
    return f"{cost['median']:.3g} ({cost['least']:.3g} to {cost['most']:.3g})"
