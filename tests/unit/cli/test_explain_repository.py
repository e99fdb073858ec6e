"""`ecr-steward explain REPOSITORY`: who decides what."""

import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
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
    scan = {each["section"]: each for each in explained("other", "--resource-tag", "tier=prod")[0]["decided"]}["scan"]
    assert scan["value"]["fail_on"] == {"severity": "HIGH"}
    assert scan["value"]["undefined"] == "fail"  # attacks M1: not written, and decides all the same
    assert sections["repository.scanning"] == {
        "section": "repository.scanning", "rule": "defaults", "mode": "observe", "value": "on_push", "in_vain": [],
    }  # fmt: skip


def test_resource_tags_are_heeded_when_they_are_given(explained):
    found, _ = explained("x/api", "--resource-tag", "tier=prod", "--resource-tag", "managed-by=terraform")

    assert found["rules"][0] == "prod"
    assert found["is_owned_by_code"]
    assert found["code_owns"] == ["settings"]
    assert {each["mode"] for each in found["decided"]} == {"observe"}


def test_the_final_rule_is_named_when_one_exempts_the_repository(run):
    ran = run("explain", "old/api", rulebook=RULEBOOK)

    assert ran.stdout.startswith("old/api: matched by exempt\n  `exempt` is final")
    assert "some rules match by resource tags" in ran.stderr


def test_an_empty_lifecycle_is_said_to_be_no_lifecycle_policy_when_it_decides(run):
    empty = "{name: audit, match: {repositories: [audit/**]}, repository: {lifecycle: []}}"
    below = "{name: all, match: {repositories: ['**']}, repository: {lifecycle: [{keep: {newest: 3}}]}}"

    ran = run("explain", "audit/log", rulebook=f"version: 1\nrules: [{empty}, {below}]\n")

    assert ran.stdout.endswith(
        "repository.lifecycle: rule audit, mode observe; all below says it in vain\n"
        "    []  # no lifecycle policy: no image expires\n"
    )


def test_it_is_a_finding_when_no_rule_matches(run):
    rulebook = "version: 1\nrules: [{name: a, match: {repositories: [team/**]}, image_tags: {deny: [latest]}}]\n"

    ran = run("explain", "other/api", rulebook=rulebook)

    assert (ran.returncode, ran.stdout) == (1, "other/api: no rule matches it, so it is left alone\n")


def test_an_account_is_asked_for_when_a_rule_names_accounts(run):
    rulebook = (
        "version: 1\nrules: [{name: a, match: {repositories: ['**'], accounts: ['111122223333']}, final: true}]\n"
    )

    ran = run("explain", "other/api", rulebook=rulebook)

    assert ran.returncode == 1
    assert "the rule `a` names accounts, so say whose repository is meant: --account" in ran.stderr


def test_the_page_about_copies_shows_what_the_command_prints_when_it_is_followed(run):
    page = (ROOT / "docs" / "rulebook" / "replicate.md").read_text(encoding="utf-8")
    first = page.partition("\n## ")[0]
    shown = dict(re.findall(r"^```(\w+)\n(.*?)^```$", first, re.MULTILINE | re.DOTALL))
    command = shown["console"].removeprefix("$ ecr-steward ")

    ran = run(*shlex.split(command), rulebook=shown["yaml"])

    assert ran.stdout.endswith(f"\n\n{shown['text']}"), ran.stdout


COPIED = """
version: 1
rules:
  - name: team
    match: {repositories: ["team-a/**"]}
    replicate: [{to: [{region: eu-west-1}, {repository: "copy/{name}"}]}]
registries:
  - name: production
    match: {accounts: ["111122223333"]}
    replication: {rules: [{to: [{region: eu-central-1}], repositories: [other/]}]}
"""


def test_what_nobody_said_of_a_repository_is_not_made_up_when_its_destinations_are_told(run):
    text, told = run("explain", "team-a/api", rulebook=COPIED), run("explain", "team-a/api", "--json", rulebook=COPIED)

    ways = json.loads(told.stdout)["ways"]
    assert "\n    team-a/api (eu-west-1): the steward, says team, mode observe\n" in text.stdout
    assert "\n    copy/team-a/api (the same registry): the steward, says team, mode observe\n" in text.stdout
    assert [way["to"] for way in ways] == [
        {"account": None, "region": "eu-west-1", "repository": "team-a/api"},
        {"account": None, "region": None, "repository": "copy/team-a/api"},
    ]
    assert "what ECR replicates depends on whose the repository is: --account says so" in text.stderr


def test_what_ecr_replicates_is_told_when_no_rule_matches_the_repository(run):
    ran = run("explain", "other/api", "--account", "111122223333", "--region", "us-east-1", rulebook=COPIED)

    assert ran.returncode == 1
    assert ran.stdout.startswith("other/api: no rule matches it, so it is left alone\n\nwhere its images go:\n")
    assert "    other/api (111122223333, eu-central-1): ECR itself, says production, mode observe\n" in ran.stdout


