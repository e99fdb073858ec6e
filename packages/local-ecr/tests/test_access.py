"""The one gate of both faces: what every request asks of it."""

from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from local_ecr import Credential, Policy, Principal

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SESSION = "arn:aws:sts::111122223333:assumed-role/ci/run-1"


@pytest.fixture
def make_denied_stand(make_stand):
    """A server for a session of a role that may do everything but these actions."""

    def make(*actions):
        statements = [EVERYTHING, {"Effect": "Deny", "Action": list(actions), "Resource": "*"}]
        policy = Policy("All but", {"Version": "2012-10-17", "Statement": statements})
        return make_stand(
            principal_of=lambda credential: Principal("111122223333", SESSION, credential.access_key_id),
            identities=lambda principal: [policy],
        )

    return make


@pytest.fixture
def asked(stand):
    """What the gate was asked, in order, each once."""
    return lambda: list(dict.fromkeys((one.action, one.resource) for one in stand.ecr.decisions.entries()))


def test_every_request_of_both_faces_passes_the_gate(make_denied_stand):
    stand = make_denied_stand("ecr:PutImage", "ecr:SetRepositoryPolicy")
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    refused = team_app.push_manifest("1.0", team_app.image("one"))
    with pytest.raises(ClientError, match="AccessDenied"):
        stand.client().set_repository_policy(repositoryName="team/app", policyText="{}")

    assert (refused.status, refused.json()["errors"][0]["code"]) == (403, "DENIED")
    arn = "arn:aws:ecr:us-east-1:111122223333:repository/team/app"
    decisions = stand.ecr.decisions.entries()
    assert {(one.face, one.action, one.resource, one.is_allowed) for one in decisions} == {
        ("api", "ecr:CreateRepository", arn, True),
        ("api", "ecr:GetAuthorizationToken", "*", True),
        ("/v2/", "ecr:InitiateLayerUpload", arn, True),
        ("/v2/", "ecr:UploadLayerPart", arn, True),
        ("/v2/", "ecr:CompleteLayerUpload", arn, True),
        ("/v2/", "ecr:PutImage", arn, False),
        ("api", "ecr:SetRepositoryPolicy", arn, False),
    }
    assert {one.principal for one in decisions} == {SESSION}


REPOSITORIES = "arn:aws:ecr:us-east-1:111122223333:repository/"


@pytest.mark.parametrize(
    ("operation", "call_input", "expected"),
    [
        ("get_authorization_token", {}, [("GetAuthorizationToken", "*")]),
        ("describe_registry", {}, [("DescribeRegistry", "*")]),
        ("describe_repositories", {}, [("DescribeRepositories", f"{REPOSITORIES}*")]),
        (
            "describe_repositories",
            {"repositoryNames": ["team/one", "team/two"]},
            [("DescribeRepositories", f"{REPOSITORIES}team/one"), ("DescribeRepositories", f"{REPOSITORIES}team/two")],
        ),
        (
            "describe_repositories",
            {"registryId": "444455556666"},
            [("DescribeRepositories", "arn:aws:ecr:us-east-1:444455556666:repository/*")],
        ),
        ("list_images", {"repositoryName": "team/one"}, [("ListImages", f"{REPOSITORIES}team/one")]),
        (
            "list_image_referrers",
            {"repositoryName": "team/one", "subjectId": {"imageDigest": f"sha256:{'0' * 64}"}},
            [("BatchGetImage", f"{REPOSITORIES}team/one")],
        ),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{REPOSITORIES}team/one"},
            [("ListTagsForResource", f"{REPOSITORIES}team/one")],
        ),
        ("create_repository", {"repositoryName": "team/one"}, [("CreateRepository", f"{REPOSITORIES}team/one")]),
        (
            "create_repository",
            {"repositoryName": "team/one", "tags": [{"Key": "owner", "Value": "team"}]},
            [("CreateRepository", f"{REPOSITORIES}team/one"), ("TagResource", f"{REPOSITORIES}team/one")],
        ),
    ],
)
def test_an_operation_asks_for_its_action_on_each_repository_that_it_is_about(
    stand, asked, operation, call_input, expected
):
    with suppress(ClientError):  # the repositories are not there; the gate comes before that
        getattr(stand.client(), operation)(**call_input)
    assert asked() == [(f"ecr:{action}", resource) for action, resource in expected]


def test_the_catalog_asks_for_all_repositories_of_the_registry(stand, asked):
    assert stand.distribution().send("GET", "/v2/_catalog").status == 200
    assert asked()[-1] == ("ecr:DescribeRepositories", f"{REPOSITORIES}*")


@pytest.mark.parametrize("refused", ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"])
def test_a_blob_is_not_taken_at_once_when_a_step_of_its_upload_is_denied(make_denied_stand, refused):
    stand = make_denied_stand(refused)
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    digest = team_app.digest_of(b"hello")
    assert team_app.send("POST", f"blobs/uploads/?digest={digest}", body=b"hello").status == 403
    assert team_app.send("HEAD", f"blobs/{digest}").status == 404
    assert not [path for path in stand.data.glob("*/*/*/*") if path.is_file()], "bytes of a refused request were kept"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_upload_of_ones_own_asks_for_the_right_to_send_parts(stand, asked, method):
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    assert team_app.send(method, location).status < 300
    assert asked()[-1] == ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app")


def test_the_end_of_an_upload_asks_for_the_right_to_send_parts_when_it_brings_bytes(stand, asked):
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    digest = team_app.digest_of(b"")
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    assert team_app.send("PUT", f"{location}?digest={digest}").status == 400  # ECR takes no empty layer
    assert ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app") not in asked()
    team_app.push_blob(b"hello")
    assert ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app") in asked()


def test_the_principal_is_whom_the_credential_is_mapped_to(make_stand):
    def role_session(credential: Credential) -> Principal:
        return Principal("444455556666", "arn:aws:sts::444455556666:assumed-role/ci/run-1", credential.access_key_id)

    everything = Policy("All", {"Version": "2012-10-17", "Statement": [EVERYTHING]})
    stand = make_stand(principal_of=role_session, identities=lambda principal: [everything])
    created = stand.client().create_repository(repositoryName="team/app")["repository"]
    assert created["registryId"] == "444455556666"
    identity = stand.api_calls()[0]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == "arn:aws:sts::444455556666:assumed-role/ci/run-1"
    assert identity["principalId"].endswith(":run-1")
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == "arn:aws:iam::444455556666:role/ci"
