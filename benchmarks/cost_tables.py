"""What training costs, and what is held in memory, as tables of the committed results."""

from typing import Any

from benchmarks.markdown import load, span, table


def time_to_score_table() -> str:
    """Returns how long contestants take to the target score, and what they were tuned on."""
    results = load("time_to_score")
    rows = []
    for name, told in results["contestants"].items():
        mean, interval = span(told["interval"], 0)
        settings = told["runs"][0]
        seeds = ", ".join(_seconds(seconds) for seconds in told["seconds"])
        rows.append(
            [
                name,
                f"{settings['learning_rate']:g}, {settings['minibatch']}, {settings['epochs']}",
                seeds,
                *_mean_and_share(told, mean, interval, results["ours_against"].get(name, 1.0)),
            ]
        )
    header = ["contestant", "tuned to", "seconds, by seed", "mean", "ours, as a share of it"]
    trials = [
        [
            name,
            f"{trial['learning_rate']:g}, {trial['minibatch']}, {trial['epochs']}",
            _seconds(trial["seconds_to_score"]),
            f"{trial['curve'][-1][2]:.1f}",
            f"{trial['curve'][-1][0]:,}",
        ]
        for name, told in results["contestants"].items()
        for trial in told["trials"]
    ]
    tuning = results["tuning"]
    note = (
        f"Seconds of processor time, one thread, until the score of {results['documents']} "
        f"validation documents is {results['target']:g}; it is measured every "
        f"{results['measured_every']:,} steps, and that time does not count. Settings: learning "
        f"rate, steps of a minibatch, passes over a rollout. Rates fall to zero over "
        f"{results['decay_steps']:,} steps. Tuning: {tuning['trials']} trials each, seed "
        f"{tuning['seed']}, {tuning['seconds']:g} s each at most; then each seed has "
        f"{results['seconds']:g} s. One or two trials at a time, beside other work."
    )
    tuned = table(["tuning", "settings", "seconds to the score", "last score", "steps"], trials)
    return f"{table(header, rows)}\n\n{note}\n\n{tuned}"


def _mean_and_share(told: dict[str, Any], mean: str, interval: str, share: float) -> list[str]:
    """Returns a mean and ours as a share of it; bounds where a seed never came to the score."""
    if told["is_lower_bound"]:
        return [f"more than {mean}", f"less than {share:.2f}"]
    return [f"**{mean}** {interval}", f"{share:.2f}"]


def profile_table() -> str:
    """Returns the phases of training, and the largest operators of torch."""
    results = load("profile")
    phases = sorted(results["shares"].items(), key=lambda phase: -phase[1])
    rows = [[name, f"{100 * share:.1f} %"] for name, share in phases]
    operators = ", ".join(
        f"`{one['operator']}` {100 * one['share']:.1f} %" for one in results["operators"][:6]
    )
    return (
        f"{table(['phase', 'share of processor time'], rows)}\n\n"
        f"The default run, {results['updates']} updates of {results['rows']} episodes, one thread. "
        f"Largest operators: {operators}."
    )


def memory_table() -> str:
    """Returns what a batch of environments over a pool of documents holds, and a long run."""
    results = load("memory")
    pool: dict[str, Any] = results["pool"]
    training: dict[str, Any] = results["training"]
    count, documents = pool["environments"], pool["documents"]
    rows = [[name, f"{megabytes:,.0f} MB"] for name, megabytes in pool["megabytes"].items()]
    minutes = training["samples"][-1][0] / 60
    return (
        f"{table(['resident memory', 'of the whole process'], rows)}\n\n"
        f"{count:,} environments in one batch, over {documents:,} documents, "
        f"add **{pool['added']:,.0f} MB**.\n\n"
        f"The default training run, for {minutes:.0f} minutes "
        f"({training['last_measured']['steps']:,.0f} steps at the last measurement): "
        f"{training['start']:,.0f} MB after a quarter of that time, {training['end']:,.0f} MB at "
        f"the end, {training['most']:,.0f} MB at most. From the one to the other it grew by "
        f"**{training['growth_an_hour']:+.1f} MB an hour** (least squares)."
    )


def backbones_table() -> str:
    """Returns what parts of backbones cost as ratios, at every length."""
    results = load("scaling")
    rows = []
    for title, axis, ours, other in _RATIOS:
        curves = results[axis]["curves"]
        own, peer = (
            {point["at"]: point["median"] for point in curves[name]} for name in (ours, other)
        )
        told = (f"{peer[size] / own[size]:,.3g} at {size:,.0f}" for size in sorted(own))
        rows.append([title, ", ".join(told)])
    return table(["how many times the cost", "at so many tokens or sentences"], rows)


_RATIOS = (
    ("transformers' scan against ours", "scan", "ours", "transformers, without kernels"),
    ("our scan against that of Mamba-2", "scan", "Mamba-2, ours", "ours"),
    ("Mamba that reads anew against carried", "decoding", "Mamba", "Mamba, all read anew"),
    (
        "attention that reads anew against carried",
        "decoding",
        "attention",
        "attention, all read anew",
    ),
    ("a carried token of attention against one of Mamba", "decoding", "Mamba", "attention"),
    (
        "attention to all of the past against block-sparse",
        "attention",
        "block-sparse, gathered",
        "all of the past",
    ),
    (
        "memory of block-sparse against all of the past",
        "memory",
        "all of the past",
        "block-sparse, gathered",
    ),
    ("`bag` that reads anew against once", "acting", "bag, read before", "bag, read anew"),
    (
        "`language:tiny` that reads anew against once",
        "acting",
        "language:tiny, read before",
        "language:tiny, read anew",
    ),
)
"""What is told, the axis, the curve that is divided by, and the one that is divided."""


def _seconds(seconds: float | None) -> str:
    return "not within its time" if seconds is None else f"{seconds:.0f}"