def test_where_images_go_beside_ecr_is_told_with_the_secret_that_holds_the_login(run):
    rulebook = """
version: 1
rules:
  - name: team
    match: {repositories: ["team-a/**"]}
    replicate: [{to: [{registry: ghcr.io, repository: "acme/{name}", login: ecr-steward/ghcr}]}]
"""

    text, told = (
        run("explain", "team-a/api", rulebook=rulebook),
        run("explain", "team-a/api", "--json", rulebook=rulebook),
    )

    assert "\n    ghcr.io/acme/team-a/api: the steward, says team, mode observe\n" in text.stdout
    assert "with the login in the secret ecr-steward/ghcr" in text.stdout
    (way,) = json.loads(told.stdout)["ways"]
    assert way["to"] == {"registry": "ghcr.io", "repository": "acme/team-a/api", "login": "ecr-steward/ghcr"}


def test_a_destination_of_an_impossible_name_is_shown_with_the_reason_beside_the_others(run):
    rulebook = """
version: 1
rules:
  - name: team
    match: {repositories: ["team-a/**"]}
    replicate: [{to: [{repository: "release/{name}"}, {region: eu-west-1}]}]
"""
    name = f"team-a/{'x' * 245}"

    text, told = run("explain", name, rulebook=rulebook), run("explain", name, "--json", rulebook=rulebook)

    assert (text.returncode, told.returncode) == (0, 0)
    assert re.search(
        r"\n    nowhere: [^\n]+ is not copied to `release/\{name\}`: [^\n]+ Choose a shorter name", text.stdout
    )
    found = json.loads(told.stdout)
    assert (len(found["ways"]), len(found["impossible"])) == (1, 1)


TO_ANOTHER_ACCOUNT = """
version: 1
rules:
  - name: prod
    match: {repositories: ["prod/**"], accounts: ["111122223333"]}
    mode: enforce
    image_tags: {deny: [latest]}
    repository: {scanning: on_push, mutability: {immutable: true}}
    replicate: [{to: [{account: "222233334444"}, {account: "222233334444", repository: "release/{name}"}]}]
  - name: own
    match: {repositories: ["release/prod/own"], accounts: ["222233334444"]}
    repository: {scanning: manual}
"""
THERE = ("--account", "222233334444", "--region", "us-east-1")


@pytest.mark.parametrize("name", ["prod/checkout/api", "release/prod/checkout/api"])
def test_a_copy_that_no_rule_matches_is_explained_with_the_settings_of_its_source(run, name):
    """use P9: "no rule matches it, so it is left alone", after the steward had put its settings on it."""
    text = run("explain", name, *THERE, rulebook=TO_ANOTHER_ACCOUNT)
    told = json.loads(run("explain", name, *THERE, "--json", rulebook=TO_ANOTHER_ACCOUNT).stdout)

    assert text.returncode == 0
    assert text.stdout.startswith(
        f"{name}: no rule matches it; it has the settings of its source 111122223333/prod/checkout/api: prod\n"
    )
    assert {each["section"]: each["mode"] for each in told["decided"]} == {
        "repository.mutability": "enforce",
        "repository.scanning": "enforce",
    }
    assert told["source"] == {"account": "111122223333", "region": None, "repository": "prod/checkout/api"}


def test_the_rule_of_a_copy_decides_when_there_is_one(run):
    """use P9."""
    told = json.loads(run("explain", "release/prod/own", *THERE, "--json", rulebook=TO_ANOTHER_ACCOUNT).stdout)

    assert (told["rules"], told["source"]) == (["own"], None)


def test_a_repository_of_the_source_s_name_in_an_account_without_copies_is_left_alone(run):
    """use P9."""
    ran = run("explain", "prod/api", "--account", "333344445555", "--region", "us-east-1", rulebook=TO_ANOTHER_ACCOUNT)

    assert (ran.returncode, ran.stdout) == (1, "prod/api: no rule matches it, so it is left alone\n")


def test_a_copy_by_ecr_itself_has_the_settings_of_its_source(run):
    """use P9."""
    native = """
version: 1
rules: [{name: a, match: {repositories: ["**"], regions: [us-east-1]}, repository: {scanning: on_push}}]
registries: [{name: b, match: {regions: [us-east-1]}, replication: {rules: [{to: [{region: eu-west-1}]}]}}]
"""
    ran = run("explain", "team/api", "--account", "1" * 12, "--region", "eu-west-1", rulebook=native)

    assert ran.stdout.startswith(
        "team/api: no rule matches it; it has the settings of its source us-east-1/team/api: a\n"
    )


def test_the_region_of_a_source_is_not_made_up_when_the_rulebook_names_none(run):
    """use P9."""
    rulebook = """
version: 1
rules:
  - name: a
    match: {repositories: ["team/**"]}
    repository: {scanning: on_push}
    replicate: [{to: [{region: eu-west-1, repository: "copy/{name}"}]}]
"""
    ran = run("explain", "copy/team/api", "--region", "eu-west-1", rulebook=rulebook)

    assert ran.stdout.startswith("copy/team/api: no rule matches it; it has the settings of its source team/api: a\n")
