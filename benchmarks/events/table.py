"""Figures, what they are compared with, and whether they keep within their limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

__all__ = ["Figure", "print_figures"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure. The limit is of the ratio where there is one."""

    name: str
    value: float
    beside: float | None = None
    """What it is compared with in the same run."""
    ratio: float | None = None
    limit: float | None = None
    less_is_better: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept, if there is one."""
        if self.limit is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured <= self.limit if self.less_is_better else measured >= self.limit


def print_figures(title: str, figures: Sequence[Figure]) -> None:
    """Print a table of figures."""
    table = Table("events", "measured", "beside", "ratio", "limit", "within", title=title)
    for figure in figures:
        numbers = (figure.value, figure.beside, figure.ratio)
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        within = {None: "", True: "yes", False: "NO"}[figure.holds]
        table.add_row(figure.name, *("" if number is None else f"{number:,.2f}" for number in numbers), limit, within)
    Console(width=140).print(table)
