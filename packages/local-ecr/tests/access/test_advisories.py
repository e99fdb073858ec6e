"""What went wrong in other registries, by the ids of the advisories: uploads of others, verbs that did too much.

CVE-2026-32589 (Quay), GHSA-qg67-7m6v-qg25 and CVE-2026-31801 / GHSA-85jx-fm8m-x8c6 (zot); all others are in `hostile`.
"""

import json
from itertools import product

import pytest
from botocore.exceptions import ClientError

from local_ecr import Policy, Principal, Quirks
from local_ecr.access.managed_policies import MANAGED_POLICIES
from local_ecr.data.routes import OPERATIONS

OWNER, VISITOR = "111122223333", "444455556666"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY_DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def tokens(shared_town):
    root = shared_town.client().get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return {"root": root, **{key: shared_town.token(key) for key in ("owner-ci", "visitor-ci")}}


def open_doors(town):
    """Everybody of both accounts may everything with the repository."""
    town.may(OWNER, EVERYTHING)
    town.may(VISITOR, EVERYTHING)
    town.repository_may({"Effect": "Allow", "Principal": {"AWS": VISITOR}, "Action": "ecr:*"})


@pytest.mark.parametrize("stranger", ["root", "visitor-ci"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_upload_is_unknown_to_everybody_but_who_began_it_cve_2026_32589(town, tokens, stranger, method):
    open_doors(town)
    begun = town.send(tokens["owner-ci"], "POST", "blobs/uploads/")
    location = begun.headers["Location"]
    asked = f"{location}?digest={EMPTY_DIGEST}" if method == "PUT" else location

    answer = town.send(tokens[stranger], method, asked, b"stolen" if method in ("PATCH", "PUT") else None)

    assert (answer.status, answer.json()["errors"][0]["code"]) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert town.send(tokens["owner-ci"], "GET", location).headers["Range"] == "0-0"
    assert town.send(tokens["owner-ci"], "DELETE", location).status == 204


def test_an_upload_is_unknown_in_every_other_repository_cve_2026_32589(town, tokens):
    open_doors(town)
    town.client().create_repository(repositoryName="team/other")
    location = town.send(tokens["owner-ci"], "POST", "blobs/uploads/").headers["Location"]
    elsewhere = location.replace("team/app", "team/other")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        asked = f"{elsewhere}?digest={EMPTY_DIGEST}" if method == "PUT" else elsewhere
        assert town.send(tokens["owner-ci"], method, asked).status == 404
    assert town.send(tokens["owner-ci"], "DELETE", location).status == 204
    town.client().delete_repository(repositoryName="team/other")


def test_an_upload_of_the_json_api_is_unknown_to_others_cve_2026_32589(town):
    open_doors(town)
    asked = {"registryId": OWNER, "repositoryName": "team/app"}
    upload_id = town.client("owner-ci").initiate_layer_upload(**asked)["uploadId"]
    for key in (OWNER, "visitor-ci"):
        stranger = town.client(key)
        with pytest.raises(ClientError, match="UploadNotFoundException"):
            stranger.upload_layer_part(
                uploadId=upload_id, partFirstByte=0, partLastByte=5, layerPartBlob=b"stolen", **asked
            )
        with pytest.raises(ClientError, match="UploadNotFoundException"):
            stranger.complete_layer_upload(uploadId=upload_id, layerDigests=[EMPTY_DIGEST], **asked)


def pushed(town, token, reference, text="one"):
    """The answer to a manifest without layers of one config, whose blob is pushed before."""
    digest = push_blob(town, token, json.dumps({"text": text}).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2},
        "layers": [],
    }
    body = json.dumps(manifest).encode()
    return town.send(token, "PUT", f"manifests/{reference}", body, **{"Content-Type": MANIFEST_TYPE})


def push_blob(town, token, data):
    digest = town.digest_of(data)
    location = town.send(token, "POST", "blobs/uploads/").headers["Location"]
    assert town.send(token, "PUT", f"{location}?digest={digest}", data).status == 201
    return digest


def test_who_may_push_may_not_delete_ghsa_qg67_7m6v_qg25(town, tokens):
    town.identities[OWNER] = (MANAGED_POLICIES["AmazonEC2ContainerRegistryPowerUser"],)
    token = tokens["owner-ci"]
    answer = pushed(town, token, "1.0")
    assert answer.status == 201
    digest = answer.headers["Docker-Content-Digest"]
    for reference in ("manifests/1.0", f"manifests/{digest}"):
        assert town.send(token, "DELETE", reference).status == 403
    assert town.ecr.decisions.entries()[-1].action == "ecr:BatchDeleteImage"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        town.client("owner-ci").batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    assert town.send(token, "GET", "manifests/1.0").headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("image_tag", ["latest", "1.0", "sha256-0000.sig"])
def test_no_image_tag_is_written_without_the_right_to_push_cve_2026_31801_ghsa_85jx_fm8m_x8c6(town, tokens, image_tag):
    before = pushed(town, tokens["root"], image_tag, "before").headers["Docker-Content-Digest"]
    may_upload = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]
    town.may(OWNER, {**EVERYTHING, "Action": [*may_upload, "ecr:BatchGetImage"]})
    answer = pushed(town, tokens["owner-ci"], image_tag, "after")
    assert (answer.status, answer.json()["errors"][0]["code"]) == (403, "DENIED")
    found = town.send(tokens["owner-ci"], "GET", f"manifests/{image_tag}")
    assert found.headers["Docker-Content-Digest"] == before


