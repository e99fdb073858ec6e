"""Images in the archive: there, described and kept, but not to be pulled until they are restored."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_ecr.state import images

REPOSITORY = {"repositoryName": "team/app"}
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def move(ecr, image_id, target):
    return ecr.update_image_storage_class(**REPOSITORY, imageId=image_id, targetStorageClass=target)


def archive(ecr, digest):
    assert move(ecr, {"imageDigest": digest}, "ARCHIVE")["imageStatus"] == "ARCHIVED"


def detail_of(ecr, digest):
    [detail] = ecr.describe_images(**REPOSITORY, imageIds=[{"imageDigest": digest}])["imageDetails"]
    return detail


def listed(ecr, status):
    named = {} if status is None else {"filter": {"imageStatus": status}}
    found = ecr.list_images(**REPOSITORY, **named)["imageIds"]
    described = ecr.describe_images(**REPOSITORY, **named)["imageDetails"]
    assert [one["imageDigest"] for one in found] == [one["imageDigest"] for one in described]
    return [one["imageDigest"] for one in found]


def storage_events(stand):
    """(detail-type, detail) of what was told of storage classes."""
    found = [(event["detail-type"], event["detail"]) for _, _, event in stand.events]
    return [one for one in found if one[1].get("action-type") == "UPDATE_STORAGE_CLASS"]


def test_an_archived_image_is_listed_and_described_only_when_it_is_asked_for(ecr, team_app):
    kept, old = team_app.push_image("one", "1.0"), team_app.push_image("two", "2.0")
    before = datetime.now(UTC) - timedelta(seconds=1)

    answer = move(ecr, {"imageTag": "2.0"}, "ARCHIVE")

    assert answer["imageId"] == {"imageDigest": old, "imageTag": "2.0"}
    assert answer["imageStatus"] == "ARCHIVED"
    assert listed(ecr, None) == listed(ecr, "ACTIVE") == [kept]
    assert listed(ecr, "ARCHIVED") == [old]
    assert listed(ecr, "ANY") == [kept, old]
    detail = detail_of(ecr, old)
    assert detail["imageStatus"] == "ARCHIVED"
    assert detail["imageTags"] == ["2.0"]
    assert detail["lastArchivedAt"] >= before
    assert "lastActivatedAt" not in detail
    assert team_app.send("GET", "tags/list").json()["tags"] == ["1.0"]


def test_an_archived_image_cannot_be_pulled_by_any_way(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    archive(ecr, digest)
    for reference in ("1.0", digest):
        refused = team_app.send("GET", f"manifests/{reference}")
        assert refused.status == 404
        assert refused.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"
        assert team_app.send("HEAD", f"manifests/{reference}").status == 404
    answer = ecr.batch_get_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}])
    assert answer["images"] == []
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageInaccessible"]


def test_layers_are_archived_when_all_images_that_are_made_of_them_are(ecr, team_app):
    shared = team_app.push_blob(b"one")
    first = team_app.push_image("one", "1.0")
    second = team_app.refer_to(shared)

    def availability():
        answer = ecr.batch_check_layer_availability(**REPOSITORY, layerDigests=[shared])
        return answer["layers"][0]["layerAvailability"]

    archive(ecr, first)
    assert availability() == "AVAILABLE"
    assert team_app.send("GET", f"blobs/{shared}").status == 200
    archive(ecr, second)
    assert availability() == "ARCHIVED"
    assert team_app.send("GET", f"blobs/{shared}").status == 404
    with pytest.raises(ClientError, match="LayerInaccessibleException"):
        ecr.get_download_url_for_layer(**REPOSITORY, layerDigest=shared)


def test_a_restored_image_is_activating_first_and_then_active_and_can_be_pulled(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    archive(ecr, digest)

    answer = move(ecr, {"imageDigest": digest}, "STANDARD")

    assert answer["imageStatus"] == "ACTIVATING"
    stand.ecr.wait_until_idle()
    detail = detail_of(ecr, digest)
    assert detail["imageStatus"] == "ACTIVE"
    assert detail["lastActivatedAt"] >= detail["lastArchivedAt"]
    assert team_app.send("GET", "manifests/1.0").status == 200


def test_an_image_that_is_being_restored_is_still_in_the_archive(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    archive(ecr, digest)
    with stand.ecr.background.paused():
        move(ecr, {"imageDigest": digest}, "STANDARD")
        assert listed(ecr, "ACTIVATING") == [digest]
        assert listed(ecr, "ACTIVE") == []
        assert team_app.send("GET", "manifests/1.0").status == 404
        assert move(ecr, {"imageDigest": digest}, "STANDARD")["imageStatus"] == "ACTIVATING"
        with pytest.raises(ClientError, match="ImageStorageClassUpdateNotSupportedException"):
            move(ecr, {"imageDigest": digest}, "ARCHIVE")
    stand.ecr.wait_until_idle()
    assert listed(ecr, "ACTIVE") == [digest]


@pytest.mark.parametrize("image_tag", ["1.0", "again"])
def test_an_archived_image_is_restored_at_once_when_it_is_pushed_again(stand, ecr, team_app, image_tag):
    digest = team_app.push_image("one", "1.0")
    archive(ecr, digest)
    stand.events.clear()

    assert team_app.push_image("one", image_tag) == digest

    detail = detail_of(ecr, digest)
    assert detail["imageStatus"] == "ACTIVE"
    assert "lastActivatedAt" in detail
    assert detail["imageTags"] == sorted({"1.0", image_tag})
    assert stand.image_actions() == [("UPDATE_STORAGE_CLASS", digest, None), ("PUSH", digest, image_tag)]


def test_an_archived_image_keeps_its_tag_and_is_restored_in_an_immutable_repository(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    ecr.put_image_tag_mutability(**REPOSITORY, imageTagMutability="IMMUTABLE")
    archive(ecr, digest)
    other = team_app.push_manifest("1.0", team_app.image("two"))
    assert other.status == 400
    team_app.push_image("one", "1.0")
    assert listed(ecr, "ACTIVE") == [digest]


def test_eventbridge_is_told_of_both_ways(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    subject = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 500}
    referrer = team_app.push_image("sbom", subject=subject)
    stand.events.clear()

    archive(ecr, digest)
    move(ecr, {"imageDigest": digest}, "STANDARD")
    stand.ecr.wait_until_idle()
    archive(ecr, referrer)

    told = storage_events(stand)
    assert [(name, one["image-digest"], one["target-storage-class"]) for name, one in told] == [
        ("ECR Image Action", digest, "ARCHIVE"),
        ("ECR Image Action", digest, "STANDARD"),
        ("ECR Referrer Action", referrer, "ARCHIVE"),
    ]
    assert ["last-activated-at" in one for _, one in told] == [False, True, False]


def test_an_image_of_an_index_is_archived_only_after_the_index(ecr, team_app):
    child = team_app.push_image("one")
    index = team_app.push_index("1.0", [child])
    with pytest.raises(ClientError, match=f"ImageStorageClassUpdateNotSupportedException.*{index}"):
        archive(ecr, child)
    archive(ecr, index)
    archive(ecr, child)
    assert listed(ecr, "ARCHIVED") == [child, index]


def test_an_archived_image_can_be_deleted_and_one_that_an_archived_index_lists_cannot(ecr, team_app):
    child = team_app.push_image("one")
    index = team_app.push_index("1.0", [child])
    archive(ecr, index)
    refused = ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageDigest": child}])
    assert [one["failureCode"] for one in refused["failures"]] == ["ImageReferencedByManifestList"]
    answer = ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}, {"imageDigest": child}])
    assert answer["failures"] == []
    assert listed(ecr, "ANY") == []


def test_referrers_are_listed_by_their_own_status(ecr, team_app):
    subject = team_app.push_image("one", "1.0")
    descriptor = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 500}
    sbom, signature = (team_app.push_image(text, subject=descriptor) for text in ("sbom", "signature"))
    archive(ecr, sbom)

    def referrers(**members):
        found = ecr.list_image_referrers(**REPOSITORY, subjectId={"imageDigest": subject}, **members)["referrers"]
        return [(one["digest"], one["artifactStatus"]) for one in found]

    assert referrers() == [(signature, "ACTIVE")]
    assert referrers(filter={"artifactStatus": "ARCHIVED"}) == [(sbom, "ARCHIVED")]
    assert referrers(filter={"artifactStatus": "ANY"}) == [(sbom, "ARCHIVED"), (signature, "ACTIVE")]


def test_nothing_changes_when_the_image_is_where_it_should_be(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    assert move(ecr, {"imageDigest": digest}, "STANDARD")["imageStatus"] == "ACTIVE"
    archive(ecr, digest)
    before = detail_of(ecr, digest)
    archive(ecr, digest)
    assert detail_of(ecr, digest) == before
    assert len(storage_events(stand)) == 1


@pytest.mark.parametrize("image_id", [{"imageTag": "2.0"}, {"imageDigest": "sha256:" + "0" * 64}])
def test_an_image_that_is_not_there_is_not_found(ecr, team_app, image_id):
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        move(ecr, image_id, "ARCHIVE")


def test_a_restore_ends_after_a_restart_when_the_process_was_killed_before(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(**REPOSITORY)
    digest = first.distribution().push_image("one", "1.0")
    with first.ecr.store.changing() as change:  # what is committed of UpdateImageStorageClass, and nobody woken
        images.set_activating(change.connection, images.by_digest(change.connection, 1, digest))
    first.server.stop()
    second = make_stand(tmp_path / "kept")
    second.ecr.wait_until_idle()
    assert listed(second.client(), "ACTIVE") == [digest]
