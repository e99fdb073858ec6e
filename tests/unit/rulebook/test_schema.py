"""The JSON Schema that editors use: committed, complete, and of one mind with the models."""

import json
from pathlib import Path

import jsonschema
import pytest

from ecr_steward.rulebook.schema import rulebook_schema
from ecr_steward.rulebook.validate import validate

RULEBOOK_LAYER = Path(__file__).parents[3] / "layers" / "rulebook"


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(rulebook_schema())


def test_the_committed_schema_is_the_models_when_compared():
    committed = json.loads((RULEBOOK_LAYER / "ecr-steward.schema.json").read_text(encoding="utf-8"))

    assert committed == rulebook_schema(), "run: ecr-steward schema > layers/rulebook/ecr-steward.schema.json"


def test_editors_find_the_schema_when_they_open_a_rulebook_of_ours(example_file):
    for rulebook in (example_file, RULEBOOK_LAYER / "ecr-steward.yaml"):
        first_line = rulebook.read_text(encoding="utf-8").splitlines()[0]
        schema = first_line.removeprefix("# yaml-language-server: $schema=")
        assert (rulebook.parent / schema).resolve() == RULEBOOK_LAYER / "ecr-steward.schema.json"


def test_every_key_is_described_with_an_example_when_an_editor_hovers():
    schema = rulebook_schema()
    models = {"Rulebook": schema, **schema["$defs"]}
    keys = {(name, key): field for name, model in models.items() for key, field in model.get("properties", {}).items()}

    assert len(keys) > 30
    assert [place for place, field in keys.items() if not field.get("description") or not field.get("examples")] == []


def test_every_example_is_valid_when_it_stands_where_it_is_shown():
    schema = rulebook_schema()
    for model in [schema, *schema["$defs"].values()]:
        for field in model.get("properties", {}).values():
            for example in field["examples"]:
                part = {"$defs": schema["$defs"], **field}
                jsonschema.Draft202012Validator(part).validate(example)


def test_the_example_fits_the_schema_when_validated(validator, example):
    validator.validate(example)


@pytest.mark.parametrize(
    "keys",
    [
        {"mode": "enforced"},
        {"nmae": "x"},
        {"image_tags": None},
        {"image_tags": {"deny": ["a b"]}},
        {"image_tags": {"deny": [{"regexx": "a"}]}},
        {"match": {"repositories": "**"}},
        {"match": {"repositories": []}},
        {"match": {"repositories": ["Team"]}},
        {"match": {"repositories": ["**"], "accounts": [111122223333]}},
        {"repository": {"policy": {"pull": ["everybody"]}}},
        {"repository": {"lifecycle": [{}]}},
        {"repository": {"lifecycle": [{"expire": {"after": 14}}]}},
        {"repository": {"lifecycle": [{"keep": {"newest": 1}, "expire": {"after": "1d"}}]}},
        {"repository": {"mutability": {"immutable": "yes"}}},
        {"repository": {"mutability": {"immutable": True, "except": list("abcdef")}}},
        {"repository": {"mutability": {"immutable": True, "except": ["*-rc.*.*"]}}},
        {"repository": {"scanning": "off"}},
        {"repository": {"resource_tags": {"a": 1}}},
        {"replicate": [{"to": []}]},
        {"replicate": [{"to": [{"account": 222233334444}]}]},
        {"scan": {}},
        {"scan": {"fail_on": {"severity": "high"}}},
        {"scan": {"fail_on": {"severity": "HIGH"}, "unscannable": "ignore"}},
        {"scan": {"fail_on": {"severity": "HIGH"}}, "replicate": [{"to": [{"region": "eu-west-1"}], "when": ["scan"]}]},
    ],
)
def test_schema_and_models_refuse_the_same_when_a_rule_is_wrong(validator, with_rule, keys):
    data = with_rule(**keys)

    assert not validator.is_valid(data)
    assert validate(data)[0] is None


@pytest.mark.parametrize(
    "keys",
    [
        {"finding": "openssl 3.0"},
        {"finding": ""},
        {"repositories": []},
        {"until": "31.01.2027"},
        {"until": 2027},
        {"reason": None},
        {"reason": "  "},
        {"reason": "x" * 501},
        {"expires": "2027-01-31"},
    ],
)
def test_schema_and_models_refuse_the_same_when_a_waiver_is_wrong(validator, with_waiver, keys):
    data = with_waiver(**keys)

    assert not validator.is_valid(data)
    assert validate(data)[0] is None


@pytest.mark.parametrize(
    "keys",
    [
        {"name": "On Prem"},
        {"role": "arn:aws:iam::111122223333:role/reader"},
        {"role": "admin"},
        {"role": "pul-only"},
        {"role": "ecr-steward-pull-only".ljust(65, "x")},
        {"registries": []},
        {"registries": [{"account": 222233334444}]},
        {"registries": [{"host": "example.com"}]},
        {"sinks": [{"secretsmanager": "on-prem"}]},
        {"sinks": [{"secretsmanager": "ecr-steward/"}]},
        {"sinks": [{"secretsmanager": "ecr-steward/a", "format": "json"}]},
    ],
)
def test_schema_and_models_refuse_the_same_when_a_credential_is_wrong(validator, with_credential, keys):
    data = with_credential(**keys)

    assert not validator.is_valid(data)
    assert validate(data)[0] is None
