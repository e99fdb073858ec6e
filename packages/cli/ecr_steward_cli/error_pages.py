"""The pages of ``docs/errors``: one for each code, with what is wrong and what would be right."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.nearest import nearest_word

_CODE: Final = re.compile(r"ES-?[0-9]+", re.IGNORECASE)
_BY_SPELLING: Final = {str(code): code for code in Code}


def looks_like_a_code(text: str) -> bool:
    """Whether somebody means a code, and not a repository: those have no capital letters, and longer names."""
    return _CODE.fullmatch(text) is not None


def code_of(text: str) -> Code | None:
    """The code that a text spells, in whichever case."""
    return _BY_SPELLING.get(text.upper().replace("-", ""))


def nearest_code(text: str) -> Code | None:
    """The code that was most likely meant."""
    return _BY_SPELLING.get(nearest_word(text.replace("-", ""), _BY_SPELLING) or "")


def page_of(code: Code) -> str:
    """The page of a code, as Markdown."""
    return (pages_folder() / f"{code}.md").read_text(encoding="utf-8")


def pages_folder() -> Traversable:
    """The folder of the pages, which are data of this package (in a checkout a link to ``docs/errors``)."""
    return files("ecr_steward_cli") / "errors"


def index_text() -> str:
    """``docs/errors/README.md``: all codes with their meaning. A test holds the file to it."""
    lines = [
        "# Error codes",
        "",
        "Every error that a rulebook, a case of its tests or a command can have, by its code.",
        "`ecr-steward explain CODE` prints the page.",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| [{code}]({code}.md) | {code.meaning} |" for code in Code),
        "",
    ]
    return "\n".join(lines)
