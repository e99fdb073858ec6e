"""The key ``registries``: what its words mean for a registry."""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import CreationTemplate, NativeReplication, WantedScanning, WantedSettings
from ecr_steward.domain.registry_rules import governing_registry
from ecr_steward.domain.repositories import Encryption, Mutability, TagMutability
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

HERE = RegistryRef("111122223333", "eu-west-1")
ALL_OF = "arn:aws:ecr:eu-west-1:111122223333:repository/*"

type Build = Callable[..., dict[str, Any]]


def compiled(data: dict[str, Any]) -> Rules:
    rulebook, problems = validate(data)
    assert rulebook is not None, problems
    return compile_rulebook(rulebook)


def wanted(data: dict[str, Any], registry: RegistryRef = HERE) -> WantedSettings:
    (rule,) = compiled(data).registries
    return rule.wanted(registry)


def test_nothing_is_wanted_when_an_entry_does_not_say_it(with_registries: Build) -> None:
    found = wanted(with_registries({"account_settings": {"blob_mounting": True}}))

    assert found == WantedSettings(account_settings={"BLOB_MOUNTING": "ENABLED"})


def test_every_account_setting_has_ecrs_name_when_it_is_said(with_registries: Build) -> None:
    said = {"blob_mounting": False, "basic_scan_version": "AWS_NATIVE", "registry_policy_scope": "V2"}

    assert wanted(with_registries({"account_settings": said})).account_settings == {
        "BLOB_MOUNTING": "DISABLED",
        "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE",
        "REGISTRY_POLICY_SCOPE": "V2",
    }


def test_the_policy_says_who_may_replicate_and_fetch_when_short_words_name_them(with_registries: Build) -> None:
    policy = {"replication_from": ["222233334444"], "pull_through_cache": ["role/ci"], "foreign": "remove"}

    found = wanted(with_registries({"policy": policy})).policy

    assert found is not None
    assert not found.keeps_foreign
    assert found.statements == (
        {
            "Sid": "EcrStewardReplicationFrom",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::222233334444:root"]},
            "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
            "Resource": ALL_OF,
        },
        {
            "Sid": "EcrStewardPullThroughCache",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci"]},
            "Action": ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
            "Resource": ALL_OF,
        },
    )


def test_a_statement_has_the_rulebooks_sid_and_a_resource_when_it_says_neither(with_registries: Build) -> None:
    bare = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    named = {**bare, "Sid": "Pull", "Resource": f"{ALL_OF[:-1]}prod/*"}

    found = wanted(with_registries({"policy": {"statements": [bare, named]}})).policy

    assert found is not None
    assert found.statements == (
        {**bare, "Sid": "EcrStewardStatement1", "Resource": ALL_OF},
        {**named, "Sid": "EcrStewardPull"},
    )
    assert found.keeps_foreign


def test_the_scanning_configuration_has_ecrs_words_when_it_is_said(with_registries: Build) -> None:
    rules = [
        {"frequency": "continuous", "repositories": ["prod*"]},
        {"frequency": "on_push", "repositories": ["*"]},
    ]

    found = wanted(with_registries({"scanning": {"type": "enhanced", "rules": rules}})).scanning

    frequencies = {"CONTINUOUS_SCAN": frozenset({"prod*"}), "SCAN_ON_PUSH": frozenset({"*"})}
    assert found == WantedScanning("ENHANCED", frequencies)


def test_a_registry_is_left_out_of_its_own_destinations_when_one_list_serves_a_mesh(with_registries: Build) -> None:
    to = [{"region": "eu-west-1"}, {"region": "us-east-1"}, {"account": "222233334444", "region": "eu-west-1"}]
    data = with_registries({"replication": {"rules": [{"to": to, "repositories": ["prod/"], "deletes": True}]}})

    found = wanted(data).replication

    elsewhere = frozenset({RegistryRef("111122223333", "us-east-1"), RegistryRef("222233334444", "eu-west-1")})
    assert found is not None
    assert found.rules == (NativeReplication(frozenset({"prod/"}), elsewhere, deletes=True),)


