"""A push to a repository that is not there."""

import json

import pytest
from botocore.exceptions import ClientError

from local_ecr import Quirks

TEMPLATES_ROLE = "arn:aws:iam::111122223333:role/aws-service-role/ecr.amazonaws.com/AWSServiceRoleForECRTemplate"
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}


def allow(*actions):
    statement = {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": list(actions)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(ecr, prefix="team", **members):
    ecr.create_repository_creation_template(**{"prefix": prefix, "appliedFor": ["CREATE_ON_PUSH"], **members})


def creations(stand):
    return [call for call in stand.api_calls() if call["eventName"] == "CreateRepository"]


def names(ecr):
    return [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]


def test_a_push_makes_the_repository_by_the_template_that_is_for_it(stand, ecr):
    create(ecr, imageTagMutability="MUTABLE")
    create(
        ecr,
        "team/app",
        imageTagMutability="IMMUTABLE",
        resourceTags=[{"Key": "team", "Value": "a"}],
        repositoryPolicy=allow("ecr:BatchGetImage"),
        lifecyclePolicy=json.dumps(LIFECYCLE),
        customRoleArn="arn:aws:iam::111122223333:role/build/creator",
    )

    digest = stand.distribution(repository_name="team/app/api").push_image("one", "1.0")

    [made] = ecr.describe_repositories()["repositories"]
    assert (made["repositoryName"], made["imageTagMutability"]) == ("team/app/api", "IMMUTABLE")
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "team", "Value": "a"}]
    assert "444455556666" in ecr.get_repository_policy(repositoryName="team/app/api")["policyText"]
    lifecycle = ecr.get_lifecycle_policy(repositoryName="team/app/api")["lifecyclePolicyText"]
    assert json.loads(lifecycle) == LIFECYCLE
    found = ecr.describe_images(repositoryName="team/app/api")["imageDetails"]
    assert [(one["imageDigest"], one["imageTags"]) for one in found] == [(digest, ["1.0"])]


def test_a_whole_blob_in_one_request_makes_the_repository_too(stand, ecr):
    create(ecr, "ROOT")
    face = stand.distribution(repository_name="app")
    digest = face.digest_of(b"bits")
    assert face.send("POST", f"blobs/uploads/?digest={digest}", body=b"bits").status == 201
    assert names(ecr) == ["app"]


def test_a_manifest_makes_the_repository_before_it_is_refused_for_its_layers(stand, ecr):
    create(ecr)
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}
    document = {"schemaVersion": 2, "config": blob, "layers": []}
    assert stand.distribution(repository_name="team/app").push_manifest("1.0", document).status != 404
    assert names(ecr) == ["team/app"]


@pytest.mark.parametrize(
    ("prefix", "members"),
    [
        ("other", {}),
        ("team/app", {}),
        ("team", {"appliedFor": ["REPLICATION", "PULL_THROUGH_CACHE"]}),
    ],
)
def test_a_push_is_refused_when_no_template_is_for_it(stand, ecr, prefix, members):
    create(ecr, prefix, **members)
    face = stand.distribution(repository_name="team/app")
    for refused in (face.send("POST", "blobs/uploads/"), face.push_manifest("1.0", {"schemaVersion": 2})):
        assert refused.status in {400, 404}
    assert face.send("POST", "blobs/uploads/").json()["errors"][0]["code"] == "NAME_UNKNOWN"
    assert names(ecr) == []


def test_only_a_push_makes_a_repository(stand, ecr):
    create(ecr)
    face = stand.distribution(repository_name="team/app")
    for method, path in (
        ("GET", "manifests/1.0"),
        ("HEAD", f"blobs/sha256:{'0' * 64}"),
        ("GET", "tags/list"),
        ("DELETE", "manifests/1.0"),
        ("PATCH", "blobs/uploads/nothing"),
    ):
        assert face.send(method, path).status == 404, f"{method} {path}"
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.initiate_layer_upload(repositoryName="team/app")
    assert names(ecr) == []


@pytest.mark.parametrize(
    ("members", "action"),
    [
        ({"resourceTags": [{"Key": "team", "Value": "a"}]}, "ecr:TagResource"),
        ({"encryptionConfiguration": {"encryptionType": "KMS"}}, "kms:CreateGrant"),
    ],
)
def test_a_push_is_refused_when_the_template_lacks_the_role_that_it_needs(stand, ecr, members, action):
    create(ecr, **members)

    refused = stand.distribution(repository_name="team/app").send("POST", "blobs/uploads/")

    assert (refused.status, names(ecr)) == (404, [])
    [told] = creations(stand)
    assert told["errorCode"] == "AccessDenied"
    assert f"is not authorized to perform: {action}" in told["errorMessage"]
    ecr.update_repository_creation_template(prefix="team", customRoleArn="arn:aws:iam::111122223333:role/creator")
    assert stand.distribution(repository_name="team/app").send("POST", "blobs/uploads/").status == 202


def test_the_trail_tells_that_ecrs_own_role_made_the_repository(stand, ecr):
    create(ecr, imageTagMutability="IMMUTABLE")
    stand.distribution(repository_name="team/app").push_image("one", "1.0")

    [told] = creations(stand)
    identity = told["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["invokedBy"] == told["sourceIPAddress"] == "ecr.amazonaws.com"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == TEMPLATES_ROLE
    assert told["requestParameters"]["repositoryName"] == "team/app"
    assert told["requestParameters"]["imageTagMutability"] == "IMMUTABLE"
    assert told["responseElements"]["repository"]["repositoryName"] == "team/app"


def test_the_trail_tells_the_role_that_the_template_names(stand, ecr):
    role = "arn:aws:iam::111122223333:role/build/creator"
    create(ecr, customRoleArn=role)
    stand.distribution(repository_name="team/app").push_image("one", "1.0")
    [told] = creations(stand)
    assert told["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == role


def test_nothing_is_told_when_there_is_no_trail(stand, ecr):
    create(ecr)
    stand.ecr.trail = False
    stand.distribution(repository_name="team/app").push_image("one", "1.0")
    assert creations(stand) == []


def guest(stand):
    """Another account at team/app of ours."""
    face = stand.distribution(repository_name="team/app")
    face.token = stand.token(account="444455556666")
    return face


def test_another_account_pushes_when_the_templates_policy_lets_it(stand, ecr):
    push = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
    create(ecr, repositoryPolicy=allow(*push))
    guest(stand).push_image("one", "1.0")
    assert names(ecr) == ["team/app"]


def test_another_account_leaves_an_empty_repository_when_the_templates_policy_refuses_it(stand, ecr):
    create(ecr)
    assert guest(stand).send("POST", "blobs/uploads/").status == 403
    assert names(ecr) == ["team/app"]


def test_another_account_makes_no_repository_when_that_quirk_is_off(make_stand):
    stand = make_stand(quirks=Quirks(creation_before_repository_policy=False))
    ecr = stand.client()
    create(ecr)
    assert guest(stand).send("POST", "blobs/uploads/").status == 403
    assert names(ecr) == []
