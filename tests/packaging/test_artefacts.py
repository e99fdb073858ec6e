"""What ``sam build`` makes, for both architectures: it runs from built artefacts alone, and holds nothing else."""

import hashlib
import os
import platform
import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHITECTURES = ["x86_64", "arm64"]
HERE = "x86_64" if platform.machine() == "x86_64" else "arm64"
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # EM_X86_64, EM_AARCH64
LAMBDA_GLIBC = (2, 34)  # Amazon Linux 2023, the base of python3.13
LAMBDA_LIBSTDCXX = (3, 4, 29)  # of its GCC 11
LAMBDA_UNZIPPED_LIMIT = 250 * 1024 * 1024  # a function and its Lambda layers together
UNCHECKED_HASH = 0b01  # bytecode that is used without a look at its source (PEP 552)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packages: artefacts")]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def build(architecture: str, build_for: Callable[[str], Path]) -> Path:
    return build_for(architecture)


@pytest.fixture(scope="module")
def build_here(build_for: Callable[[str], Path]) -> Path:
    return build_for(HERE)


def functions(build: Path) -> list[Path]:
    found = sorted(build.glob("*Function"))
    assert found
    return found


def libraries(build: Path) -> list[Path]:
    found = sorted(build.rglob("*.so*"))
    assert found, "no shared library: pydantic-core and re2 should be here"
    return found


def versions(library: Path, prefix: bytes) -> Iterator[tuple[int, ...]]:
    for match in re.finditer(prefix + rb"_(\d+(?:\.\d+)+)\x00", library.read_bytes()):
        yield tuple(int(part) for part in match[1].split(b"."))


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def digest(folder: Path) -> str:
    of_all = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        of_all.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return of_all.hexdigest()


def test_every_library_is_of_the_architecture_when_built(build: Path, architecture: str) -> None:
    machines = {library.name: struct.unpack_from("<H", library.read_bytes(), 18)[0] for library in libraries(build)}

    assert set(machines.values()) == {ELF_MACHINES[architecture]}, machines


def test_every_library_finds_its_glibc_and_libstdcxx_when_run_in_lambda(build: Path) -> None:
    for library in libraries(build):
        needs = list(versions(library, b"GLIBC"))
        assert needs, f"{library.name} names no glibc version: is it linked at all?"
        assert max(needs) <= LAMBDA_GLIBC, library.name
        assert max(versions(library, b"GLIBCXX"), default=(0,)) <= LAMBDA_LIBSTDCXX, library.name


def test_layers_and_a_function_fit_into_lambda_when_unzipped(build: Path, architecture: str) -> None:
    layers = {layer.name: size(layer) for layer in build.glob("*Layer")}
    total = sum(layers.values()) + max(map(size, functions(build)))
    print(f"{architecture}: {total / 1e6:.1f} MB unzipped of {LAMBDA_UNZIPPED_LIMIT / 1e6:.0f}; {layers}")

    assert layers.keys() == {"CoreLayer", "RulebookLayer"}
    assert total < LAMBDA_UNZIPPED_LIMIT


def test_nothing_ships_that_lambda_does_not_need_when_built(build: Path) -> None:
    unwanted = re.compile(
        r"(^|/)(tests?|conftest\.py|test_[^/]*|readme[^/]*|makefile|requirements\.txt|bin|[._]?ruamel[^/]*|_?yaml[^/]*|"
        r"moto|ecr_steward_sandbox|local_ecr|ecr_steward_cli|\.lock)(/|$)",
        re.IGNORECASE,
    )
    files = [str(file.relative_to(build)) for file in build.rglob("*") if file.is_file()]
    of_dependencies = re.compile(
        r"/annotated_types/(__pycache__/)?test_cases\."
    )  # a module of that package's public API

    assert [file for file in files if unwanted.search(file) and not of_dependencies.search(file)] == []


def test_each_rulebook_is_compiled_json_when_built(build: Path) -> None:
    assert [file.name for file in (build / "RulebookLayer").iterdir()] == ["rulebook.json"]


def test_all_modules_bring_unchecked_bytecode_when_built(build: Path) -> None:
    packages = build / "CoreLayer" / "python"
    sources = sorted(packages.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert struct.unpack_from("<I", bytecode.read_bytes(), 4)[0] == UNCHECKED_HASH, bytecode


def test_equal_sources_give_equal_layers_when_built_twice(build_here: Path, tmp_path: Path) -> None:
    make = subprocess.run(
        ["make", "--directory", ROOT / "layers" / "core", "build-CoreLayer", f"ARTIFACTS_DIR={tmp_path}"],
        env={**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", "ECR_STEWARD_ARCHITECTURE": HERE},
        check=False,
        timeout=120,
        capture_output=True,
        text=True,
    )

    assert make.returncode == 0, make.stderr
    assert digest(tmp_path) == digest(build_here / "CoreLayer")


def run_in_lambda(build: Path, function: Path, code: str) -> str:
    """Run code as Lambda would find it: nothing in the environment but the import path of the built artefacts."""
    python = subprocess.run(
        [ROOT / ".venv/bin/python", "-S", "-B", "-W", "error", "-c", code],
        cwd=function,
        env={"PYTHONPATH": f"{function}:{build / 'CoreLayer' / 'python'}"},
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert python.returncode == 0, python.stderr
    return python.stdout


def test_every_function_imports_from_built_artefacts_when_nothing_else_is_there(build_here: Path) -> None:
    for function in functions(build_here):
        origin = run_in_lambda(
            build_here, function, "import app, ecr_steward.entry as entry; app.lambda_handler; print(entry.__file__)"
        )
        assert origin.startswith(str(build_here))


def test_every_module_of_the_core_imports_from_built_artefacts_when_nothing_else_is_there(build_here: Path) -> None:
    code = """
import importlib, pkgutil, ecr_steward
for module in pkgutil.walk_packages(ecr_steward.__path__, "ecr_steward."):
    print(importlib.import_module(module.name).__name__)
"""
    imported = run_in_lambda(build_here, functions(build_here)[0], code).split()

    assert {"ecr_steward.entry", "ecr_steward.bootstrap", "ecr_steward.usecases.enforce_image_tags"} <= set(imported)


def test_layer_has_the_models_of_exactly_the_services_that_the_adapters_call_when_trimmed(build_here: Path) -> None:
    code = """
from botocore.loaders import Loader
from ecr_steward.adapters.clients import AwsClients
print(*Loader().list_available_services("service-2"))
not_services = ("region", "other", "work_until")
print(*(name.removesuffix("_") for name in vars(AwsClients) if not name.startswith("_") and name not in not_services))
"""
    shipped, called = run_in_lambda(build_here, functions(build_here)[0], code).splitlines()

    assert set(shipped.split()) == set(called.split())
