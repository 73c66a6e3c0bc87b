"""Our measures as modules of the Hugging Face library `evaluate`, loaded from disk, offline.

    import evaluate
    from lightbulb_envs.evaluate_modules import module_path

    rouge = evaluate.load(module_path("lightbulb_rouge"))
    rouge.compute(predictions=["A bridge was opened."], references=["The bridge was opened."])

`lightbulb_rouge` is ROUGE, `lightbulb_facts` what facts drafts of the newsroom cover, and
`lightbulb_sentiment` accuracy, macro-F1 and calibration error. Rewards never go this way.
"""

from pathlib import Path

NAMES = ("lightbulb_rouge", "lightbulb_facts", "lightbulb_sentiment")


def module_path(name: str) -> str:
    """Returns the path that `evaluate.load` takes; ValueError names the modules there are."""
    if name not in NAMES:
        raise ValueError(f"no module is called {name!r}: there are {', '.join(NAMES)}")
    return str(Path(__file__).parent / name)
