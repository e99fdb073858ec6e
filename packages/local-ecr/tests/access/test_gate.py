"""Both faces, one's own account and another: who gets in, by which statement, and in which words one is kept out."""

import hashlib
import json
from itertools import product

import pytest
import urllib3
from botocore.exceptions import ClientError

from local_ecr import Registry

OWNER, VISITOR = "111122223333", "444455556666"
ACTION = "ecr:ListImages"
IDENTITY = {
    "allow": [{"Sid": "Read", "Effect": "Allow", "Action": "ecr:*", "Resource": "*"}],
    "deny": [
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Sid": "Never", "Effect": "Deny", "Action": "ecr:List*", "Resource": "*"},
    ],
    "none": [],
}
REPOSITORY = {
    "allow": [{"Sid": "Team", "Effect": "Allow", "Principal": {"AWS": "{role}"}, "Action": ACTION}],
    "root": [{"Effect": "Allow", "Principal": {"AWS": "{account}"}, "Action": ACTION}],
    "deny": [{"Effect": "Deny", "Principal": "*", "Action": ACTION}],
    "none": [],
}
DENY = "with an explicit deny in {}-based policy"


def expected(key, identity, repository):
    """(allowed, by, the end of the sentence): the rules of the user guide as a table, of which the first row counts."""
    is_own, by_identity = key == "owner-ci", "identity policy Build, statement Read"
    by_repository = f"repository policy, statement {'Team' if repository == 'allow' else '1'}"
    no_identity = f"because no identity-based policy allows the {ACTION} action"
    no_repository = f"because no resource-based policy allows the {ACTION} action"
    rows = [
        (identity == "deny", (False, "identity policy Build, statement Never", DENY.format("an identity"))),
        (repository == "deny", (False, by_repository, DENY.format("a resource"))),
        (is_own and repository == "allow", (True, by_repository, "")),
        (identity == "none", (False, "", no_identity)),
        (is_own, (True, by_identity, "")),
        (repository == "none", (False, "", no_repository)),
        (True, (True, f"{by_identity} and {by_repository}", "")),
    ]
    return next(answer for applies, answer in rows if applies)


@pytest.fixture(scope="module")
def tokens(shared_town):
    return {key: shared_town.token(key) for key in ("owner-ci", "visitor-ci")}


@pytest.mark.parametrize(
    ("key", "identity", "repository"), list(product(["owner-ci", "visitor-ci"], IDENTITY, REPOSITORY))
)
def test_both_faces_decide_alike_when_policies_allow_deny_or_say_nothing(town, tokens, key, identity, repository):
    account = OWNER if key == "owner-ci" else VISITOR
    role = town.role_arn.format(account=account)
    statements = json.loads(json.dumps(REPOSITORY[repository]).replace("{role}", role).replace("{account}", account))
    town.may(account, *IDENTITY[identity])
    town.repository_may(*statements)
    town.ecr.decisions.clear()
    allowed, by, why = expected(key, identity, repository)
    sentence = f"User: {town.session_arn.format(account=account)} is not authorized to perform: {ACTION} " \
               f"on resource: {town.arn} {why}"  # fmt: skip

    answer = town.send(tokens[key], "GET", "tags/list")
    try:
        town.client(key).list_images(registryId=OWNER, repositoryName="team/app")
        refusal = None
    except ClientError as error:
        refusal = error.response

    assert [(one.face, one.is_allowed, one.by, one.why) for one in town.ecr.decisions.entries()] == [
        ("/v2/", allowed, by, why),
        ("api", allowed, by, why),
    ]
    if allowed:
        assert (answer.status, refusal) == (200, None)
    else:
        assert (answer.status, answer.json()) == (403, {"errors": [{"code": "DENIED", "message": sentence}]})
        assert refusal["Error"] == {"Code": "AccessDeniedException", "Message": sentence}
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 400


def allow(*actions, **elements):
    return {"Effect": "Allow", "Action": list(actions), **elements}


PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")


