"""``ecr-steward test`` as people and machines run it."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.schema import file_schema
from ecr_steward_cli.testing.model import STEP_WORDS, CaseFile

ROOT = Path(__file__).parents[4]
SAMPLES = ROOT / "events"
PASSES = {"name": "passes", "given": {"repository": "other"}, "expect": {"rule": "none"}}
FAILS = {"name": "fails", "given": {"repository": "other"}, "expect": {"rule": "services"}}


def test_only_failures_are_shown_and_all_are_counted_in_text(run_test):
    done = run_test(cases=[PASSES, FAILS])

    assert done.exit_code == 1
    assert done.stdout == (
        "ecr-steward-test.yaml:8: FAILED fails\n"
        "  expected the rule `services`, but no rule covers 111122223333/us-east-1/other\n"
    )
    assert done.stderr == "1 passed, 1 failed\n"


def test_nothing_is_shown_when_all_pass(run_test):
    done = run_test(cases=[PASSES])

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "1 passed, 0 failed\n")


def test_the_output_is_json_alone_when_asked_for(run_test):
    document = json.loads(run_test("--format", "json", cases=[PASSES, FAILS]).stdout)

    assert (document["schema_version"], document["summary"]) == (1, {"passed": 1, "failed": 1})
    assert [case["passed"] for case in document["files"][0]["cases"]] == [True, False]
    assert document["files"][0]["rulebook"] == "ecr-steward.yaml"


def test_the_output_is_junit_alone_when_asked_for(run_test):
    root = ET.fromstring(run_test("--format", "junit", cases=[PASSES, FAILS]).stdout)  # noqa: S314  our own

    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    assert [case.get("name") for case in root.iter("testcase")] == ["passes", "fails"]
    (failure,) = root.iter("failure")
    assert "no rule covers" in failure.get("message", "")


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        (None, "Error: ES701 no test was found here: write ecr-steward-test.yaml beside the rulebook"),
        ([], "Error: ES701 no test was found in ecr-steward-test.yaml: the list `cases` is empty"),
    ],
)
def test_no_test_is_a_failure(run_test, cases, told):
    done = run_test(cases=cases)

    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


def test_cases_are_found_beside_each_rulebook_and_run_with_it(folder, run_test):
    for name, repository in (("one", "team-a/api"), ("two", "other/api")):
        rule = f"  - {{name: {name}, match: {{repositories: [{repository}]}}, final: true}}\n"
        (folder / f"{name}.ecr-steward.yaml").write_text(f"version: 1\nrules:\n{rule}", encoding="utf-8")
        case = f"{{name: a, given: {{repository: {repository}}}, expect: {{rule: {name}}}}}"
        (folder / f"{name}.ecr-steward-test.yaml").write_text(f"version: 1\ncases: [{case}]\n", encoding="utf-8")

    assert run_test().stderr == "2 passed, 0 failed\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "version: 1\ncases: [{name: a, given: {repository: a}, expct: {}}]\n",
            "2:43: ES101 unknown key `expct`",
        ),
        (
            "version: 1\ncases: [{name: a, given: {repository: aa}, expect: {}}]\n",
            "2:9: ES703 this case expects nothing",
        ),
        ("version: 1\ncases: [{name: a, expect: {nothing: true}}]\n", "2:9: ES102 this case is about no repository"),
        (
            "version: 1\ncases:\n" + "- {name: a, given: {repository: aa}, expect: {nothing: true}}\n" * 2,
            "4:10: ES702 there is a case `a` already: cases[0]",
        ),
        (
            "version: 1\nrulebook: no.yaml\ncases: [{name: a, given: {repository: aa}, expect: {nothing: true}}]\n",
            "2:11: ES705 there is no rulebook to run these cases with: no.yaml",
        ),
        ("version: 1\ncases: [", "ES004"),
    ],
)
def test_it_is_told_with_its_place_when_a_file_of_cases_is_wrong(folder, run_test, text, told):
    (folder / "ecr-steward-test.yaml").write_text(text, encoding="utf-8")

    done = run_test()

    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


def test_the_rulebooks_own_problems_are_told_when_it_does_not_validate(folder, run_test):
    (folder / "ecr-steward.yaml").write_text("version: 1\nrules: [{nmae: a}]\n", encoding="utf-8")

    done = run_test(cases=[PASSES])

    assert done.exit_code == 1
    assert "ecr-steward.yaml:2:10: ES101 unknown key `nmae`" in done.stderr


@pytest.mark.parametrize("sample", ["ecr_image_action/push_tagged", "aws_api_call_via_cloudtrail/create_repository"])
def test_a_case_from_a_real_event_passes_with_the_rulebook_that_it_was_written_with(folder, run_test, sample):
    written = run_test("--init", str(SAMPLES / f"{sample}.json"))
    (folder / "ecr-steward-test.yaml").write_text(written.stdout, encoding="utf-8")

    done = run_test()

    assert (written.exit_code, done.exit_code, done.stderr) == (0, 0, "1 passed, 0 failed\n")
    (case,) = YAML(typ="safe").load(written.stdout)["cases"]
    assert case["given"]["repository"] == "team-a/api"
    assert case["expect"]["rule"] == "services"


def test_a_case_fails_when_the_rulebook_has_changed_since_it_was_written(folder, run_test):
    written = run_test("--init", str(SAMPLES / "ecr_image_action/push_denied_tag.json"))
    (folder / "ecr-steward-test.yaml").write_text(written.stdout, encoding="utf-8")
    rulebook = folder / "ecr-steward.yaml"
    rulebook.write_text(rulebook.read_text(encoding="utf-8").replace(", deny: [latest]", ""), encoding="utf-8")

    assert run_test().exit_code == 1


def test_a_file_that_is_there_is_left_alone_when_a_case_is_written(folder, run_test):
    event = str(SAMPLES / "ecr_image_action/push_tagged.json")
    first = run_test("--init", event, "--output", "x.ecr-steward-test.yaml")
    again = run_test("--init", event, "--output", "x.ecr-steward-test.yaml")

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert "Error: ES805 x.ecr-steward-test.yaml is there already" in again.stderr
    assert run_test().exit_code == 0


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("{", "ES704 event.json is no JSON"),
        ("[]", "ES704 this is no event of ECR"),
        ('{"detail-type": "EC2 Instance State-change Notification"}', "ES704 this is no event of ECR"),
        (None, "ES001 event.json cannot be read"),
    ],
)
def test_it_is_told_when_an_event_is_none_that_a_case_can_be_made_of(folder, run_test, event, told):
    if event is not None:
        (folder / "event.json").write_text(event, encoding="utf-8")

    done = run_test("--init", "event.json")

    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


def test_an_event_beside_the_cases_says_what_is_given(folder, run_test):
    (folder / "push.json").write_bytes((SAMPLES / "ecr_image_action/push_denied_tag.json").read_bytes())
    expect = {"includes": [{"step": "remove_image_tag", "image_tag": "latest"}]}

    done = run_test(cases=[{"name": "a", "event": "push.json", "expect": expect}])
    missing = run_test(cases=[{"name": "a", "event": "nowhere.json", "expect": expect}])

    assert done.exit_code == 0, done.stdout
    assert "the event nowhere.json cannot be read" in missing.stdout


def test_the_cases_of_the_example_pass():
    command = [Path(sys.executable).with_name("ecr-steward"), "test"]
    example = ROOT / "docs" / "rulebook" / "example"
    done = subprocess.run(command, cwd=example, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_committed_schema_is_the_models_when_compared():
    committed = json.loads((ROOT / "layers/rulebook/ecr-steward-test.schema.json").read_text(encoding="utf-8"))

    assert committed == file_schema(CaseFile), (
        "run: ecr-steward schema test > layers/rulebook/ecr-steward-test.schema.json"
    )


def test_every_key_of_a_case_is_described_with_an_example_that_fits():
    schema = file_schema(CaseFile)
    for model in [schema, *schema["$defs"].values()]:
        for key, field in model.get("properties", {}).items():
            if model is schema["$defs"].get("Mutability"):
                continue  # the rulebook's own
            assert field.get("description"), key
            for example in field["examples"]:
                jsonschema.Draft202012Validator({"$defs": schema["$defs"], **field}).validate(example)


def test_the_right_kind_of_step_is_found_when_it_is_misspelt():
    assert all(nearest_word(word[:-1], STEP_WORDS) == word for word in STEP_WORDS)


def test_the_cases_of_the_guide_pass_with_the_rulebook_that_they_are_about(folder, run_test):
    guide = (ROOT / "docs" / "rulebook" / "testing.md").read_text(encoding="utf-8")
    cases = guide.partition("```yaml ecr-steward-test.yaml\n")[2].partition("```")[0]
    (folder / "ecr-steward.yaml").write_bytes(
        (ROOT / "docs" / "rulebook" / "example" / "ecr-steward.yaml").read_bytes()
    )
    (folder / "ecr-steward-test.yaml").write_text(cases, encoding="utf-8")

    done = run_test()

    assert (done.exit_code, done.stderr) == (0, "1 passed, 0 failed\n"), done.stdout
