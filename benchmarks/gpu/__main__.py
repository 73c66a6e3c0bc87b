"""`python -m benchmarks.gpu` measures attention, scans and a whole preset on a GPU.

Times are those of the GPU's own clock between two events of its stream, each way after three runs
that warm up; memory is what a run adds to what is held before it, at its height.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.model import by_reader
from benchmarks.gpu.parts import by_length_of_attention, by_length_of_scan
from benchmarks.gpu.stopwatch import matmul_rate
from lightbulb_backbones.runs.checkpoint import write_json

RESULTS = Path(__file__).parents[1] / "results" / "gpu.json"
PACKAGES = ("torch", "triton", "transformers", "flash-attn", "mamba-ssm")
ATTENTION, SCAN, MODEL = "attention", "scan", "model"


def main() -> None:
    """Measures everything, or what is named, and writes it beside what is known.

    Raises:
        SystemExit: there is no GPU.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--only", nargs="*", choices=(ATTENTION, SCAN, MODEL))
    parser.add_argument("--repeats", type=int, default=20, help="runs that are timed of each way")
    parser.add_argument("--preset", default="1b", help="size of the whole model")
    parser.add_argument("--batch", type=int, default=8, help="texts that it learns from at once")
    parser.add_argument("--length", type=int, default=2048, help="tokens of each")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that is written")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU here, and nothing else is measured")
    measures: dict[str, Callable[[], Mapping[str, Any]]] = {
        ATTENTION: lambda: {"costs": by_length_of_attention(arguments.repeats)},
        SCAN: lambda: {"costs": by_length_of_scan(arguments.repeats)},
        MODEL: lambda: by_reader(
            arguments.preset, arguments.batch, arguments.length, arguments.repeats
        ),
    }
    known: dict[str, Any] = {}
    if arguments.only and arguments.results.is_file():
        known = json.loads(arguments.results.read_text(encoding="utf-8"))
    for name in arguments.only or measures:
        rate = matmul_rate()
        known[name] = {
            **measures[name](),
            "repeats": arguments.repeats,
            "matmul_teraflops": rate,
            "gpu": torch.cuda.get_device_name(),
            "versions": _versions(),
        }
        print(json.dumps({name: known[name]}), flush=True)
        in_order = {one: known[one] for one in measures if one in known}
        write_json(arguments.results, in_order)


def _versions() -> dict[str, str | None]:
    """Returns which packages computed, None for those that are not there."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


if __name__ == "__main__":
    main()
