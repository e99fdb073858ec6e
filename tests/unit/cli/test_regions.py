"""Regions that a rulebook names."""

import pytest

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.regions import known_regions
from ecr_steward_cli.rulebook_commands import read_rulebook
from tests.given.aws import session

PLACES = [
    "rules: [{name: a, match: {repositories: ['**'], regions: [REGION]}, final: true}]",
    "rules: [{name: a, match: {repositories: ['**']}, replicate: [{to: [{region: REGION}]}]}]",
    "registries: [{name: a, match: {regions: [REGION]}, account_settings: {blob_mounting: true}}]",
    "registries: [{name: a, replication: {rules: [{to: [{region: REGION}]}]}}]",
    "credentials: [{name: a, registries: [{region: REGION}], sinks: [{secretsmanager: ecr-steward/a}]}]",
    "profiles: [{name: b, replicate: [{to: [{region: REGION}]}]}]",
]


def findings(tmp_path, text: str):
    if not text.startswith("rules:"):
        text = f"rules: [{{name: z, match: {{repositories: ['**']}}, extends: [b], final: true}}]\n{text}"
        text = text if "profiles" in text else text.replace(" extends: [b],", "")
    (tmp_path / "r.yaml").write_text(f"version: 1\n{text}\n")
    return read_rulebook(tmp_path / "r.yaml")[2]


@pytest.mark.parametrize("text", PLACES)
def test_a_region_that_aws_does_not_have_is_found_wherever_it_stands(tmp_path, text):
    """use P13: ``regions`` and ``to: eu-wst-1`` were valid."""
    (wrong,) = findings(tmp_path, text.replace("REGION", "eu-wst-1"))

    assert (wrong.code, wrong.hint) == (Code.UNKNOWN_REGION, "did you mean `eu-west-1`?")
    assert wrong.line[wrong.place.column - 1 :].startswith("eu-wst-1")
    assert findings(tmp_path, text.replace("REGION", "eu-west-1")) == []


@pytest.mark.parametrize(("pattern", "is_known"), [("eu-*", True), ("*", True), ("us-gov-*", True), ("xx-*", False)])
def test_a_pattern_has_to_match_a_region(tmp_path, pattern, is_known):
    """use P13."""
    assert (findings(tmp_path, PLACES[0].replace("REGION", f'"{pattern}"')) == []) is is_known


def test_a_resource_tag_named_region_is_no_region(tmp_path):
    """use P13."""
    text = "rules: [{name: a, match: {repositories: ['**']}, repository: {resource_tags: {region: here}}}]"

    assert findings(tmp_path, text) == []


def test_the_regions_are_those_of_botocore():
    """use P13."""
    made = session()
    regions = {
        region
        for partition in made.get_available_partitions()
        for region in made.get_available_regions("ecr", partition)
    }

    assert regions <= known_regions()
    assert not [name for name in known_regions() if name.endswith("-global")]
