"""What was measured on a GPU, as tables of the committed results."""

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import load, table

_RUNS = {"forward": "forward", "backward": "and backward", "step": "a whole step"}
_READERS = {"routed": "as routed"}


def gpu_attention_table() -> str:
    """Returns what attention and its gradient cost by the tokens of a text, a row a way."""
    return _by_length("attention")


def gpu_scan_table() -> str:
    """Returns what a scan and its gradient cost by the tokens of a text, a row a way."""
    return _by_length("scan")


def _by_length(part: str) -> str:
    ways = load("gpu")[part]["costs"]
    sizes = sorted({int(size) for costs in ways.values() for size in costs})
    rows = [
        [name, *(_cost(costs.get(str(size))) for size in sizes)] for name, costs in ways.items()
    ]
    return table(["milliseconds (GB), at tokens", *(f"{size:,}" for size in sizes)], rows)


def _cost(cost: dict[str, Any] | None) -> str:
    if cost is None:
        return "–"
    return f"{cost['milliseconds']['median']:.3g} ({cost['gigabytes']:.2g})"


def gpu_model_table() -> str:
    """Returns what a whole model costs, a row a reader and what is run."""
    told = load("gpu")["model"]
    rows = [
        [f"{_READERS.get(reader, f'`{reader}` reads all')}: {_RUNS[run]}", *model_cells(cost)]
        for reader, runs in told["costs"].items()
        for run, cost in runs.items()
    ]
    header = ["", "read by rag, dpo, mamba", "milliseconds", "tokens a second", "GB that it adds"]
    return table([*header, "10¹² operations a second", "of the peak"], rows)


def model_cells(cost: Mapping[str, Any]) -> list[str]:
    """Returns the cells of a row."""
    if cost.get("is_out_of_memory"):
        return ["", "out of memory", *("–" for _ in range(4))]
    passed = cost["milliseconds"]
    return [
        ", ".join(f"{share:.0%}" for share in cost["read_by"].values()),
        f"{passed['median']:.0f} ({passed['least']:.0f} to {passed['most']:.0f})",
        f"{cost['tokens_a_second']:,.0f}",
        f"{cost['gigabytes']:.1f}",
        f"{cost['teraflops']:.0f}",
        f"{100 * cost['utilisation']:.1f} %",
    ]


def gpu_note() -> str:
    """Returns on what it was measured."""
    told = load("gpu")
    model = told["model"]
    packages = ", ".join(f"{name} {number}" for name, number in model["versions"].items())
    rates = sorted({part["matmul_teraflops"] for part in told.values()})
    return (
        f"{model['gpu']}; {packages}. The peak is its maker's, {model['peak_teraflops']:g} × 10¹² "
        f"operations a second; in the same runs a product of two large matrices had "
        f"{rates[0]:.0f} to {rates[-1]:.0f}. The model: preset `{model['preset']}`, "
        f"{model['parameters'] / 1e6:,.1f} million parameters, {model['batch']} texts of "
        f"{model['length']:,} tokens."
    )
