"""The rulebooks that the user guide shows."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ecr_steward.rulebook.validate import validate

PAGE = Path(__file__).parents[3] / "docs" / "rulebook" / "image-tags.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_rulebook_of_the_guide_is_valid_when_it_is_copied(block):
    assert validate(YAML(typ="safe").load(block))[1] == ()
