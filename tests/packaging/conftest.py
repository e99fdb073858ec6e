"""Fixtures of the packaging tests."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from ecr_steward_sandbox.deploy.translate import read_template, translate
from lab.cloudformation import serving_cloudformation
from lab.deploying import Desk, environment_at

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


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """S3 and STS."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def desk(s3: str, tmp_path: Path) -> Iterator[Desk]:
    """A folder with our samconfig.toml, and an account without stacks."""
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    with serving_cloudformation(s3) as (endpoint, regions):
        yield Desk(tmp_path, regions, environment_at(tmp_path, s3, endpoint))
