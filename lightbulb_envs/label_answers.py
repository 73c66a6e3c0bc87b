"""Labels that people and language models write.

A line of a text says a label when it holds the label's words and besides them nothing but the words
of `WORDS` and of `answers.WORDS` and marks: `positive`, `Label: positive.`, `**I say: negative**`,
in any case.

    The last line that says a label is the answer. All other lines are prose, and are not read.

Nothing is guessed: `not positive`, `positive or negative` and `rather positive` are prose.
"""

from collections.abc import Sequence

from lightbulb_envs import answers

WORDS = answers.WORDS | frozenset("it label of opinion review say sentiment text this".split())
"""Words that a line may hold besides a label."""


def read_label(text: str, labels: Sequence[str]) -> int | None:
    """Returns which of some labels a text says, None if it says none."""
    named = [answers.plain_words(label) or [label.lower()] for label in labels]
    for line in reversed(text.splitlines()):
        words = answers.plain_words(line)
        found = [number for number, label in enumerate(named) if words and _says(words, label)]
        if len(found) == 1:
            return found[0]
    return None


def _says(words: list[str], label: list[str]) -> bool:
    """Returns whether words are those of a label, once, and of `WORDS`."""
    for start in range(len(words) - len(label) + 1):
        if words[start : start + len(label)] == label:
            rest = words[:start] + words[start + len(label) :]
            if all(word in WORDS for word in rest):
                return True
    return False
