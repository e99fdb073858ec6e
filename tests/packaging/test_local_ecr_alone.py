"""local_ecr as another project has it: installed without the rest, and used as docs/local-ecr says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ecr_steward_sandbox.demo.layout import write_layout

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "local-ecr" / "README.md"
PIN = re.compile(r"^[\w.-]+(?:\[[\w,-]+\])?==[^ \\]+[^\\\n]*", re.MULTILINE)

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has pytest and, of ours, what `ecr-steward[local-ecr]` asks for."""
    folder = tmp_path_factory.mktemp("theirs")
    constraints = folder / "pins.txt"
    constraints.write_text("\n".join(PIN.findall((ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8"))))
    uv, build = ROOT / ".venv/bin/uv", ["build", "--quiet", "--wheel", "--no-build-isolation"]
    run(uv, *build, "--python", ROOT / ".venv/bin/python", "--out-dir", folder, ROOT, folder=folder)
    (wheel,) = folder.glob("*.whl")
    run(uv, "venv", "--quiet", "--python", "3.13", folder / "environment", folder=folder)
    interpreter = folder / "environment/bin/python"
    install = [uv, "pip", "install", "--quiet", "--python", interpreter, "--constraint", constraints]
    run(*install, f"{wheel}[local-ecr]", "pytest", folder=folder)
    return interpreter


def test_the_tests_of_the_guide_pass_in_another_project(python: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert {name for name, _ in blocks} == {"conftest.py", "test_release.py"}
    for name, code in blocks:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(code)
    write_layout(tmp_path / "busybox")  # as the guide has skopeo make one
    left_out = [] if shutil.which("skopeo") else ["--deselect", "test_release.py::test_a_push_is_told"]

    shown = run(python, "-W", "error", "-m", "pytest", "-q", *left_out, folder=tmp_path)

    assert f"{5 if left_out else 6} passed" in shown


def test_the_command_says_what_to_install_when_it_is_not_there_as_a_whole(python: Path) -> None:
    done = subprocess.run(
        [python.with_name("ecr-steward"), "sandbox"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: there is no typer here. Install ecr-steward[tools] for this command")


def test_no_moto_no_template_and_no_steward_is_needed(python: Path, tmp_path: Path) -> None:
    loaded = run(
        python,
        "-c",
        "import sys, local_ecr, local_ecr.pytest_plugin\n"
        "local_ecr.LocalEcr('data').close()\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))",
        folder=tmp_path,
    ).split()

    assert "local_ecr" in loaded
    assert {"moto", "ecr_steward", "sandbox", "samtranslator"}.isdisjoint(loaded)


def test_a_page_of_an_error_comes_along_when_it_is_installed(python: Path) -> None:
    found = run(
        python,
        "-c",
        "import sysconfig; print(sysconfig.get_path('data'))",
        folder=python.parent,
    ).strip()

    assert (Path(found) / "share" / "ecr-steward" / "errors" / "ES101.md").is_file()
