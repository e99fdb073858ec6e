"""A small checkout of its own, with one function and its tests, in whose copy faults are planted."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mutants.faults import Fault, Room, Suite
from mutants.places import Place
from mutants.runs import Event, Step, failing_without_fault, killer, reaching, recorded, try_fault

CODE = """\
def larger(one: int, other: int) -> int:
    if one > other:
        return one
    return other
"""
TESTS = """\
from pathlib import Path

from larger import larger


def test_first() -> None:
    assert larger(2, 1) == 2


def test_equal() -> None:
    assert larger(1, 1) == 1


def test_never_passes() -> None:
    raise AssertionError
"""
PACKAGES = ".venv/lib/python3.13/site-packages"
SUITES = [Suite(".", ["tests"])]
LINE = "    if one > other:"


def fault(after: str, before: str = LINE, which: int = 1) -> Fault:
    return Fault("larger-01", "larger", "tools/larger.py", "core/Some", before, after, which)


def step(*tests: str) -> Step:
    return Step(SUITES[0], ["tests/test_larger.py"], [f"tests/test_larger.py::{test}" for test in tests], 60)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    checkout, copy = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("copy")
    for name, text in {
        "tools/larger.py": CODE,
        "tests/test_larger.py": TESTS,
        "pyproject.toml": "[tool.pytest.ini_options]\n",
        ".gitignore": "/.venv/\n/.aws-sam/\n/ignored\n",
        "ignored": "",
        ".aws-sam/build/template.yaml": "Resources: {}\n",
        ".venv/pyvenv.cfg": "",
        ".venv/bin/command": f"#!{checkout}/.venv/bin/python\n",
        f"{PACKAGES}/_editable_larger.pth": f"{checkout}/tools\n",
        f"{PACKAGES}/other.py": "",
    }.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, encoding="utf-8")
    pytest_program = shutil.which("pytest", path=Path(sys.executable).parent)
    assert pytest_program
    (checkout / ".venv/bin/pytest").symlink_to(pytest_program)
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    yield Place(checkout, copy)
    assert (checkout / "tools/larger.py").read_text(encoding="utf-8") == CODE


def test_the_copy_has_what_git_would_commit(place: Place) -> None:
    assert (place.root / "tools/larger.py").read_text(encoding="utf-8") == CODE
    assert not (place.root / "ignored").exists()


def test_the_environment_leads_to_the_copy_when_nothing_else_says_where_packages_are(place: Place) -> None:
    assert (place.root / PACKAGES / "_editable_larger.pth").read_text(encoding="utf-8") == f"{place.root}/tools\n"
    assert (place.root / ".venv/bin/command").read_text(encoding="utf-8") == f"#!{place.root}/.venv/bin/python\n"
    assert (place.root / PACKAGES / "other.py").is_symlink()


@pytest.mark.slow
def test_the_first_test_that_fails_on_a_fault_has_killed_it(place: Place) -> None:
    steps = [step("test_equal"), step("test_first", "test_never_passes")]

    result = try_fault(place, fault("    if one < other:"), steps, {})

    assert result.killed_by == "tests/test_larger.py::test_first"


@pytest.mark.slow
def test_a_fault_survives_when_no_chosen_test_fails(place: Place) -> None:
    result = try_fault(place, fault("    if one >= other:"), [step("test_first", "test_equal")], {})

    assert (result.killed_by, result.note) == (None, "")


ENDED = 1_000_000.0


def began(test: str, seconds_before_the_end: float = 0) -> Event:
    return {"began": f"tests/test_larger.py::{test}", "at": ENDED - seconds_before_the_end}


@pytest.mark.parametrize(
    ("exit_code", "events", "killed_by", "note"),
    [
        pytest.param(5, [], None, "", id="no test was there"),
        pytest.param(2, [{"failed": "tests/test_larger.py"}], "", "", id="a file could not be collected"),
        pytest.param(4, [], "", "could not start: no", id="no file could be collected"),
        pytest.param(-11, [began("test_a")], "::test_a", "ended in it with -11", id="the interpreter died"),
        pytest.param(None, [began("test_a", 100)], "::test_a", "did not end in", id="a test never ends"),
        pytest.param(None, [began("test_long", 100)], None, "stopped", id="a test takes its time"),
        pytest.param(None, [began("test_a", 1)], None, "stopped", id="many tests take their time"),
        pytest.param(None, [began("test_a", 99), {"ended": "test_a"}], None, "stopped", id="between two tests"),
    ],
)
def test_what_ends_a_run_without_a_failure(
    exit_code: int | None, events: list[Event], killed_by: str | None, note: str
) -> None:
    usual = {"tests/test_larger.py::test_a": 0.1, "tests/test_larger.py::test_long": 10}

    found, reason = killer(step("test_a"), exit_code, "oh\nno\n\n", events, usual, ended=ENDED)

    assert found == (None if killed_by is None else f"tests/test_larger.py{killed_by}")
    assert note in reason


def test_the_sources_are_as_they_were_when_a_fault_was_tried(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt), place.planted(fault("    if one < other:")):
        assert "one < other" in (place.root / "tools/larger.py").read_text(encoding="utf-8")
        raise KeyboardInterrupt

    assert (place.root / "tools/larger.py").read_text(encoding="utf-8") == CODE


def test_no_bytecode_of_a_fault_is_taken_for_the_sources_or_another_faults(place: Place) -> None:
    file = place.root / "tools/larger.py"
    seconds = [int(file.stat().st_mtime)]
    for after in ("    if one < other:", "    if one - other:"):
        with place.planted(fault(after)):
            seconds.append(int(file.stat().st_mtime))

    assert len(set(seconds)) == 3
    assert int(file.stat().st_mtime) == seconds[0]


def test_a_line_that_is_gone_is_said_to_be(place: Place) -> None:
    result = try_fault(place, fault("", "    if one == other:"), [step("test_first")], {})

    assert result.killed_by is None
    assert "has no line 'if one == other:'" in result.note


@pytest.mark.slow
def test_a_test_that_fails_without_a_fault_says_nothing_of_one(place: Place) -> None:
    killers = {f"tests/test_larger.py::{test}" for test in ("test_first", "test_never_passes", "test_renamed")}

    failing = failing_without_fault(place, killers, SUITES)

    assert failing == killers - {"tests/test_larger.py::test_first"}


def test_a_template_is_built_anew_around_a_fault(place: Place) -> None:
    built = place.root / ".aws-sam/build/template.yaml"
    (place.root / "template.yaml").write_text("Resources:\n  Queue: {Type: AWS::SQS::Queue}\n", encoding="utf-8")
    fault = Fault("t-01", "t", "template.yaml", "template/Some", "  Queue: {Type: AWS::SQS::Queue}", "  Queue: {}")

    with place.planted(fault):
        assert "SQS" not in built.read_text(encoding="utf-8")
    assert "SQS" in built.read_text(encoding="utf-8")


def test_a_recorded_killer_runs_alone() -> None:
    (alone,) = recorded("packages/local/tests/test_a.py::test_b[x::y]", [Suite("packages/local", []), *SUITES])

    assert alone.suite.folder == "packages/local"
    assert (alone.paths, alone.chosen) == (["tests/test_a.py"], ["tests/test_a.py::test_b[x::y]"])


def test_tests_of_the_room_run_last_when_coverage_knows_none() -> None:
    room = Room("larger", ["tools"], 1, also=["tests/slow", "tests/slower"])

    assert [step.paths for step in reaching(fault(""), CODE, room, None, SUITES)] == [["tests/slow"], ["tests/slower"]]


@pytest.mark.slow
def test_a_folder_keeps_its_fixtures_when_a_file_of_the_one_above_runs_between_its_own(place: Place) -> None:
    order = ["tests/a/b/test_one.py", "tests/a/test_two.py", "tests/a/b/test_three.py"]
    for name, text in {
        "tests/a/b/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef given() -> None: ...\n",
        order[0]: "def test_it(given: None) -> None: ...\n",
        order[1]: "def test_it() -> None: ...\n",
        order[2]: "def test_it(given: None) -> None: ...\n",
    }.items():
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text(text, encoding="utf-8")

    assert failing_without_fault(place, [f"{name}::test_it" for name in order], SUITES) == set()
