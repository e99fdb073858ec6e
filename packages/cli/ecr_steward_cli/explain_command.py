"""``ecr-steward explain``: what an error code means."""

# ruff: noqa: PLC0415 - rich is for terminals only

import sys

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.error_pages import code_of, nearest_code, page_of
from ecr_steward_cli.refusal import refuse


def explain_code(text: str) -> None:
    """Print the page of a code: rendered on a terminal, as it is written elsewhere."""
    code = code_of(text)
    if code is None:
        nearest = nearest_code(text)
        meant = f"did you mean {nearest}, {nearest.meaning}? " if nearest else ""
        refuse(f"there is no code `{text}`; {meant}docs/errors/README.md lists them", Code.UNKNOWN_CODE)
    page = page_of(code)
    if not sys.stdout.isatty():
        typer.echo(page, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(page))
