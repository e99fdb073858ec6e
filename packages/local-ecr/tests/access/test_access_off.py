"""Access switched off: whoever is known may everything, and who is not known is the account itself."""

import base64
import subprocess
import sys

import boto3
import pytest
import urllib3

from local_ecr import Principal
from local_ecr.principals import DEFAULT_ACCOUNT

SESSION = "arn:aws:sts::444455556666:assumed-role/ci/run-1"
DENY_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}]}'


@pytest.fixture
def stand(make_stand):
    """A server with access off, whose only caller is a session without a single policy."""
    return make_stand(
        authorize=False, principal_of=lambda credential: Principal("444455556666", SESSION, credential.access_key_id)
    )


def test_everybody_may_everything_in_every_account(stand):
    client = stand.client()
    client.create_repository(registryId="111122223333", repositoryName="team/app")
    asked = {"registryId": "111122223333", "repositoryName": "team/app"}
    client.set_repository_policy(policyText=DENY_ALL, force=True, **asked)
    assert client.list_images(**asked)["imageIds"] == []
    decision = stand.ecr.decisions.entries()[-1]
    assert (decision.principal, decision.is_allowed, decision.by) == (SESSION, True, "access is off")
    assert str(decision).endswith("(api) by access is off")


def test_a_token_still_says_who_calls(stand):
    stand.client().create_repository(registryId="111122223333", repositoryName="team/app")
    assert stand.distribution().push_image("one", "1.0")
    assert stand.ecr.decisions.entries()[-1].principal == SESSION


@pytest.mark.parametrize("token", ["", base64.b64encode(b"AWS:forged").decode(), base64.b64encode(b"me:x").decode()])
def test_a_request_without_a_good_token_is_the_root_of_the_registrys_account(stand, token):
    stand.client().create_repository(registryId="111122223333", repositoryName="team/app")
    team_app = stand.distribution()
    team_app.token = token
    digest = team_app.push_image("one", "1.0")
    assert team_app.send("GET", "manifests/1.0").headers["Docker-Content-Digest"] == digest
    assert stand.ecr.decisions.entries()[-1].principal == "arn:aws:iam::111122223333:root"


def test_the_port_of_all_registries_means_the_default_accounts_when_nobody_says_who_calls(stand):
    stand.client().create_repository(registryId=DEFAULT_ACCOUNT, repositoryName="team/app")
    http = urllib3.PoolManager(retries=False, timeout=20)
    assert http.request("GET", f"{stand.server.endpoint_url}/v2/team/app/tags/list").json()["name"] == "team/app"


@pytest.mark.slow
def test_the_command_switches_access_off_and_knows_the_identities_of_its_file(tmp_path):
    file = tmp_path / "identities.json"
    file.write_text('{"accounts": {"111122223333": {"users": {"jo": {"access_keys": ["AKIAJO"]}}}}}')
    command = [sys.executable, "-m", "local_ecr", "--access", "off", "--identities", str(file), "--decisions"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        endpoint = process.stdout.readline().split()[-1]
        registry = process.stdout.readline().split()[-1]
        client = boto3.client(
            "ecr",
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id="AKIAJO",
            aws_secret_access_key="not-verified",
        )
        client.create_repository(repositoryName="team/app")
        answer = urllib3.request("GET", f"{registry}/v2/team/app/tags/list", retries=False, timeout=20)
        assert (answer.status, answer.json()["name"]) == (200, "team/app")
    finally:
        process.terminate()
        _, told = process.communicate(timeout=20)
    created, listed = told.splitlines()
    assert created.startswith("allowed arn:aws:iam::111122223333:user/jo ecr:CreateRepository ")
    assert listed.startswith("allowed arn:aws:iam::111122223333:root ecr:ListImages ")


def test_the_json_api_still_wants_a_signature_which_says_the_region(stand):
    target = {"X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"}
    answer = urllib3.request("POST", stand.server.endpoint_url, body=b"{}", headers=target, retries=False, timeout=20)
    assert answer.json()["__type"] == "MissingAuthenticationTokenException"
