"""A built folder in the shape that ``sam build`` writes, made without SAM."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_steward_sandbox.deploy import Aws, Deployment, deploy, reset_moto
from ecr_steward_sandbox.deploy.translate import read_template

PROJECT = Path(__file__).parents[3]
CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
ACCOUNT, REGION = "111122223333", "us-east-1"

Change = Callable[[dict[str, Any]], None]


class _Plain(yaml.CSafeDumper):
    """``sam build`` writes anchors out in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_built_folder(folder: Path, change: Change) -> Path:
    """Our template as ``sam build`` leaves it, changed on the way by ``change``."""
    template = read_template(PROJECT / "template.yaml")
    for logical_id, resource in template["Resources"].items():
        name = CODE_PROPERTIES.get(resource["Type"])
        if name is None:
            continue
        source = PROJECT / resource["Properties"][name]
        if name == "CodeUri":
            shutil.copytree(source, folder / logical_id, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / logical_id).mkdir(parents=True)
        resource["Properties"][name] = logical_id
    change(template)
    (folder / "template.yaml").write_text(yaml.dump(template, Dumper=_Plain, sort_keys=False), encoding="utf-8")
    return folder


def no_change(template: dict[str, Any]) -> None:
    """The template as it is."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Change], Path]:
    """Writes a built folder whose template a test may change."""

    def write(change: Change) -> Path:
        return write_built_folder(tmp_path_factory.mktemp("built") / "build", change)

    return write


@pytest.fixture(scope="module")
def deployed(build: Callable[[Change], Path]) -> Iterator[Deployment]:
    """Our template, deployed once for the tests of a module."""
    reset_moto()
    yield deploy(build(no_change), stack_name="ecr-steward", account=ACCOUNT, region=REGION)
    reset_moto()


@pytest.fixture
def deploy_changed(build: Callable[[Change], Path]) -> Iterator[Callable[..., Deployment]]:
    """Deploy our template with a change, into an empty moto."""
    reset_moto()

    def changed(change: Change, **parameters: str) -> Deployment:
        return deploy(build(change), stack_name="ecr-steward", account=ACCOUNT, region=REGION, parameters=parameters)

    yield changed
    reset_moto()


@pytest.fixture
def aws() -> Aws:
    """The account and region that the fixtures deploy into."""
    return Aws(ACCOUNT, REGION)
