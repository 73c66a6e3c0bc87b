"""Prints documents: `python -m lightbulb_envs.show --level 2`."""

import argparse

from lightbulb_envs.document import Document
from lightbulb_envs.instances import ENDLESS
from lightbulb_envs.render import fact_lines
from lightbulb_envs.sources.newsroom.levels import LEVELS
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.splits import SPLITS


def show(document: Document, *, with_facts: bool) -> str:
    """Returns a document as text to read: its id, article and reference, and its facts if asked."""
    lines = [document.id, "", " ".join(document.sentences), ""]
    lines += ["Reference: " + " ".join(document.reference)]
    if with_facts:
        lines += ["", *fact_lines(document)]
    return "\n".join(lines)


def main() -> None:
    """Prints the documents that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.show", description="Print documents of the newsroom."
    )
    parser.add_argument(
        "--level", type=int, default=2, choices=range(len(LEVELS)), help="level of the newsroom (2)"
    )
    parser.add_argument("--split", default="train", choices=SPLITS, help="split (train)")
    parser.add_argument("--first", type=int, default=0, help="number of the first document (0)")
    parser.add_argument("--count", type=int, default=10, help="how many documents (10)")
    parser.add_argument("--facts", action="store_true", help="print the facts behind each document")
    arguments = parser.parse_args()
    last = arguments.first + arguments.count
    if arguments.first < 0 or arguments.count < 0 or last > ENDLESS:
        parser.error(f"--first and --count must be 0 or more, and documents end before {ENDLESS}")
    try:
        source = NewsroomSource(arguments.level, arguments.split)
    except ValueError as error:
        parser.error(str(error))
    for instance in range(arguments.first, last):
        print(show(source.document(instance), with_facts=arguments.facts), end="\n\n\n")


if __name__ == "__main__":
    main()
