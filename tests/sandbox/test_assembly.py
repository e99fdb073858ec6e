"""What is deployed without SAM and without a checkout: put together from what is installed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.assembly import assemble
from ecr_steward_sandbox.deploy.translate import translate
from ecr_steward_sandbox.installed import link_distribution

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("assembled") / "build", '{"rulebook": {}}')


def test_the_assembled_template_is_the_built_one_but_for_where_its_artefacts_are(assembled: Path) -> None:
    parameters = {"Architecture": "x86_64"}
    ours = translate(assembled, region="us-east-1", parameters=parameters)
    built = translate(BUILD, region="us-east-1", parameters=parameters)

    assert without_what_sam_notes(ours.template) == without_what_sam_notes(built.template)
    assert len(ours.folders) == len(built.folders)
    (layer,) = (folder for name, folder in ours.folders.items() if name.startswith("RulebookLayer"))
    assert (layer / "rulebook.json").read_text() == '{"rulebook": {}}'


def without_what_sam_notes(template: Any) -> Any:
    """A template without the hash of a layer's place in its logical id, and the metadata of `sam build`."""
    text = re.sub(r"(CoreLayer|RulebookLayer)[0-9a-f]{10}", r"\1", json.dumps(template))
    kept = json.loads(text)
    for resource in kept["Resources"].values():
        resource.pop("Metadata", None)
    return kept


@pytest.mark.slow
def test_every_function_imports_from_what_was_assembled_alone(assembled: Path) -> None:
    code = (
        "import pathlib, runpy, ecr_steward, boto3\n"
        "for app in sorted(pathlib.Path('functions').glob('*/app.py')):\n"
        "    assert callable(runpy.run_path(str(app))['lambda_handler']), app\n"
        "    print(app.parent.name, ecr_steward.__file__, boto3.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(assembled / "layers" / "core" / "python")},
        cwd=assembled,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    names, *places = zip(*map(str.split, done.stdout.splitlines()), strict=True)
    assert list(names) == sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    assert all(place.startswith(str(assembled)) for each in places for place in each), "nothing comes from elsewhere"


def test_a_linked_distribution_brings_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    link_distribution("s3transfer", tmp_path / "linked")

    names = {entry.name for entry in (tmp_path / "linked").iterdir() if not entry.name.endswith(".dist-info")}
    assert {"s3transfer", "botocore", "urllib3", "jmespath", "dateutil"} <= names
    assert names.isdisjoint({"boto3", "pytest", "ecr_steward", "__pycache__", ".."})
    assert all(entry.is_symlink() for entry in (tmp_path / "linked").iterdir())
