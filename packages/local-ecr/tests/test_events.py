"""What the registry tells of images, after the fact; `test_trail` has what CloudTrail tells, of calls."""

import re
import uuid

from local_ecr import Quirks

ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def details(stand):
    return [event["detail"] for _, _, event in stand.events if event["detail-type"] == "ECR Image Action"]


def test_a_push_by_tag_is_told_in_the_documented_form(stand, team_app):
    digest = team_app.push_image("one", "1.0")
    account, region, event = next(one for one in stand.events if one[2]["detail-type"] == "ECR Image Action")
    assert (account, region) == ("111122223333", "us-east-1")
    assert set(event) == ENVELOPE
    assert uuid.UUID(event["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    assert event | {"id": "", "time": ""} == {
        "version": "0",
        "id": "",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "111122223333",
        "time": "",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": "team/app",
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": "1.0",
            "manifest-media-type": OCI_MANIFEST,
            "artifact-media-type": "application/vnd.oci.image.config.v1+json",
        },
    }


def test_an_index_is_told_as_one_push_per_manifest_with_empty_tags_for_its_images(stand, team_app):
    child = team_app.push_image("one")
    index = team_app.push_index("1.0", [child])
    first, second = details(stand)
    assert (first["image-digest"], first["image-tag"]) == (child, "")
    assert (second["image-digest"], second["image-tag"]) == (index, "1.0")
    assert second["manifest-media-type"] == OCI_INDEX
    assert "artifact-media-type" not in second


def test_every_tag_is_told_when_an_image_gets_several(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    manifest = team_app.send("GET", "manifests/1.0").data.decode()
    ecr.put_image(repositoryName="team/app", imageManifest=manifest, imageTag="latest")
    assert stand.image_actions() == [("PUSH", digest, "1.0"), ("PUSH", digest, "latest")]


def test_every_tag_is_told_when_an_image_is_deleted_and_none_when_it_had_none(stand, ecr, team_app):
    tagged, untagged = team_app.push_image("one", "1.0"), team_app.push_image("two")
    team_app.push_image("one", "latest")
    stand.events.clear()
    wanted = [{"imageDigest": tagged}, {"imageDigest": untagged}]
    ecr.batch_delete_image(repositoryName="team/app", imageIds=wanted)
    assert stand.image_actions() == [
        ("DELETE", tagged, "1.0"),
        ("DELETE", tagged, "latest"),
        ("DELETE", untagged, None),
    ]
    assert "manifest-media-type" not in details(stand)[0]


def test_a_refused_push_is_not_told(stand, ecr, team_app):
    team_app.push_image("one", "1.0")
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    stand.events.clear()
    assert team_app.push_manifest("1.0", team_app.image("two")).status == 400
    assert stand.image_actions() == []


def referrer_actions(stand):
    found = [event["detail"] for _, _, event in stand.events if event["detail-type"] == "ECR Referrer Action"]
    return [(one["action-type"], one["image-digest"], one.get("image-tag")) for one in found]


def push_sbom(repository, subject):
    return repository.push_image(
        "sbom",
        artifactType="text/sbom+json",
        subject={"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
    )


def test_an_image_with_a_subject_is_told_apart_when_it_is_pushed_and_deleted(stand, ecr, team_app):
    subject = team_app.push_image("one", "1.0")
    sbom = push_sbom(team_app, subject)
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": sbom}])
    assert stand.image_actions() == [("PUSH", subject, "1.0")]
    assert referrer_actions(stand) == [("PUSH", sbom, ""), ("DELETE", sbom, None)]


def test_an_image_with_a_subject_is_told_like_any_other_when_that_quirk_is_off(make_stand):
    stand = make_stand(quirks=Quirks(referrer_action=False))
    stand.client().create_repository(repositoryName="team/app")
    sbom = push_sbom(stand.distribution(), f"sha256:{'a' * 64}")
    assert stand.image_actions() == [("PUSH", sbom, "")]
    assert referrer_actions(stand) == []


def test_an_event_is_told_only_when_its_change_can_be_read(make_stand):
    seen = []

    def look(account, region, event):
        if event["detail-type"] == "ECR Image Action":
            seen.append(stand.client().describe_images(repositoryName="team/app")["imageDetails"])

    stand = make_stand(on_event=look)
    stand.client().create_repository(repositoryName="team/app")
    stand.distribution().push_image("one", "1.0")
    assert [one["imageTags"] for one in seen[0]] == [["1.0"]]


def test_a_push_is_acknowledged_when_the_receiver_of_its_event_fails(make_stand, caplog):
    stand = make_stand(on_event=lambda *event: 1 / 0)
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    team_app.push_image("one", "1.0")
    assert team_app.send("HEAD", "manifests/1.0").status == 200
    assert "ZeroDivisionError" in caplog.text


def test_the_request_log_names_every_request_by_its_operation_and_says_what_mutates(stand, ecr, team_app):
    stand.ecr.requests.clear()
    team_app.push_image("one", "1.0")
    team_app.send("GET", "manifests/1.0")
    team_app.send("GET", f"blobs/{team_app.digest_of(b'one')}")
    team_app.send("GET", f"referrers/{team_app.digest_of(b'one')}")
    team_app.send("PUT", "manifests/1.0", token="", body=b"{}")
    ecr.describe_images(repositoryName="team/app")
    seen = [(one.operation, one.mutating, one.status) for one in stand.ecr.requests.entries()]
    push = [("InitiateLayerUpload", True, 202), ("CompleteLayerUpload", True, 201)]
    assert seen == [
        *push,
        *push,
        ("PutImage", True, 201),
        ("BatchGetImage", False, 200),
        ("GetDownloadUrlForLayer", False, 307),
        ("ListImageReferrers", False, 200),
        ("PutImage", True, 401),
        ("DescribeImages", False, 200),
    ]
    one = stand.ecr.requests.entries()[0]
    assert (one.service, one.account, one.region) == ("ecr", "111122223333", "us-east-1")
    assert one.principal == "arn:aws:iam::111122223333:root"
    assert one.user_agent.startswith("python-urllib3/")
