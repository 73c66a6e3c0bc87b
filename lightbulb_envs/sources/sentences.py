"""Sentences of English text, split by `sentencex` (Wikimedia), which downloads nothing."""


def split_sentences(text: str) -> list[str]:
    """Returns the sentences of a text, trimmed, with runs of white space made one space."""
    try:
        from sentencex import segment
    except ImportError as error:
        raise ImportError(
            "splitting text into sentences needs sentencex: pip install 'lightbulb[text]', "
            "or give each article as a list of sentences"
        ) from error
    trimmed = (" ".join(sentence.split()) for sentence in segment("en", text))
    return [sentence for sentence in trimmed if sentence]
