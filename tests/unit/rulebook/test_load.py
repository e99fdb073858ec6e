"""The compiled file: what the build writes is what the functions read."""

import json
import subprocess
import sys
from datetime import date

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.load import dump_compiled, load_compiled
from ecr_steward.rulebook.validate import validate

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "rulebook.json"
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


def test_the_rules_are_those_of_the_rulebook_when_loaded(example, write):
    rulebook, _ = validate(example)

    loaded = load_compiled(write(dump_compiled(rulebook, "ecr-steward.yaml", b"source")))

    compiled = compile_rulebook(rulebook)
    assert loaded.rules[0].repository(API.registry) == compiled.rules[0].repository(API.registry)
    assert loaded.rules[0].replicate[0].to == compiled.rules[0].replicate[0].to
    assert loaded.rules[0].image_tags.aliases == compiled.rules[0].image_tags.aliases
    assert loaded.rules[1].scan == compiled.rules[1].scan
    assert loaded.rules[1].replicate == compiled.rules[1].replicate
    assert loaded.credentials == compiled.credentials
    assert [(waiver.finding, waiver.until) for waiver in loaded.waivers] == [("CVE-2026-12345", date(2027, 1, 31))]


def test_the_file_is_the_same_when_compiled_again(example):
    first, _ = validate(example)
    second, _ = validate(dict(reversed(example.items())))

    assert dump_compiled(first, "a.yaml", b"x") == dump_compiled(second, "a.yaml", b"x")


def test_the_file_says_its_source_when_read(example):
    rulebook, _ = validate(example)

    source = json.loads(dump_compiled(rulebook, "ecr-steward.yaml", b"source"))["source"]

    assert source == {
        "file": "ecr-steward.yaml",
        "sha256": "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "rulebook.json is no JSON: Expecting property name"),
        ("[" * 200_000, "rulebook.json is no JSON: "),
        ("[]", r"rulebook.json is no compiled rulebook of format 1 \(found 'list'\); build it again"),
        ('{"format": 2}', r"rulebook.json is no compiled rulebook of format 1 \(found 2\); build it again"),
        (
            '{"format": 1}',
            "rulebook.json does not validate, so nothing is enforced: ES103 rulebook: there is no value here",
        ),
        (
            '{"format": 1, "rulebook": {"version": 1, "rules": [{"nmae": "a", "match": {"repositories": ["**"]}}]}}',
            r"does not validate, so nothing is enforced: "
            r"ES101 rules\[0\].nmae: unknown key `nmae`; did you mean `name`\?",
        ),
    ],
)
def test_file_and_reason_are_told_when_a_compiled_rulebook_is_wrong(write, text, told):
    with pytest.raises(InvalidRulebookError, match=told):
        load_compiled(write(text))


def test_file_and_reason_are_told_when_there_is_no_file(tmp_path):
    with pytest.raises(InvalidRulebookError, match=r"nowhere.json cannot be read: No such file or directory"):
        load_compiled(tmp_path / "nowhere.json")


def test_no_tool_is_imported_when_a_function_loads_its_rulebook():
    code = "import sys, ecr_steward.rulebook.load; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert imported.isdisjoint({"ruamel", "typer", "rich", "wcmatch", "boto3", "ecr_steward_cli"})
    assert "pydantic" in imported