@pytest.mark.parametrize(("said", "backfill"), [({}, False), ({"backfill": False}, False), ({"backfill": True}, True)])
def test_what_was_there_before_is_brought_only_when_the_rulebook_says_so(
    with_registries: Build, said: dict[str, bool], backfill: bool
) -> None:
    data = with_registries({"replication": {"rules": [{"to": [{"region": "us-east-1"}]}], **said}})

    found = wanted(data).replication

    assert found is not None
    assert found.backfill is backfill


def test_no_rule_is_left_when_all_destinations_are_the_registry_itself(with_registries: Build) -> None:
    data = with_registries({"replication": {"rules": [{"to": [{"region": "eu-west-1"}]}]}})

    found = wanted(data).replication

    assert found is not None
    assert (found.rules, found.keeps_foreign) == ((), True)


def test_a_template_lets_ecr_expire_nothing_that_its_rule_protects(with_registries: Build) -> None:
    template = {"prefix": "team-a", "applied_for": ["create_on_push"], "settings_of": "services"}
    data = with_registries({"creation_templates": [template]})
    data["rules"][0]["repository"] = {"lifecycle": [{"expire": {"after": "30d"}}]}
    (before,) = wanted(data).creation_templates or ()
    data["rules"][0]["image_tags"] = {"protect": ["golden-*"]}
    (after,) = wanted(data).creation_templates or ()

    assert before.lifecycle is not None
    assert before.lifecycle["rules"]
    assert after.lifecycle == {"rules": []}  # the sweep expires what is not protected


def test_a_template_has_no_lifecycle_policy_when_its_own_is_empty(with_registries: Build) -> None:
    template = {"prefix": "team-a", "applied_for": ["create_on_push"], "settings_of": "services", "lifecycle": []}
    data = with_registries({"creation_templates": [template]})
    data["rules"][0]["repository"] = {"lifecycle": [{"expire": {"after": "30d"}}]}

    (found,) = wanted(data).creation_templates or ()

    assert found.lifecycle == {"rules": []}


def test_a_template_has_the_settings_of_its_rule_when_it_names_one(with_registries: Build) -> None:
    template = {
        "prefix": "ROOT",
        "applied_for": ["create_on_push", "replication"],
        "settings_of": "services",
        "mutability": {"immutable": False},
        "resource_tags": {"made-by": "ecr"},
        "encryption": {"type": "kms"},
        "role": "ecr-steward-creation-template",
    }
    defaults = {"repository": {"resource_tags": {"managed-by": "ecr-steward"}}}

    (found,) = wanted(with_registries({"creation_templates": [template]}, defaults=defaults)).creation_templates or ()

    statement = found.policy["Statement"][0] if found.policy else {}
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::111122223333:root"]}
    assert found == CreationTemplate(
        "ROOT",
        frozenset({"CREATE_ON_PUSH", "REPLICATION"}),
        mutability=TagMutability(Mutability.MUTABLE),
        policy=found.policy,
        encryption=Encryption("KMS"),
        resource_tags={"managed-by": "ecr-steward", "made-by": "ecr"},
        role="arn:aws:iam::111122223333:role/ecr-steward-creation-template",
    )


def test_the_partition_is_that_of_the_region_when_a_registry_is_in_another_one(with_registries: Build) -> None:
    data = with_registries({"policy": {"replication_from": ["222233334444"]}})

    found = wanted(data, RegistryRef("111122223333", "cn-north-1")).policy

    assert found is not None
    assert found.statements[0]["Resource"] == "arn:aws-cn:ecr:cn-north-1:111122223333:repository/*"


def test_each_key_is_the_first_entrys_that_says_it_when_several_match(with_registries: Build) -> None:
    europe = {"name": "europe", "match": {"regions": ["eu-*"]}, "account_settings": {"blob_mounting": True}}
    everywhere = {
        "mode": "enforce",
        "account_settings": {"blob_mounting": False},
        "scanning": {"type": "basic", "rules": []},
    }
    rules = compiled(with_registries(europe, everywhere))

    here = list(governing_registry(rules.registries, HERE))
    there = list(governing_registry(rules.registries, RegistryRef(HERE.account, "us-east-1")))

    assert [(one.name, one.mode, one.wanted.parts) for one in here] == [
        ("europe", Mode.OBSERVE, ("account_settings",)),
        ("all", Mode.ENFORCE, ("scanning",)),
    ]
    assert [(one.name, one.wanted.parts) for one in there] == [("all", ("account_settings", "scanning"))]
