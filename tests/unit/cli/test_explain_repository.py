"""`ecr-steward explain REPOSITORY`: who decides what."""

import json

import pytest

RULEBOOK = """
version: 1
infrastructure_code: {managed-by: [terraform]}
defaults:
  repository: {scanning: on_push}
profiles:
  - name: strict
    image_tags: {deny: [latest]}
rules:
  - name: team
    match: {repositories: ["team-a/**"]}
    mode: enforce
    extends: [strict]
    image_tags: {allow: [semver]}
  - name: exempt
    match: {repositories: ["old/**"]}
    final: true
  - name: prod
    match: {repositories: ["**"], resource_tags: {tier: prod}}
    scan: {fail_on: {severity: HIGH}}
  - name: everybody
    match: {repositories: ["**"]}
    image_tags: {deny: [nightly]}
"""


@pytest.fixture
def explained(run):
    """What the command prints about a repository as JSON, and its exit code."""

    def explain(*arguments):
        ran = run("explain", *arguments, "--json", rulebook=RULEBOOK)
        assert ran.stdout, ran.stderr
        return json.loads(ran.stdout), ran.returncode

    return explain


def test_each_section_is_told_with_the_rule_that_decides_it_and_those_that_are_not_heard(explained):
    found, code = explained("team-a/api")

    sections = {each["section"]: each for each in found["decided"]}
    assert (code, found["rules"]) == (0, ["team", "everybody", "defaults"])
    assert sections["image_tags"]["rule"] == "team"
    assert sections["image_tags"]["mode"] == "enforce"
    assert sections["image_tags"]["value"] == {"allow": ["semver"], "deny": ["latest"]}
    assert sections["image_tags"]["in_vain"] == ["everybody"]
    assert sections["repository.scanning"] == {
        "section": "repository.scanning", "rule": "defaults", "mode": "observe", "value": "on_push", "in_vain": [],
    }  # fmt: skip


def test_resource_tags_are_heeded_when_they_are_given(explained):
    found, _ = explained("x/api", "--resource-tag", "tier=prod", "--resource-tag", "managed-by=terraform")

    assert found["rules"][0] == "prod"
    assert found["is_owned_by_code"]
    assert {each["mode"] for each in found["decided"]} == {"observe"}


def test_the_final_rule_is_named_when_one_exempts_the_repository(run):
    ran = run("explain", "old/api", rulebook=RULEBOOK)

    assert ran.stdout.startswith("old/api: matched by exempt\n  `exempt` is final")
    assert "some rules match by resource tags" in ran.stderr


def test_it_is_a_finding_when_no_rule_matches(run):
    rulebook = "version: 1\nrules: [{name: a, match: {repositories: [team/**]}, image_tags: {deny: [latest]}}]\n"

    ran = run("explain", "other/api", rulebook=rulebook)

    assert (ran.returncode, ran.stdout) == (1, "other/api: no rule matches it, so it is left alone\n")


def test_an_account_is_asked_for_when_a_rule_names_accounts(run):
    rulebook = (
        "version: 1\nrules: [{name: a, match: {repositories: ['**'], accounts: ['111122223333']}, final: true}]\n"
    )

    ran = run("explain", "other/api", rulebook=rulebook)

    assert ran.returncode == 2
    assert "the rule `a` names accounts, so say whose repository is meant: --account" in ran.stderr
