"""The pinned requirements: complete, hashed, without addresses, and the same in the layer as in development."""

import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "core" / "requirements.txt"
DEVELOPMENT = ROOT / "requirements" / "dev.txt"
LOCAL_ECR = ROOT / "requirements" / "local-ecr.txt"
SAM = ROOT / "requirements" / "sam.txt"
COMPILED = [LAYER, *sorted((ROOT / "requirements").glob("*.txt"))]
CORE = ROOT / "layers" / "core"
MEMBERS = (CORE, *(ROOT / "packages" / name for name in ("cli", "sandbox", "local-ecr")))
OURS = frozenset({"ecr-steward", "ecr-steward-core", "ecr-steward-sandbox", "local-ecr"})

PIN = re.compile(
    r"^(?P<requirement>[A-Za-z0-9._-]+(\[[^]]*\])?==[^\\\n]+?) *\\\n(?P<hashes>( +--hash=.*\n)+)", re.MULTILINE
)
ADDRESS = re.compile(r"[a-z]+://|--(extra-)?index-url|--find-links|--trusted-host|^-[fi] ", re.MULTILINE)


def read_toml(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def wanted_by(member: Path) -> list[Requirement]:
    """What a distribution of the workspace depends on, in its own words."""
    document = read_toml(member)
    hook = document["tool"]["hatch"].get("metadata", {}).get("hooks", {}).get("uv-dynamic-versioning", {})
    needs = [*document["project"].get("dependencies", ()), *hook.get("dependencies", ())]
    return [Requirement(re.sub("=={{ version }}", "", need)) for need in needs]


def pins(path: Path) -> dict[str, str]:
    requirements = [Requirement(found["requirement"]) for found in PIN.finditer(path.read_text(encoding="utf-8"))]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_compiled_requirements_name_no_address_when_published(path: Path) -> None:
    assert not ADDRESS.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes_when_compiled(path: Path) -> None:
    names = re.findall(r"^[A-Za-z0-9][^ =\[]*", path.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(pins(path)) == sorted(canonicalize_name(name) for name in names)
    assert names


def test_layer_has_the_pins_of_development_when_both_are_compiled() -> None:
    development = pins(DEVELOPMENT)

    assert {name: development.get(name) for name in pins(LAYER)} == pins(LAYER)


def test_layer_pins_satisfy_pyproject_when_compiled() -> None:
    wanted = wanted_by(CORE)
    layer = pins(LAYER)

    assert [str(each) for each in wanted if not each.specifier.contains(layer[canonicalize_name(each.name)])] == []


def test_development_pins_satisfy_pyproject_when_compiled() -> None:
    contributors = read_toml(ROOT)["dependency-groups"]["dev"]
    wanted = [need for member in MEMBERS for need in wanted_by(member)] + list(map(Requirement, contributors))
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    development = pins(DEVELOPMENT) | dict.fromkeys(OURS, version)

    assert [
        str(each) for each in wanted if not each.specifier.contains(development[canonicalize_name(each.name)])
    ] == []


def test_local_ecr_pins_satisfy_its_pyproject_when_compiled() -> None:
    member = ROOT / "packages" / "local-ecr"
    wanted = [*wanted_by(member), *map(Requirement, read_toml(member)["dependency-groups"]["dev"])]
    oldest = pins(LOCAL_ECR)

    assert [str(each) for each in wanted if not each.specifier.contains(oldest[canonicalize_name(each.name)])] == []


def test_local_ecr_has_the_pins_of_development_when_both_are_compiled() -> None:
    development = pins(DEVELOPMENT)

    assert {name: pin for name, pin in pins(LOCAL_ECR).items() if development.get(name, pin) != pin} == {}


def test_translator_is_the_one_that_sam_pins_when_installed() -> None:
    sam_packages = list(importlib.metadata.distributions(name="aws-sam-cli", path=installed_by_sam()))
    needs = [Requirement(each) for each in sam_packages[0].requires or ()]
    pinned_by_sam = next(str(each.specifier) for each in needs if each.name == "aws-sam-translator")

    assert pinned_by_sam == f"=={importlib.metadata.version('aws-sam-translator')}"
    assert sam_packages[0].version == pins(SAM)["aws-sam-cli"]


def installed_by_sam() -> list[str]:
    """The packages of `.tools/sam`, where `make setup` put them."""
    return [str(path) for path in (ROOT / ".tools" / "sam" / "lib").glob("python3.13/site-packages")]


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)
def test_every_distribution_carries_the_licence(member: Path) -> None:
    assert (member / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