VERBS = {
    ("GET", "/v2/_catalog"): "DescribeRepositories",
    ("HEAD", "blobs/{digest}"): "BatchCheckLayerAvailability",
    ("GET", "blobs/{digest}"): "GetDownloadUrlForLayer",
    ("POST", "blobs/uploads/"): "InitiateLayerUpload",
    ("GET", "blobs/uploads/id"): "UploadLayerPart",
    ("PATCH", "blobs/uploads/id"): "UploadLayerPart",
    ("PUT", "blobs/uploads/id?digest={digest}"): "CompleteLayerUpload",
    ("DELETE", "blobs/uploads/id"): "UploadLayerPart",
    ("HEAD", "manifests/latest"): "BatchGetImage",
    ("GET", "manifests/latest"): "BatchGetImage",
    ("PUT", "manifests/latest"): "PutImage",
    ("DELETE", "manifests/latest"): "BatchDeleteImage",
    ("GET", "tags/list"): "ListImages",
    ("GET", "referrers/{digest}"): "BatchGetImage",
}
"""All that can be asked below /v2/, and the action of IAM that it is."""


PLAIN_VERBS = {("DELETE", "blobs/{digest}"): "BatchDeleteImage"}
"""The same of a registry without quirks: ECR deletes no blobs."""


def test_the_table_of_verbs_is_whole():
    assert len(VERBS) + len(PLAIN_VERBS) == len(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), VERBS)
def test_every_verb_is_the_action_that_the_table_says_and_is_refused_without_it_ghsa_qg67_7m6v_qg25(
    town, tokens, method, path
):
    action = f"ecr:{VERBS[method, path]}"
    town.may(OWNER, EVERYTHING, {**EVERYTHING, "Effect": "Deny", "Action": action})
    answer = town.send(tokens["owner-ci"], method, path.format(digest=EMPTY_DIGEST))
    decisions = town.ecr.decisions.of_request(answer.headers["x-amzn-RequestId"])
    assert (answer.status, [(one.action, one.is_allowed) for one in decisions]) == (403, [(action, False)])


def test_who_may_not_delete_images_may_not_delete_blobs_of_a_plain_registry_ghsa_qg67_7m6v_qg25(make_stand):
    action = f"ecr:{PLAIN_VERBS['DELETE', 'blobs/{digest}']}"
    statements = [EVERYTHING, {**EVERYTHING, "Effect": "Deny", "Action": action}]
    session = f"arn:aws:sts::{OWNER}:assumed-role/ci/run-1"
    stand = make_stand(
        quirks=Quirks.none(),
        principal_of=lambda credential: Principal(OWNER, session, credential.access_key_id),
        identities=lambda principal: [Policy("All but", {"Version": "2012-10-17", "Statement": statements})],
    )
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    digest = team_app.push_blob(b"kept")
    assert team_app.send("DELETE", f"blobs/{digest}").status == 403
    assert stand.ecr.decisions.entries()[-1].action == action
    assert team_app.send("HEAD", f"blobs/{digest}").status == 200


PATHS = ["tags/list", "manifests/latest", "blobs/{digest}", "/v2/_catalog", "/v2/"]
METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE"]
PING = {("GET", "/v2/"), ("HEAD", "/v2/")}
NO_VERBS = [pair for pair in product(METHODS, PATHS) if pair not in {*VERBS, *PING}]


@pytest.mark.parametrize(("method", "path"), NO_VERBS)
def test_a_verb_that_is_not_in_the_table_does_nothing_ghsa_qg67_7m6v_qg25(town, tokens, method, path):
    assert town.send(tokens["root"], method, path.format(digest=EMPTY_DIGEST)).status == 405
    assert town.ecr.decisions.entries() == []
