"""The command as people run it: what it prints where, and with which exit code."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from datetime import date
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from ecr_steward.domain.rules import Mode
from ecr_steward.rulebook.load import load_compiled
from ecr_steward_cli.exit_codes import settled
from tests.command import run_here

RULEBOOK_LAYER = Path(__file__).parents[3] / "layers" / "rulebook"
NOWHERE = {
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_MAX_ATTEMPTS": "1",
}
"""An AWS that does not answer."""
WRONG = "version: 1\nrules: [{nmae: a, match: {repositories: ['**']}}]\n"


def test_the_version_is_printed_without_the_argument_parser_when_asked():
    code = (
        "import sys; sys.argv[1:] = ['--version']; from ecr_steward_cli.main import main; main(); print(*sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    first, _, modules = done.stdout.partition("\n")
    assert first == f"ecr-steward {version('ecr-steward')}"
    assert {name.partition(".")[0] for name in modules.split()}.isdisjoint(
        {"typer", "click", "rich", "pydantic", "boto3"}
    )


def test_a_rulebook_is_found_when_no_file_is_named(run, valid_rulebook):
    done = run("validate", rulebook=valid_rulebook)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "ecr-steward.yaml is valid\n")


def test_findings_are_plain_and_counted_when_a_rulebook_is_wrong(run_program):
    done = run_program("validate", rulebook=WRONG)

    assert done.returncode == 1
    assert done.stdout.startswith("ecr-steward.yaml:2:10: ES101 unknown key `nmae`\n")
    assert "\x1b" not in done.stdout
    assert done.stderr == "1 problem found; `ecr-steward explain ES101` says more\n"


def test_a_rulebook_is_valid_and_compiles_when_a_waiver_in_it_has_expired(run, valid_rulebook, tmp_path):
    expired = "waivers: [{finding: CVE-2014-0160, repositories: ['**'], until: 2014-05-01, reason: patched since}]\n"

    validated = run("validate", rulebook=valid_rulebook + expired)
    compiled = run("compile", "ecr-steward.yaml", "--output", "rulebook.json")

    assert (validated.returncode, validated.stderr) == (0, "ecr-steward.yaml is valid\n")
    assert validated.stdout.startswith("ecr-steward.yaml:3:65: note: ES507 the waiver of `CVE-2014-0160` has expired\n")
    assert (compiled.returncode, compiled.stdout, compiled.stderr) == (0, "", "")
    assert [waiver.until for waiver in load_compiled(tmp_path / "rulebook.json").waivers] == [date(2014, 5, 1)]


def test_every_file_is_checked_when_several_are_named(run, valid_rulebook, tmp_path):
    (tmp_path / "other.yaml").write_text("version: 3\n", encoding="utf-8")

    done = run("validate", "ecr-steward.yaml", "other.yaml", rulebook=valid_rulebook)

    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("other.yaml:1:")] == [
        "other.yaml:1:1: ES102 `rules` is missing",
        "other.yaml:1:10: ES104 `3` is not known here",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["validate"], "no rulebook here: name one"),
        (["validate", "nowhere.yaml"], "nowhere.yaml cannot be read: No such file or directory"),
        (["compile", "nowhere.yaml", "-o", "x"], "nowhere.yaml cannot be opened: No such file or directory"),
        (["compile", "nowhere.yaml"], "Missing option"),
        (
            ["schema", "ruelbook"],
            "there is no schema `ruelbook`; did you mean `rulebook`? There are: rulebook, test, violation",
        ),
        (["sandbox", "up", "--build", "elsewhere"], "--build elsewhere holds no template.yaml"),
        (["sandbox", "up", "--rulebook", "nowhere.yaml"], "--rulebook nowhere.yaml is not a file"),
        (["demo", "--build", "elsewhere"], "--build elsewhere holds no template.yaml"),
        (["sandbox", "up", "--port", "x"], "should be a valid integer"),
        (["valdate"], "No such command"),
    ],
)
def test_the_exit_code_is_1_when_the_command_is_used_wrongly(run, arguments, told):
    """tools 6.1, and tools 6.11: every error has a code."""
    done = run(*arguments)

    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"Error: ES[0-9]{3} [^\n]+\n", done.stderr)
    assert told in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param([], {}, id="no region"),
        pytest.param(["--no-such-option"], NOWHERE, id="an unknown option"),
        pytest.param([], NOWHERE, id="STS cannot be reached", marks=pytest.mark.slow),
        pytest.param(["nowhere.yaml"], NOWHERE, id="no such file", marks=pytest.mark.slow),
        pytest.param(["--stack-name", "x"], NOWHERE, id="no stack", marks=pytest.mark.slow),
        pytest.param(
            ["--out", "no/such/folder.json", "--account", "1" * 12],
            NOWHERE,
            id="a plan that cannot be saved",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_plan_says_an_error_and_not_changes_when_anything_fails(tmp_path, valid_rulebook, arguments, environment):
    """tools 6.1: a pipeline took expired credentials for changes, and went on to apply."""
    (tmp_path / "ecr-steward.yaml").write_text(valid_rulebook)

    done = run_here(
        "plan",
        "--detailed-exitcode",
        *arguments,
        folder=tmp_path,
        environment={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": str(tmp_path / "none"), **environment},
    )

    assert done.returncode == 1
    assert re.search(r"^Error: ES[0-9]{3} |^Failed$", done.stderr + done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "code", "settled_code"),
    [("plan", 2, 2), ("apply", 2, 1), ("copy", 3, 3), ("plan", 3, 1), ("test", 130, 130), ("plan", -9, 1), ("", 2, 1)],
)
def test_an_exit_code_means_one_thing_in_every_command(command, code, settled_code):
    """tools 6.1."""
    assert settled(command, code) == settled_code


def test_an_error_of_the_program_itself_has_a_traceback_and_a_code(run, valid_rulebook, monkeypatch):
    """tools 6.11."""
    monkeypatch.setattr("ecr_steward_cli.schemas.schema_texts", lambda: {}["x"])

    done = run("schema")

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert "\nError: ES818 KeyError: 'x'. This is an error in ecr-steward; please report it" in done.stderr


def test_the_exit_code_is_130_when_a_command_is_interrupted(run, monkeypatch):
    """tools 6.1."""

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("ecr_steward_cli.schemas.schema_texts", interrupt)

    assert (run("schema").returncode, run("validate", "x").returncode) == (130, 1)


def test_the_exit_code_is_130_when_a_question_is_interrupted_and_1_when_there_is_no_answer(run, monkeypatch):
    """tools 6.1."""

    def ask(ended: type[BaseException]):
        try:
            raise ended
        except ended:
            raise typer.Abort from None

    monkeypatch.setattr("ecr_steward_cli.schemas.schema_texts", lambda: ask(KeyboardInterrupt))
    assert run("schema").returncode == 130

    monkeypatch.setattr("ecr_steward_cli.schemas.schema_texts", lambda: ask(EOFError))
    done = run("schema")
    assert (done.returncode, done.stderr.startswith("Error: ES833 ")) == (1, True)


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["copy", "--help"]])
def test_help_names_every_exit_code_of_a_command(run, arguments):
    """tools 6.1 and 6.11: the help of ``copy`` left out 130."""
    text = run(*arguments).stdout

    assert [code for code in ("0 ", "1 ", "3 ", "130 ") if code not in text.partition("Exit codes:")[2]] == []


@pytest.mark.parametrize(
    ("no_color", "is_coloured"), [({}, True), pytest.param({"NO_COLOR": "1"}, False, marks=pytest.mark.slow)]
)
def test_findings_are_coloured_when_a_terminal_shows_them_and_nobody_minds(tmp_path, no_color, is_coloured):
    (tmp_path / "r.yaml").write_text(WRONG, encoding="utf-8")
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **no_color}

    subprocess.run(
        [Path(sys.executable).with_name("ecr-steward"), "validate", "r.yaml"],
        cwd=tmp_path, env=environment, stdout=theirs, stderr=subprocess.DEVNULL, timeout=30, check=False,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)

    assert "unknown key `nmae`" in shown
    assert ("\x1b[1;31m" in shown or "\x1b[34m" in shown) is is_coloured


def test_nothing_is_written_when_a_rulebook_that_is_wrong_is_compiled(run, tmp_path):
    done = run("compile", "ecr-steward.yaml", "--output", "rulebook.json", rulebook=WRONG)

    assert done.returncode == 1
    assert "did you mean `name`?" in done.stderr
    assert not (tmp_path / "rulebook.json").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("rulebook", "violation-found", "image-replicated", "image-verdict", "credential-refreshed"),
        "replication-requested",
    ],
)
def test_a_schema_is_clean_json_when_printed(run, name):
    done = run("schema", name)

    assert done.stderr == ""
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def build_layer(tmp_path):
    """Run the layer's build as SAM does: make, in a copy of the folder."""
    scratch, artefacts = tmp_path / "scratch", tmp_path / "artefacts"
    shutil.copytree(RULEBOOK_LAYER, scratch)
    artefacts.mkdir()

    def build(**variables):
        command = ["make", "build-RulebookLayer", f"ARTIFACTS_DIR={artefacts}"]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {"PATH": path, **variables}
        return subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return build, scratch / "ecr-steward.yaml", artefacts / "rulebook.json"