def test_a_refused_head_has_no_body(town, tokens):
    answer = town.send(tokens["visitor-ci"], "HEAD", "manifests/1.0")
    assert (answer.status, answer.data) == (403, b"")
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_a_token_speaks_as_its_principal_may_at_that_moment(town, tokens):
    token = tokens["owner-ci"]
    statuses = []
    for statements in ([allow(ACTION, Resource="*")], [], [allow(ACTION, Resource=town.arn)]):
        town.may(OWNER, *statements)
        statuses.append(town.send(token, "GET", "tags/list").status)
    assert statuses == [200, 403, 200]
    assert town.send(token, "GET", "/v2/").status == 200


def test_a_token_is_good_for_nothing_when_its_role_is_gone_whomever_the_repository_lets_in(town, tokens):
    town.repository_may(allow(ACTION, Principal={"AWS": town.role_arn.format(account=OWNER)}))
    assert town.send(tokens["owner-ci"], "GET", "tags/list").status == 200

    town.identities[OWNER] = None

    answer = town.send(tokens["owner-ci"], "GET", "tags/list")
    assert (answer.status, answer.json()["errors"][0]["code"]) == (403, "DENIED")
    assert answer.json()["errors"][0]["message"].endswith("because the identity does not exist any more")
    assert not town.ecr.decisions.entries()[-1].is_allowed


@pytest.mark.parametrize("name", ["team/app", "new/one"])
def test_the_owner_of_what_is_called_upon_is_known_when_it_does_not_exist_yet(town, tokens, name):
    elsewhere = {"StringNotEquals": {"aws:ResourceAccount": OWNER}}
    town.may(
        OWNER, allow("ecr:*", Resource="*"), {**allow("*", Resource="*"), "Effect": "Deny", "Condition": elsewhere}
    )
    assert town.send(tokens["owner-ci"], "GET", f"/v2/{name}/tags/list").status == (200 if name == "team/app" else 404)


def test_the_root_of_an_account_may_everything_in_it_that_its_repositories_do_not_deny(town):
    root = town.client(OWNER)
    root.list_images(repositoryName="team/app")
    assert town.ecr.decisions.entries()[-1].by == "account root"
    town.repository_may({"Effect": "Deny", "Principal": {"AWS": OWNER}, "Action": "ecr:ListImages"})
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        root.list_images(repositoryName="team/app")
    with pytest.raises(ClientError, match="because no resource-based policy allows the ecr:ListImages action"):
        town.client(VISITOR).list_images(registryId=OWNER, repositoryName="team/app")


def test_nothing_is_told_of_what_another_account_does_not_have(town, tokens):
    town.may(VISITOR, allow("ecr:*", Resource="*"))
    for name in ("team/app", "no/such"):
        answer = town.send(tokens["visitor-ci"], "GET", f"/v2/{name}/tags/list")
        assert (answer.status, answer.json()["errors"][0]["code"]) == (403, "DENIED")
        assert f"repository/{name} because no resource-based policy allows" in answer.json()["errors"][0]["message"]
        with pytest.raises(ClientError, match="AccessDeniedException"):
            town.client("visitor-ci").describe_repositories(registryId=OWNER, repositoryNames=[name])
    for asked in ({}, {"repositoryName": "new/one"}):
        operation = "create_repository" if asked else "describe_repositories"
        with pytest.raises(ClientError, match="AccessDeniedException"):
            getattr(town.client("visitor-ci"), operation)(registryId=OWNER, **asked)


