"""Every problem has a code, and a code means one thing for ever."""

import ast
import re
from pathlib import Path

from ecr_steward.rulebook import codes
from ecr_steward.rulebook.codes import Code

RULEBOOK = Path(codes.__file__).parent
OF_NO_VALUE = {"inheritance.py"}
"""Modules that raise a plain ValueError about something else than what a person wrote."""


def test_codes_have_one_form_and_one_meaning_each() -> None:
    assert all(re.fullmatch(r"ES\d{3}", code) for code in Code)
    assert len({code.meaning for code in Code}) == len(Code) >= 60
    assert list(Code) == sorted(Code)


def test_no_word_is_refused_without_a_code() -> None:
    raised = {
        path.name
        for path in RULEBOOK.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id == "ValueError"
    }

    assert raised <= OF_NO_VALUE