def test_the_layer_changes_nothing_and_covers_nobody_when_its_rulebook_is_as_it_comes(build_layer):
    """aws M1."""
    build, source, output = build_layer

    assert build().returncode == 0

    assert list(output.parent.iterdir()) == [output]
    assert json.loads(output.read_text(encoding="utf-8"))["source"]["sha256"] == sha256(source.read_bytes()).hexdigest()
    rules = load_compiled(output)
    assert [rule.mode for rule in rules.rules] == [Mode.OBSERVE]
    assert (rules.credentials, rules.registries, rules.waivers) == ((), (), ())
    spellings = [pattern.spelling for rule in rules.rules for pattern in rule.match.repositories]
    assert spellings == ["ecr-steward-example/**"]


def test_the_layer_holds_another_rulebook_when_the_environment_names_one(build_layer, tmp_path, valid_rulebook):
    build, _, output = build_layer
    elsewhere = tmp_path / "ours.yaml"
    elsewhere.write_text(valid_rulebook, encoding="utf-8")

    done = build(ECR_STEWARD_RULEBOOK=str(elsewhere))

    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["source"]["file"] == "ours.yaml"


def test_the_build_fails_with_the_reason_when_the_rulebook_is_wrong(build_layer):
    build, source, output = build_layer
    source.write_text(source.read_text(encoding="utf-8").replace("deny:", "dney:"), encoding="utf-8")

    done = build()

    assert done.returncode != 0
    assert "unknown key `dney`" in done.stderr
    assert "did you mean `deny`?" in done.stderr
    assert not output.exists()
