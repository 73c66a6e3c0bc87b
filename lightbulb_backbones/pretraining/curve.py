"""The learning curve of a pretraining: what held-out text costs, and a sample, as it learns."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lightbulb_backbones.pretraining.language_score import LanguageScore, score_text
from lightbulb_backbones.pretraining.reading import Held
from lightbulb_backbones.pretraining.training import REMEDY, NotFiniteError, Pretraining
from lightbulb_backbones.runs.live_line import LiveLine
from lightbulb_backbones.runs.metrics import Metrics
from lightbulb_envs.whole_file import explained, write_whole

COLUMNS = (
    "steps",
    "tokens",
    "seconds",
    "train_loss",
    "validation_loss",
    "perplexity",
    "bits_per_character",
    "gradient_norm",
    "learning_rate",
)
_CURVE_TOKENS = 20_000
"""Tokens that a point of the curve is measured on, at most."""
_SAMPLE_TOKENS = 60
_SAMPLE_TOP = 50


class Curve:
    """Measures, writes and shows; on the first process only, though all compute.

    Args:
        context: tokens that are read before any is counted.
    """

    def __init__(
        self,
        training: Pretraining,
        held: Held,
        tokenizer: Any,
        run: Path,
        context: int,
        *,
        resumed: bool,
    ):
        self._training, self._held, self._tokenizer = training, held, tokenizer
        self._context = context
        self._samples = run / "samples.jsonl"
        self._score: LanguageScore | None = None
        self._metrics: Metrics | None = None
        if not training.ranks.is_first:
            return
        self._metrics = Metrics(run, COLUMNS, training.steps if resumed else None)
        before = _read_samples(self._samples) if resumed else []
        kept = [row for row in before if row["steps"] <= training.steps]
        write_whole(self._samples, [_line(row) for row in kept])
        config = training.config
        self._line = LiveLine(config.steps, training.steps, "tokens")
        self._tokens_a_step = config.batch * config.text.length

    def follow(self, measured: Mapping[str, float]) -> None:
        """Shows what a step measured, and measures a point if one is due.

        Raises:
            NotFiniteError: the loss of held-out text is not finite.
        """
        training = self._training
        if training.steps % training.config.measure_every == 0 or training.is_done:
            self._score = self.measure(_CURVE_TOKENS)
            sample = self.sample()
            if self._metrics is not None:
                self._write(measured, self._score, sample)
            training.losses = []
        if self._metrics is not None:
            known = "    –" if self._score is None else f"{self._score.perplexity:8.2f}"
            told = f"loss {measured['train_loss']:.3f}   perplexity {known}"
            self._line.show(training.steps, told, self._tokens_a_step)

    def measure(self, most: int | None = None) -> LanguageScore:
        """Returns how well held-out text is predicted, the first of it or all.

        Raises:
            NotFiniteError: its loss is not finite.
        """
        held = self._held
        most = len(held.tokens) if most is None else most
        score = score_text(
            self._training.model,
            held.tokens[:most],
            held.characters[:most],
            self._training.config.text.length,
            self._context,
        )
        if not math.isfinite(score.loss):
            raise NotFiniteError(
                f"the validation loss became {score.loss} after step {self._training.steps:,}: "
                f"{REMEDY}"
            )
        return score

    def sample(self) -> str:
        """Returns how the model goes on with the prompt; the run's own draws stay as they are."""
        training = self._training
        prompt = self._tokenizer(training.config.prompt, add_special_tokens=False)["input_ids"]
        start = torch.tensor([prompt or [self._tokenizer.eos_token_id]]).to(training.ranks.device)
        training.model.eval()
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(training.config.seed)
            tokens = training.model.generate(
                start,
                attention_mask=torch.ones_like(start),
                do_sample=True,
                top_k=_SAMPLE_TOP,
                max_new_tokens=_SAMPLE_TOKENS,
                pad_token_id=self._tokenizer.pad_token_id,
                eos_token_id=self._tokenizer.eos_token_id,
            )
        text: str = self._tokenizer.decode(tokens[0], skip_special_tokens=True)
        return text

    def close(self) -> None:
        """Ends the files and the line."""
        if self._metrics is not None:
            self._metrics.close()
            self._line.close()

    def _write(self, measured: Mapping[str, float], score: LanguageScore, sample: str) -> None:
        assert self._metrics is not None
        self._metrics.write(
            {
                **{name: measured[name] for name in COLUMNS if name in measured},
                "seconds": round(self._training.seconds, 1),
                "train_loss": sum(self._training.losses) / len(self._training.losses),
                "validation_loss": score.loss,
                "perplexity": score.perplexity,
                "bits_per_character": score.bits_per_character,
            }
        )
        with explained(self._samples), self._samples.open("ab") as file:
            file.write(_line({"steps": self._training.steps, "text": sample}))


def train(training: Pretraining, curve: Curve, run: Path) -> None:
    """Trains to the last step, with a checkpoint now and then and at the end."""
    started = time.monotonic() - training.seconds
    while not training.is_done:
        measured = training.step()
        training.seconds = time.monotonic() - started
        curve.follow(measured)
        # Saved after it is measured: a resumed run measures no point of the curve twice.
        if training.steps % training.config.save_every == 0 or training.is_done:
            training.save(run)


def _read_samples(path: Path) -> list[dict[str, Any]]:
    """Returns the samples of a file; a last line that was cut off is left out."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else [""]
    rows = []
    for number, line in enumerate(lines[:-1], start=1):  # what is whole ends with a line's end
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: {error}; remove the line") from error
    return rows


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"
