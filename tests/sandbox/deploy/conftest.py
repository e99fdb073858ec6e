"""A built folder in the shape that ``sam build`` writes, made without SAM."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from sandbox.deploy import Deployment, deploy, reset_moto

PROJECT = Path(__file__).parents[3]
CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
ACCOUNT, REGION = "111122223333", "us-east-1"

Change = Callable[[dict[str, Any]], None]


class _Plain(yaml.SafeDumper):
    """``sam build`` writes anchors out in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_built_folder(folder: Path, change: Change) -> Path:
    """Our template as ``sam build`` leaves it, changed on the way by ``change``."""
    template = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
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


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Path]:
    """Write a built folder, with a change to the template if a test wants one."""
    return lambda change=lambda _: None: write_built_folder(tmp_path / "build", change)


@pytest.fixture(autouse=True)
def empty_moto() -> Iterator[None]:
    """moto's backends live as long as the process."""
    reset_moto()
    yield
    reset_moto()


@pytest.fixture
def deployed(build: Callable[..., Path]) -> Deployment:
    """Our template, deployed."""
    return deploy(build(), stack_name="ecr-steward", account=ACCOUNT, region=REGION)
