"""What is checked: an id with settings, and ways to make it."""

import contextlib
import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import Row, find_row, keywords_of, make_engine

EXAMPLES = 25


class BrokenLawError(AssertionError):
    """An environment breaks a law; the message says which, how, and what to do."""


@dataclass(frozen=True)
class Subject:
    """An environment id with settings."""

    env_id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    examples: int = EXAMPLES
    """Episodes that a law about all of them is tried on."""

    @property
    def row(self) -> Row:
        """The id's row in the registry."""
        return find_row(self.env_id)

    @property
    def name(self) -> str:
        """The id without the module that registers it."""
        return self.row.id

    def make(self, **more: Any) -> gymnasium.Env[Any, Any]:
        """Returns the environment with the wrappers that users get, Gymnasium's checks apart."""
        settings = {**self.settings, **more}
        return gymnasium.make(self.name, disable_env_checker=True, **settings)

    def bare(self, **more: Any) -> Any:
        """Returns the environment without wrappers."""
        return self.make(**more).unwrapped

    def engine(self, num_envs: int, **more: Any) -> Engine:
        """Returns an engine of the environment."""
        return make_engine(self.name, num_envs, **{**self.settings, **more})

    def config_fields(self) -> tuple[dataclasses.Field[Any], ...]:
        """Returns the keywords that the environment takes."""
        return tuple(keywords_of(self.name).values())

    def setting(self, name: str) -> Any:
        """Returns what a keyword is set to, by the settings, the id or its default."""
        for given in (self.settings, self.row.settings):
            if name in given:
                return given[name]
        known = keywords_of(self.name)[name]
        if known.default_factory is not dataclasses.MISSING:
            return known.default_factory()
        return known.default


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leaves out the warnings of environments that are made to be compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def require(held: bool, broken: str) -> None:
    """Raises BrokenLawError with what is broken and what to do, unless the law held."""
    if not held:
        raise BrokenLawError(broken)


def require_same(one: Any, other: Any, broken: str, cure: str = "") -> None:
    """Raises BrokenLawError with what is broken, where two results differ and what to do."""
    if not same(one, other):
        raise BrokenLawError(f"{broken} ({difference(one, other)}){cure and ': '}{cure}")


def same(one: Any, other: Any) -> bool:
    """Returns whether two nested results are equal to the bit, types included."""
    if isinstance(one, dict):
        return isinstance(other, dict) and (
            one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
        )
    if isinstance(one, list | tuple):
        return type(one) is type(other) and (len(one) == len(other) and all(map(same, one, other)))
    if isinstance(one, np.ndarray):
        if not isinstance(other, np.ndarray) or (one.dtype, one.shape) != (
            other.dtype,
            other.shape,
        ):
            return False
        if one.dtype == object:
            return all(map(same, one.tolist(), other.tolist()))
        return bool(np.array_equal(one, other))
    return type(one) is type(other) and bool(one == other)


def difference(one: Any, other: Any, path: str = "") -> str:
    """Returns where two nested results first differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in (*one, *other):
            if name not in one or name not in other:
                return f"{path}[{name!r}] is there only once"
            if not same(one[name], other[name]):
                return difference(one[name], other[name], f"{path}[{name!r}]")
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            if not same(left, right):
                return difference(left, right, f"{path}[{place}]")
    return f"{path or 'they'}: {_short(one)} and {_short(other)}"


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


_ARTICLES = [
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
    for number in range(8)
]


def write_files(folder: Path) -> dict[str, str]:
    """Writes the files that examples of keywords name; returns their paths by name."""
    lines = [json.dumps(article) for article in _ARTICLES]
    reviews = [
        {"id": f"r{number}", "text": f"{article['article']} {sign}", "label": label}
        for number, article in enumerate(_ARTICLES)
        for label, sign in [("positive", "We liked it."), ("negative", "We did not like it.")][
            number % 2 :
        ][:1]
    ]
    paths = {}
    for name, rows in (("news", lines), ("reviews", [json.dumps(review) for review in reviews])):
        for suffix, more in (("", []), ("_with_a_bad_row", ["no JSON"])):
            path = folder / f"{name}{suffix}.jsonl"
            path.write_text("\n".join([*rows, *more]) + "\n", encoding="utf-8")
            paths[f"{name}{suffix}"] = str(path)
    with contextlib.suppress(ImportError):
        from lightbulb_envs.subwords import SubwordVocabulary

        tokenizer = folder / "tokenizer.json"
        SubwordVocabulary.train(article["article"] for article in _ARTICLES).save(tokenizer)
        paths["tokenizer"] = str(tokenizer)
    return paths


def filled(value: Any, paths: Mapping[str, str]) -> Any:
    """Returns a value with the names of files in it filled in."""
    if isinstance(value, str):
        for name, path in paths.items():
            value = value.replace("{" + name + "}", path)
    elif isinstance(value, Mapping):
        value = {name: filled(one, paths) for name, one in value.items()}
    return value
