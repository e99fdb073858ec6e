"""Account settings and the registry policy through the API."""

import json

import pytest
from botocore.exceptions import ClientError


def registry_policy(*actions, **members):
    statement = {"Sid": "guests", "Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Resource": "*", **members}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Action": list(actions)}]})


def test_a_new_registry_has_the_settings_that_ecr_gives_it(ecr):
    names = ("BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE", "BLOB_MOUNTING")
    assert [ecr.get_account_setting(name=name)["value"] for name in names] == ["AWS_NATIVE", "V2", "DISABLED"]


def test_a_setting_is_of_one_region_and_leaves_the_others_alone(stand, ecr):
    ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")

    assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    abroad = stand.client("eu-west-1")
    assert abroad.get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"
    assert abroad.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BLOB_MOUNTING", "enabled"),
        ("BLOB_MOUNTING", ""),
        ("BASIC_SCAN_TYPE_VERSION", "CLAIR"),
        ("REGISTRY_POLICY_SCOPE", "V3"),
        ("SCAN", "V1"),
    ],
)
def test_a_setting_is_refused_when_name_or_value_are_unknown(ecr, name, value):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_account_setting(name=name, value=value)
    if name == "SCAN":
        with pytest.raises(ClientError, match="InvalidParameterException"):
            ecr.get_account_setting(name=name)
    else:
        assert ecr.get_account_setting(name=name)["value"] in {"DISABLED", "AWS_NATIVE", "V2"}


def test_a_registry_policy_lives_from_put_to_delete(stand, ecr):
    ecr.put_registry_policy(policyText=registry_policy("ecr:ReplicateImage"))
    ecr.put_registry_policy(policyText=registry_policy("ecr:BatchGetImage"))

    read = ecr.get_registry_policy()

    assert read["registryId"] == "111122223333"
    assert json.loads(read["policyText"]) == json.loads(registry_policy("ecr:BatchGetImage"))
    with pytest.raises(ClientError, match="RegistryPolicyNotFoundException"):
        stand.client("eu-west-1").get_registry_policy()
    deleted = ecr.delete_registry_policy()
    assert deleted["policyText"] == read["policyText"]
    for operation in (ecr.get_registry_policy, ecr.delete_registry_policy):
        with pytest.raises(ClientError, match="RegistryPolicyNotFoundException"):
            operation()


@pytest.mark.parametrize("text", ["", "{}", registry_policy("s3:GetObject"), " " * 10_241])
def test_a_registry_policy_is_refused_when_it_is_none(ecr, text):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_registry_policy(policyText=text)


def test_a_registry_policy_is_refused_when_its_scope_has_not_the_action(ecr):
    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    with pytest.raises(ClientError, match="Invalid registry policy provided"):
        ecr.put_registry_policy(policyText=registry_policy("ecr:BatchGetImage"))
    ecr.put_registry_policy(policyText=registry_policy("ecr:ReplicateImage", "ecr:CreateRepository"))


def test_another_account_is_let_in_when_the_registry_policy_says_so(stand, ecr):
    ecr.create_repository(repositoryName="team/app")
    guest = stand.client(account="444455556666")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        guest.list_images(registryId="111122223333", repositoryName="team/app")

    ecr.put_registry_policy(policyText=registry_policy("ecr:ListImages"))

    assert guest.list_images(registryId="111122223333", repositoryName="team/app")["imageIds"] == []
