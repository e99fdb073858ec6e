"""What the papers show is true: every rulebook in them validates."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ecr_steward.rulebook.validate import validate

FOLDER = Path(__file__).parents[3] / "docs" / "rulebook"
RULEBOOKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in sorted(FOLDER.glob("*.md"))
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if re.search(r"^version: 1$", block, re.MULTILINE)
]


def test_there_are_rulebooks_in_the_papers() -> None:
    assert len(RULEBOOKS) >= 2


@pytest.mark.parametrize("text", RULEBOOKS)
def test_a_rulebook_in_the_papers_is_valid(text: str) -> None:
    _, problems = validate(YAML(typ="safe", pure=True).load(text))

    assert [str(problem) for problem in problems] == []
