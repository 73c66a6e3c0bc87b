"""Settings and fixtures that all tests share."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads that wait for one another cost small networks more than they gain, above all where as many
# workers run tests as there are cores. Here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["LIGHTBULB_CACHE"] = "off"  # until a folder of the tests' own is there

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis
import pytest

from lightbulb_backbones.table import BACKBONES

hypothesis.settings.register_profile("default", deadline=None, max_examples=60)
hypothesis.settings.load_profile("default")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would the commands that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ARTICLES = [
    {
        "id": f"a{number}",
        "article": (
            f"The town of Example{number} opened a bridge on Monday. It cost {number + 2} million "
            "dollars. The mayor was pleased. Critics said that it came too late. "
            "A second bridge is planned for next year. Nobody was hurt during the works."
        ),
        "summary": f"Example{number} has a new bridge for {number + 2} million dollars.\n"
        "A second one is planned.",
    }
    for number in range(12)
]


@pytest.fixture(autouse=True, scope="session")
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["LIGHTBULB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


SMALL_BACKBONES = [name for name in BACKBONES if ":" not in name or name.endswith(":tiny")]
"""Of every kind of backbone the smallest."""


@pytest.fixture(params=SMALL_BACKBONES)
def backbone_name(request: pytest.FixtureRequest) -> str:
    """Every kind of backbone, by its name."""
    return str(request.param)


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as a JSON lines file; a row that is a string is written as it is."""

    def write(rows: Sequence[object], name: str = "news.jsonl") -> Path:
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def news_file(write_jsonl: Callable[..., Path]) -> Path:
    """A file of twelve short articles."""
    return write_jsonl(ARTICLES)
