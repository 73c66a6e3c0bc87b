"""A picture as SVG text."""

from collections.abc import Sequence


def svg(width: int, height: int, title: str, style: str, lines: Sequence[str]) -> str:
    """Returns an SVG of elements over a white ground, by its title and style sheet."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            '<rect width="100%" height="100%" fill="white"/>',
            *lines,
            "</svg>\n",
        ]
    )
