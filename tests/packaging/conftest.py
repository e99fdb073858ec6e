"""Fixtures of the packaging tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.deploy.translate import translate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def template() -> Mapping[str, Any]:
    """Our template as plain CloudFormation, translated by the library that a deployment uses; names stay references."""
    return translate(ROOT, region="us-east-1", parameters={}).template
