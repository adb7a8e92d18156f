"""How commands print: plain lines that can be searched and copied, whatever the width of the terminal."""

from collections.abc import Sequence

from rich.console import Console

__all__ = ["errors", "output", "print_table", "safe"]

output = Console(highlight=False, soft_wrap=True)
"""Results."""

errors = Console(stderr=True, highlight=False)
"""Progress."""


def safe(text: str) -> str:
    """Text that somebody else wrote, without what would steer the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows in columns as wide as they need; numbers stand at the right."""
    cells = [[safe(str(cell)) for cell in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(titles, *cells, strict=True)]
    numeric = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(titles))]

    def line(texts: Sequence[str]) -> str:
        placed = zip(texts, widths, numeric, strict=True)
        return "  ".join(text.rjust(width) if right else text.ljust(width) for text, width, right in placed).rstrip()

    output.print(line(titles), style="bold", markup=False)
    for texts in cells:
        output.print(line(texts), markup=False)
