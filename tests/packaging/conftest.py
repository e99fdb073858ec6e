"""Fixtures of the packaging tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.deploy.translate import read_template, translate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def template() -> Mapping[str, Any]:
    """Our template as plain CloudFormation, translated by the library that a deployment uses; names stay references.

    Where a condition decides, it is met: roles are as wide as they can be.
    """
    document: Mapping[str, Any] = _where_conditions_are_met(translate(ROOT, region="us-east-1", parameters={}).template)
    return document


def _where_conditions_are_met(value: Any) -> Any:
    match value:
        case {"Fn::If": [_, met, _]}:
            return _where_conditions_are_met(met)
        case dict():
            return {key: _where_conditions_are_met(each) for key, each in value.items()}
        case list():
            return [_where_conditions_are_met(each) for each in value]
    return value


@pytest.fixture(scope="session")
def spoke() -> Mapping[str, Any]:
    """The template of every further account. It is plain CloudFormation as it stands."""
    document: Mapping[str, Any] = read_template(ROOT / "spoke.yaml")
    return document


@pytest.fixture(params=["template", "spoke"])
def either(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Each of the two templates, where each condition is met."""
    document: Mapping[str, Any] = _where_conditions_are_met(request.getfixturevalue(request.param))
    return document
