"""What a release is made of: wheels that work by themselves, and archives that SAM deploys without building."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.client_matrix.layout import Layout
from lab.peers import logging_to, wait_for_words

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements" / "dev.txt"
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
UV = ROOT / ".venv" / "bin" / "uv"
MEBIBYTE = 1 << 20
RULEBOOK = """\
version: 1
rules:
  - name: services
    match: {repositories: ["team-*/**"]}
    mode: MODE
    repository: {resource_tags: {kept: by-the-steward}}
"""
CASE = """\
version: 1
cases:
  - name: the repository gets its resource tag
    given: {repository: team-a/api, account: "111122223333", region: us-east-1}
    expect: {steps: [{step: add_resource_tags}]}
"""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("release")]


def release(checkout: Path, folder: Path) -> Path:
    done = subprocess.run(
        ["make", "release", f"DIST={folder}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make release` makes of this checkout."""
    return release(ROOT, tmp_path_factory.mktemp("release") / "dist")


def environment_of(folder: Path, dist: Path, *wheels: str) -> Path:
    """The `bin` of a new environment with these of our wheels, and what they need at the pinned versions."""
    subprocess.run([UV, "venv", "--quiet", "--no-project", "--python", sys.executable, folder], check=True, timeout=60)
    named = [each.partition("[") for each in wheels]
    found = [f"{next(dist.glob(f'{name}-*.whl'))}{bracket}{extra}" for name, bracket, extra in named]
    command = [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "--constraint", PINS, *found]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder / "bin"