def test_a_repository_that_is_not_there_is_missing_only_to_whom_may_know(town, tokens):
    asked = (tokens["owner-ci"], "GET", "/v2/no/such/tags/list")
    assert town.send(*asked).status == 403
    town.may(OWNER, allow(ACTION, Resource=f"{town.arn.rsplit('/', 2)[0]}/no/*"))
    assert (town.send(*asked).status, town.send(*asked).json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_a_token_cannot_be_granted_by_a_repository(town):
    town.repository_may(allow("ecr:*", Principal="*"))
    for key in ("owner-ci", "visitor-ci"):
        with pytest.raises(ClientError, match=r"ecr:GetAuthorizationToken on resource: \* because no identity-based"):
            town.client(key).get_authorization_token(registryIds=[OWNER])


def push(town, token, text):
    """As skopeo does: blobs, then the manifest; the status of the first request that is refused, or of the last."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "history": text}).encode()
    digests = []
    for blob in (config, text.encode()):
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        if town.send(token, "HEAD", f"blobs/{digest}").status != 200:
            begun = town.send(token, "POST", "blobs/uploads/")
            if begun.status != 202:
                return begun.status
            town.send(token, "PATCH", begun.headers["Location"], blob)
            town.send(token, "PUT", f"{begun.headers['Location']}?digest={digest}")
        digests.append({"digest": digest, "size": len(blob)})
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **digests[0]},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **digests[1]}],
    }
    body = json.dumps(manifest).encode()
    return town.send(token, "PUT", "manifests/1.0", body, **{"Content-Type": manifest_type}).status


def pull(town, token):
    """As skopeo does: the manifest, then its blobs."""
    found = town.send(token, "GET", "manifests/1.0")
    if found.status != 200:
        return found.status
    manifest = found.json()
    blobs = [town.send(token, "GET", f"blobs/{one['digest']}") for one in (manifest["config"], *manifest["layers"])]
    locations = [blob.headers.get("Location") for blob in blobs]
    return {urllib3.request("GET", location).status if location else 403 for location in locations}


def test_an_image_is_pushed_to_and_pulled_from_another_account_with_ones_own_token(town, tokens):
    token, root = tokens["visitor-ci"], {"Principal": {"AWS": VISITOR}}
    town.may(VISITOR, allow(*PULL, *PUSH, Resource=town.arn))
    assert push(town, token, "first") == 403

    town.repository_may(allow(*PULL, *PUSH, **root))
    town.events.clear()
    assert push(town, token, "first") == 201
    [pushed] = [event for _, _, event in town.events if event["detail-type"] == "ECR Image Action"]
    assert (pushed["account"], pushed["detail"]["image-tag"]) == (OWNER, "1.0")

    town.repository_may(allow(*PULL, **root))
    assert push(town, token, "second") == 403
    assert pull(town, token) == {200}
    town.may(VISITOR, allow("ecr:BatchGetImage", Resource=town.arn))
    assert pull(town, token) == {403}, "a manifest without its blobs"
    town.repository_may()
    assert pull(town, token) == 403


def test_a_policy_may_name_a_session_by_its_role_or_by_itself(town, tokens):
    asked = (tokens["owner-ci"], "GET", "tags/list")
    names = {
        town.role_arn.format(account=OWNER): 200,
        town.session_arn.format(account=OWNER): 200,
        f"arn:aws:sts::{OWNER}:assumed-role/ci/run-2": 403,
        f"arn:aws:iam::{OWNER}:role/ci": 403,
        town.role_arn.format(account=VISITOR): 403,
    }
    found = {}
    for name in names:
        town.repository_may(allow(ACTION, Principal={"AWS": [name]}))
        found[name] = town.send(*asked).status
    assert found == names


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/build/*"}}, 200),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}, 403),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-town"}}, 200),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-other"}}, 403),
        ({"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}, 200),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-town/*"}}, 403),
        ({"StringEquals": {"aws:PrincipalAccount": VISITOR}}, 200),
        ({"StringEquals": {"aws:PrincipalAccount": OWNER}}, 403),
        ({"StringEquals": {"aws:ResourceAccount": OWNER, "aws:RequestedRegion": "us-east-1"}}, 200),
        ({"StringEquals": {"ecr:ResourceTag/stage": "test"}}, 200),
        ({"StringEquals": {"aws:ResourceTag/stage": "production"}}, 403),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, 200),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, 403),
        ({"StringEquals": {"sts:ExternalId": "secret"}}, 403),
        ({"StringEquals": {"aws:SourceAccount": VISITOR}}, 403),
    ],
)
def test_everybody_gets_in_when_the_condition_of_the_repository_holds(town, tokens, condition, status):
    town.client().tag_resource(resourceArn=town.arn, tags=[{"Key": "stage", "Value": "test"}])
    town.may(VISITOR, allow("ecr:*", Resource="*"))
    town.repository_may(allow(ACTION, Principal="*", Condition=condition))
    assert town.send(tokens["visitor-ci"], "GET", "tags/list").status == status


def test_a_repository_is_created_with_resource_tags_when_the_right_to_tag_is_there_and_its_conditions_hold(town):
    ecr = town.client("owner-ci")
    tags = [{"Key": "team", "Value": "a"}]
    create = allow("ecr:CreateRepository", Resource="*")
    town.may(OWNER, create)
    with pytest.raises(ClientError, match="ecr:TagResource"):
        ecr.create_repository(repositoryName="new/tagged", tags=tags)
    condition = {
        "StringEquals": {"aws:RequestTag/team": "a"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]},
    }
    town.may(OWNER, create, allow("ecr:TagResource", "ecr:UntagResource", Resource="*", Condition=condition))
    for wrong in ({"Key": "team", "Value": "b"}, {"Key": "owner", "Value": "me"}):
        with pytest.raises(ClientError, match="ecr:TagResource"):
            ecr.create_repository(repositoryName="new/tagged", tags=[wrong])
    arn = ecr.create_repository(repositoryName="new/tagged", tags=tags)["repository"]["repositoryArn"]
    with pytest.raises(ClientError, match="ecr:UntagResource"):
        ecr.untag_resource(resourceArn=arn, tagKeys=["team"])
    keys = {"ForAnyValue:StringLike": {"aws:TagKeys": "te*"}}
    town.may(OWNER, allow("ecr:UntagResource", Resource="*", Condition=keys))
    ecr.untag_resource(resourceArn=arn, tagKeys=["team"])


def test_a_policy_that_is_not_understood_allows_nothing_and_says_so(town, tokens):
    town.may(OWNER, allow(ACTION, Resource="*"), allow("s3:*", Resource="*", Condition={"Sounds": {"a": "b"}}))
    answer = town.send(tokens["owner-ci"], "GET", "tags/list")
    assert answer.status == 403
    assert "not known what a policy means: condition operator Sounds is not" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "elements",
    [
        {"Principal": "*", "Condition": {"StringSoundsLike": {"aws:SourceArn": "a"}}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "office"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:TagKeys": "team"}}},
        {"Principal": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": "old"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"ecr:ImageTag": "latest"}}},
    ],
)
def test_a_repository_policy_is_refused_when_it_is_not_evaluated_here(town, elements):
    with pytest.raises(ClientError, match="UnsupportedOperationException"):
        town.repository_may({"Effect": "Deny", "Action": ACTION, **elements})


def test_a_policy_that_locks_out_whoever_sets_it_is_refused_unless_forced(town):
    locks = {"Effect": "Deny", "Principal": "*", "Action": "ecr:SetRepositoryPolicy"}
    policy = json.dumps({"Statement": [locks]})
    owner = town.client()
    with pytest.raises(ClientError, match=r"InvalidParameterException.*force"):
        owner.set_repository_policy(repositoryName="team/app", policyText=policy)
    owner.set_repository_policy(repositoryName="team/app", policyText=policy, force=True)
    with pytest.raises(ClientError, match="explicit deny"):
        owner.set_repository_policy(repositoryName="team/app", policyText=policy, force=True)


@pytest.mark.parametrize("lacking", [None, "inspector2:ListCoverage", "inspector2:ListFindings"])
@pytest.mark.parametrize("scan_type", ["BASIC", "ENHANCED"])
def test_inspectors_actions_are_needed_too_when_a_scan_is_an_enhanced_one(town, tokens, scan_type, lacking):
    actions = {"inspector2:ListCoverage", "inspector2:ListFindings"} - {lacking}
    town.may(OWNER, allow("ecr:*", Resource="*"))
    assert push(town, tokens["owner-ci"], "scanned") == 201
    registry, asked = Registry(OWNER, "us-east-1"), {"repositoryName": "team/app", "imageId": {"imageTag": "1.0"}}
    (image,) = town.client().describe_images(repositoryName="team/app", imageIds=[asked["imageId"]])["imageDetails"]
    status = "COMPLETE" if scan_type == "BASIC" else "ACTIVE"
    town.ecr.record_scan(registry, "team/app", image["imageDigest"], {"type": scan_type, "status": status})
    town.may(OWNER, allow("ecr:DescribeImageScanFindings", *actions, Resource="*"))

    if scan_type == "ENHANCED" and lacking:
        with pytest.raises(ClientError, match=rf"AccessDeniedException.*{lacking} on resource: arn:aws:inspector2:us-"):
            town.client("owner-ci").describe_image_scan_findings(**asked)
    else:
        assert town.client("owner-ci").describe_image_scan_findings(**asked)["imageScanStatus"]["status"] == status
