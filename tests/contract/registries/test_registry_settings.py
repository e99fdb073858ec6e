"""The contract of ``RegistrySettingsStore``: every test runs on the fake and on the adapter."""

from dataclasses import replace

import pytest

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.statements import is_same_policy
from ecr_steward.domain.registries import CreationTemplate
from ecr_steward.domain.repositories import Encryption, Mutability, TagMutability
from ecr_steward.errors import RefusedByRegistryError
from ecr_steward.ports.registry_settings import RegistrySettingsStore

type Store = RegistrySettingsStore

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "EcrStewardReplicationFrom",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::222233334444:root"]},
            "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
            "Resource": "arn:aws:ecr:us-east-1:111122223333:repository/*",
        }
    ],
}
REPOSITORY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}
WHOLE = CreationTemplate(
    "team-a",
    frozenset({"REPLICATION", "CREATE_ON_PUSH"}),
    description="of the rulebook",
    mutability=TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"*-latest", "pr-*"})),
    policy=REPOSITORY_POLICY,
    lifecycle=LIFECYCLE,
    encryption=Encryption("KMS", "arn:aws:kms:us-east-1:111122223333:key/1234"),
    resource_tags={"managed-by": "ecr-steward", "tier": "prod"},
    role="arn:aws:iam::111122223333:role/ecr-steward-creation-template",
)


def templates(store: Store, registry: RegistryRef) -> dict[str, CreationTemplate]:
    return {template.key: template for template in store.creation_templates(registry)}


def test_a_registry_has_what_ecr_gives_it_when_nobody_has_set_anything(store: Store, here: RegistryRef) -> None:
    assert store.policy(here) is None
    assert store.scanning(here) == {"scanType": "BASIC", "rules": []}
    assert store.replication(here) == {"rules": []}
    assert templates(store, here) == {}
    assert store.account_setting(here, "BLOB_MOUNTING") == "DISABLED"
    assert store.account_setting(here, "REGISTRY_POLICY_SCOPE") == "V2"
    assert store.account_setting(here, "BASIC_SCAN_TYPE_VERSION") == "AWS_NATIVE"


def test_the_policy_says_the_same_when_it_was_put(store: Store, here: RegistryRef, there: RegistryRef) -> None:
    store.put_policy(here, POLICY)

    assert is_same_policy(store.policy(here), POLICY)
    assert store.policy(there) is None


def test_there_is_no_policy_when_it_was_deleted_once_or_twice(store: Store, here: RegistryRef) -> None:
    store.put_policy(here, POLICY)

    store.delete_policy(here)
    store.delete_policy(here)

    assert store.policy(here) is None


def test_a_policy_is_refused_when_it_says_nothing(store: Store, here: RegistryRef) -> None:
    with pytest.raises(RefusedByRegistryError):
        store.put_policy(here, {"Version": "2012-10-17", "Statement": []})

    assert store.policy(here) is None


def test_the_scanning_configuration_is_read_as_it_was_put(store: Store, here: RegistryRef) -> None:
    filters = [{"filter": "prod*", "filterType": "WILDCARD"}, {"filter": "team-a", "filterType": "WILDCARD"}]
    document = {"scanType": "BASIC", "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}]}

    store.put_scanning(here, document)

    assert store.scanning(here) == document


def test_the_replication_configuration_is_read_as_it_was_put(
    store: Store, here: RegistryRef, there: RegistryRef
) -> None:
    rule = {
        "destinations": [{"region": there.region, "registryId": there.account}],
        "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}],
        "deleteReplication": {"enabled": True},
    }

    store.put_replication(here, {"rules": [rule]})

    assert store.replication(here) == {"rules": [rule]}
    assert store.replication(there) == {"rules": []}


def test_a_replication_configuration_is_refused_when_it_leads_to_itself(store: Store, here: RegistryRef) -> None:
    rule = {"destinations": [{"region": here.region, "registryId": here.account}]}

    with pytest.raises(RefusedByRegistryError):
        store.put_replication(here, {"rules": [rule]})


def test_a_template_is_read_as_it_was_created_when_it_has_everything(store: Store, here: RegistryRef) -> None:
    store.create_template(here, WHOLE)

    assert templates(store, here) == {"team-a": WHOLE}


def test_a_template_has_the_defaults_of_ecr_when_it_was_created_without_settings(
    store: Store, here: RegistryRef
) -> None:
    store.create_template(here, CreationTemplate("ROOT", frozenset({"PULL_THROUGH_CACHE"})))

    found = templates(store, here)["ROOT"]
    assert found.applied_for == {"PULL_THROUGH_CACHE"}
    assert found.mutability == TagMutability(Mutability.MUTABLE)
    assert found.encryption == Encryption("AES256")
    assert (found.policy, found.lifecycle, found.role, dict(found.resource_tags)) == (None, None, None, {})


def test_every_template_is_listed_when_there_are_several_pages(store: Store, here: RegistryRef) -> None:
    for prefix in ("a", "b", "c", "d", "e"):
        store.create_template(here, CreationTemplate(prefix, frozenset({"REPLICATION"})))

    assert sorted(templates(store, here)) == ["a", "b", "c", "d", "e"]


def test_a_template_keeps_what_is_not_given_when_it_is_changed(store: Store, here: RegistryRef) -> None:
    store.create_template(here, WHOLE)
    mutability = TagMutability(Mutability.IMMUTABLE)

    store.update_template(here, CreationTemplate("team-a", frozenset({"REPLICATION"}), mutability=mutability))

    found = templates(store, here)["team-a"]
    assert (found.applied_for, found.mutability) == (frozenset({"REPLICATION"}), mutability)
    assert (found.policy, found.lifecycle, found.encryption) == (REPOSITORY_POLICY, LIFECYCLE, WHOLE.encryption)
    assert (found.resource_tags, found.role, found.description) == (WHOLE.resource_tags, WHOLE.role, WHOLE.description)


def test_a_template_loses_its_lifecycle_when_it_is_changed_to_one_without_rules(
    store: Store, here: RegistryRef
) -> None:
    store.create_template(here, WHOLE)

    store.update_template(here, CreationTemplate("team-a", WHOLE.applied_for, lifecycle={"rules": []}))

    assert templates(store, here) == {"team-a": replace(WHOLE, lifecycle=None)}


def test_a_template_is_refused_when_it_is_there_already(store: Store, here: RegistryRef) -> None:
    store.create_template(here, WHOLE)

    with pytest.raises(RefusedByRegistryError):
        store.create_template(here, WHOLE)


def test_a_change_is_refused_when_there_is_no_such_template(store: Store, here: RegistryRef) -> None:
    with pytest.raises(RefusedByRegistryError):
        store.update_template(here, WHOLE)


@pytest.mark.parametrize(("name", "value"), [("BLOB_MOUNTING", "ENABLED"), ("REGISTRY_POLICY_SCOPE", "V1")])
def test_an_account_setting_has_its_value_when_it_was_put(
    store: Store, here: RegistryRef, there: RegistryRef, name: str, value: str
) -> None:
    store.put_account_setting(here, name, value)

    assert store.account_setting(here, name) == value
    assert store.account_setting(there, name) != value