@pytest.fixture(scope="session")
def command_alone(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_of(tmp_path_factory.mktemp("command") / "env", dist, "ecr_steward", "ecr_steward_core")


@pytest.fixture(scope="session")
def local_ecr_alone(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_of(tmp_path_factory.mktemp("local-ecr") / "env", dist, "local_ecr")


@pytest.fixture(scope="session")
def with_sandbox(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    wheels = ("ecr_steward[sandbox]", "ecr_steward_core", "ecr_steward_sandbox", "local_ecr")
    return environment_of(tmp_path_factory.mktemp("sandbox") / "env", dist, *wheels)


def installed_by_us(binaries: Path) -> set[str]:
    """The top-level names that our distributions put into an environment."""
    site_packages = next((binaries.parent / "lib").glob("python3*/site-packages"))
    ours = [*site_packages.glob("ecr_steward*.dist-info"), *site_packages.glob("local_ecr*.dist-info")]
    files = [line.split(",")[0] for info in ours for line in (info / "RECORD").read_text().splitlines()]
    return {name.split("/")[0] for name in files if not name.startswith("..")} - {info.name for info in ours}


def clean_environment(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **more}


@contextmanager
def serving(command: Sequence[str | Path], folder: Path, ready: str) -> Iterator[tuple[str, Path]]:
    """A process that says at which address it is ready, after these words; it ends when it is told to."""
    log = folder / "log.txt"
    with logging_to(log, list(map(str, command)), cwd=folder, env=clean_environment()) as process:
        yield wait_for_words(rf"{ready} (http\S+)", log, process), log
    assert process.returncode in (0, -signal.SIGTERM), "ended in time"


def wait_until(holds: Callable[[], object], what: Callable[[], str], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what()
        time.sleep(0.1)


def keys_for(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "111122223333",
        "AWS_SECRET_ACCESS_KEY": "any",
    }


def run(*command: str | Path, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=clean_environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def create_repository(binaries: Path, folder: Path, name: str, keys: Mapping[str, str]) -> None:
    code = f"import boto3; boto3.client('ecr').create_repository(repositoryName={name!r})"
    done = run(binaries / "python", "-c", code, folder=folder, **keys)
    assert done.returncode == 0, done.stderr


def resource_tags(binaries: Path, folder: Path, name: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
    code = (
        "import boto3, json; ecr = boto3.client('ecr'); arn = ecr.describe_repositories(repositoryNames="
        f"[{name!r}])['repositories'][0]['repositoryArn']; "
        "print(json.dumps(ecr.list_tags_for_resource(resourceArn=arn)['tags']))"
    )
    done = run(binaries / "python", "-c", code, folder=folder, **keys)
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def write_rulebook(folder: Path, mode: str) -> Path:
    file = folder / "ecr-steward.yaml"
    file.write_text(RULEBOOK.replace("MODE", mode))
    return file


def test_two_releases_of_the_same_files_are_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    for made in (".venv", ".tools"):
        (copy / made).symlink_to(ROOT / made)

    again = release(copy, tmp_path / "dist")

    assert digests(again) == digests(dist)
    assert len(digests(dist)) == 11, "four wheels, four sdists, two archives and their sums"


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("[!.]*")}


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_an_archive_holds_all_that_sam_deploys(dist: Path, tmp_path: Path, architecture: str) -> None:
    name = f"ecr-steward-{VERSION}-{architecture}"
    with zipfile.ZipFile(dist / f"{name}.zip") as archive:
        archive.extractall(tmp_path)

    built = tmp_path / name
    assert {"template.yaml", "spoke.yaml", "samconfig.toml", "LICENSE"} <= {path.name for path in built.iterdir()}
    assert (built / "RulebookLayer" / "rulebook.json").is_file()
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[architecture]
    compiled = [path.name for path in (built / "CoreLayer").rglob("*.so")]
    assert compiled
    assert all(machine in name for name in compiled if "cpython-" in name), compiled
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "sam", "validate", "--lint", "--template", built / "template.yaml"],
        cwd=tmp_path,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_alone_does_everything_but_the_sandbox(
    command_alone: Path, local_ecr_alone: Path, tmp_path: Path
) -> None:
    steward = command_alone / "ecr-steward"
    rulebook = write_rulebook(tmp_path, "enforce")
    assert installed_by_us(command_alone) == {"ecr_steward", "ecr_steward_cli"}
    size = sum(path.stat().st_size for path in command_alone.parent.rglob("*") if path.is_file())
    assert size <= 140 * MEBIBYTE

    assert run(steward, "--version", folder=tmp_path).stdout == f"ecr-steward {VERSION}\n"
    assert run(steward, "validate", folder=tmp_path).returncode == 0
    assert "ES101" in run(steward, "explain", "ES101", folder=tmp_path).stdout
    (tmp_path / "ecr-steward-test.yaml").write_text(CASE)
    tested = run(steward, "test", "--format", "junit", folder=tmp_path)
    assert "<testsuite" in tested.stdout, tested.stderr

    with serving([local_ecr_alone / "local-ecr"], tmp_path, "ready endpoint") as (endpoint, log):
        keys = keys_for(endpoint)
        create_repository(command_alone, tmp_path, "team-a/api", keys)
        planned = run(steward, "plan", "--detailed-exitcode", folder=tmp_path, **keys)
        assert (planned.returncode, "kept=by-the-steward" in planned.stdout) == (2, True), planned.stdout
        applied = run(steward, "apply", "--yes", folder=tmp_path, **keys)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        assert run(steward, "plan", "--detailed-exitcode", folder=tmp_path, **keys).returncode == 0

        layout = Layout(tmp_path / "layout")
        layout.tag("1.0.0", layout.put_image("amd64", [layout.put_layer(b"a layer")]))
        registry = next(line.split()[-1] for line in log.read_text().splitlines() if "ready registry" in line)
        source, there = f"oci:{layout.folder}:1.0.0", f"{registry}/team-a/api:1.0.0".removeprefix("http://")
        logged_in = {**keys, "DOCKER_CONFIG": str(log_in(command_alone, tmp_path, there.partition("/")[0], keys))}
        copied = run(steward, "copy", source, there, folder=tmp_path, **logged_in)
        assert copied.returncode == 0, copied.stderr
        assert "already" in run(steward, "copy", source, there, folder=tmp_path, **logged_in).stdout

    missing = run(steward, "sandbox", "up", "--rulebook", rulebook, folder=tmp_path)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("Error: ES816 the sandbox is not installed")
    assert missing.stderr.endswith("uv tool install 'ecr-steward[sandbox]'\n")


def log_in(binaries: Path, folder: Path, registry: str, keys: Mapping[str, str]) -> Path:
    """A folder for DOCKER_CONFIG, with a login of ECR."""
    code = (
        "import boto3; answer = boto3.client('ecr').get_authorization_token(); "
        "print(answer['authorizationData'][0]['authorizationToken'])"
    )
    token = run(binaries / "python", "-c", code, folder=folder, **keys).stdout.strip()
    config = folder / "docker"
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"auths": {registry: {"auth": token}}}))
    return config


def test_a_saved_rulebook_is_in_force_in_a_sandbox_that_was_installed(with_sandbox: Path, tmp_path: Path) -> None:
    assert installed_by_us(with_sandbox) == {"ecr_steward", "ecr_steward_cli", "ecr_steward_sandbox", "local_ecr"}
    folder = tmp_path / "empty"
    folder.mkdir()
    rulebook = write_rulebook(folder, "observe")
    command = [with_sandbox / "ecr-steward", "sandbox", "up", "--rulebook", rulebook.name]

    with serving(command, folder, "Sandbox ready at") as (endpoint, log):
        keys = keys_for(endpoint)
        create_repository(with_sandbox, folder, "team-a/observed", keys)
        wait_until(lambda: "only planned: add resource tags" in log.read_text(), log.read_text)

        write_rulebook(folder, "enforce")
        wait_until(lambda: "ecr-steward.yaml is in force" in log.read_text(), log.read_text)
        create_repository(with_sandbox, folder, "team-a/enforced", keys)
        wait_until(lambda: resource_tags(with_sandbox, folder, "team-a/enforced", keys), log.read_text)

        rulebook.write_text("version: one\n")
        wait_until(lambda: "is not in force: the one before stays" in log.read_text(), log.read_text)

    assert {path.name for path in folder.iterdir()} == {"ecr-steward.yaml", "log.txt"}, "nothing else is left"


def test_every_act_of_the_demo_holds_where_it_was_installed(with_sandbox: Path, tmp_path: Path) -> None:
    folder, temporary = tmp_path / "empty", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()

    done = run(with_sandbox / "ecr-steward", "demo", folder=folder, TMPDIR=str(temporary))

    assert done.returncode == 0, done.stdout + done.stderr
    held = re.search(r"^All 10 acts held: (\d+) checks", done.stdout, re.MULTILINE)
    assert held is not None, done.stdout
    assert int(held[1]) > 90
    assert [*folder.iterdir(), *temporary.iterdir()] == [], "nothing is left"
