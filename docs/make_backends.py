"""Writes the table of providers into backends.md from the code; run by `make docs`."""

from __future__ import annotations

from pathlib import Path

from silvr_cli import backends
from silvr_cli.backends import about

PAGE = Path(__file__).with_name("backends.md")
BEGIN, END = "<!-- table: made by `make docs` -->\n", "<!-- end of table -->\n"
COLUMNS = ("provider", "runs", "roles", "schema", "streams", "thinks")
COLUMNS += ("tokens", "extra", "key", "also")


def render() -> str:
    """The page with its table as the code has it now."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    rows = [row(name, said) for name, said in about.about().items()]
    return f"{before}{BEGIN}\n" + "\n".join([*head, *rows]) + f"\n\n{END}{after}"


def row(name: str, said: about.About) -> str:
    roles = ", ".join(role for role, table in backends.TABLE.items() if name in table)
    told = (said.schema, said.streams, said.thinks)
    cells = [f"`{name}`", said.what, roles, *("yes" if each else "" for each in told)]
    extra = f"`{said.extra}`" if said.extra else ""
    key = f"`{said.key}`" if said.key else ""
    return f"| {' | '.join([*cells, said.tokens, extra, key, said.also])} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
