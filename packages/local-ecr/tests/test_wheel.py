"""The wheel as another project has it: installed without a checkout, and used as README and docs/testing.md say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.images import write_layout

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
PINS = ROOT / "requirements" / "local-ecr.txt"
GUIDES = (HERE / "README.md", HERE / "docs" / "testing.md")

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder]
    run(UV, "build", *options, HERE, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=["3.13", "3.11"])
def python(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, pytest, and what they ask for."""
    found = subprocess.run(
        [ROOT / "tools/setup/find_python.sh", request.param], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(f"needs Python {request.param}")
    folder = tmp_path_factory.mktemp("theirs")
    run(UV, "venv", "--quiet", "--no-project", "--python", found.stdout.strip(), folder / "env", folder=folder)
    interpreter = folder / "env" / "bin" / "python"
    install = [UV, "pip", "install", "--quiet", "--python", interpreter, "--constraint", PINS]
    run(*install, wheel, "pytest", folder=folder)
    return interpreter


def test_nothing_else_is_installed_at_the_top_level_when_the_wheel_is_alone(
    wheel: Path, python: Path, tmp_path: Path
) -> None:
    install = [UV, "pip", "install", "--quiet", "--no-deps", "--python", python, "--target", tmp_path / "site"]
    run(*install, wheel, folder=tmp_path)

    top = {path.name for path in (tmp_path / "site").iterdir() if path.name not in {".lock", "bin"}}

    assert top == {"local_ecr", f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"}


def test_the_tests_of_the_guides_pass_in_another_project(python: Path, tmp_path: Path) -> None:
    told = "\n".join(guide.read_text(encoding="utf-8") for guide in GUIDES)
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", told, re.DOTALL)
    assert {name for name, _ in blocks} == {"conftest.py", "test_ecr.py", "test_release.py"}
    for name, code in blocks:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(code)
    write_layout(tmp_path / "busybox", layers=1, layer_bytes=1_000)  # as the guide has skopeo make one
    left_out = [] if shutil.which("skopeo") else ["--deselect", "test_release.py::test_a_push_is_told"]

    shown = run(python, "-W", "error", "-m", "pytest", "-q", *left_out, folder=tmp_path)

    assert f"{7 if left_out else 8} passed" in shown


def test_the_fixture_is_there_once_when_a_conftest_names_the_plugin_as_well(python: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["local_ecr.pytest_plugin"]\n')
    (tmp_path / "test_theirs.py").write_text("def test_it(local_ecr):\n    assert local_ecr.events == []\n")

    assert "1 passed" in run(python, "-W", "error", "-m", "pytest", "-q", folder=tmp_path)


def test_nothing_large_is_loaded_when_no_test_uses_the_fixture(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n"
        "def test_it(request):\n"
        "    assert request.config.pluginmanager.has_plugin('local_ecr.pytest_plugin')\n"
        "    assert not {'boto3', 'botocore', 'cryptography', 'pydantic', 'starlette', 'uvicorn'} & set(sys.modules)\n"
    )

    assert "1 passed" in run(python, "-m", "pytest", "-q", folder=tmp_path)


def test_the_command_says_its_version(python: Path, wheel: Path, tmp_path: Path) -> None:
    assert run(python.with_name("local-ecr"), "--version", folder=tmp_path) == f"local-ecr {wheel.name.split('-')[1]}\n"
