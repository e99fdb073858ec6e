"""Layers through the API: what is there, the upload in parts, and the URL that serves one."""

import hashlib
import json
from datetime import timedelta

import pytest
import urllib3
from botocore.exceptions import ClientError

from local_ecr import Quirks

MIB = 1 << 20
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def upload(ecr, parts, digest=None):
    begun = ecr.initiate_layer_upload(repositoryName="team/app")
    named = {"repositoryName": "team/app", "uploadId": begun["uploadId"]}
    first = 0
    for part in parts:
        last = first + len(part) - 1
        answer = ecr.upload_layer_part(**named, partFirstByte=first, partLastByte=last, layerPartBlob=part)
        assert answer["lastByteReceived"] == last
        first += len(part)
    digest = digest or digest_of(b"".join(parts))
    return ecr.complete_layer_upload(**named, layerDigests=[digest])


def availability(ecr, *digests):
    answer = ecr.batch_check_layer_availability(repositoryName="team/app", layerDigests=list(digests))
    return [(one["layerAvailability"], one.get("layerSize")) for one in answer["layers"]], answer["failures"]


def test_a_layer_is_available_when_its_parts_are_complete(ecr, team_app):
    parts = [b"a" * (5 * MIB), b"b" * 10]
    digest = upload(ecr, parts)["layerDigest"]
    assert digest == digest_of(b"".join(parts))
    assert availability(ecr, digest)[0] == [("AVAILABLE", 5 * MIB + 10)]


def test_a_layer_has_the_media_type_that_an_image_gives_it_when_it_is_part_of_one(ecr, team_app):
    alone = team_app.push_blob(b"alone")
    manifest = team_app.image("one")
    team_app.push_manifest("1.0", manifest)
    digests = [manifest["config"]["digest"], manifest["layers"][0]["digest"], alone]

    found = ecr.batch_check_layer_availability(repositoryName="team/app", layerDigests=digests)["layers"]

    assert [one["mediaType"] for one in found] == [
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ]


def test_layers_are_unavailable_or_fail_when_they_are_missing_or_no_digests(ecr, team_app):
    found, failures = availability(ecr, "sha256:" + "0" * 64, "latest")
    assert found == [("UNAVAILABLE", None)]
    assert [one["failureCode"] for one in failures] == ["InvalidLayerDigest"]


def test_a_layer_already_exists_when_it_is_uploaded_again(ecr, team_app):
    upload(ecr, [b"one"])
    with pytest.raises(ClientError, match="LayerAlreadyExistsException"):
        upload(ecr, [b"one"])


def test_a_layer_is_refused_and_forgotten_when_its_digest_is_another(stand, ecr, team_app):
    with pytest.raises(ClientError, match="InvalidLayerException"):
        upload(ecr, [b"one"], digest_of(b"two"))
    assert availability(ecr, digest_of(b"one"), digest_of(b"two"))[0] == [("UNAVAILABLE", None)] * 2
    assert not [path for path in stand.data.rglob("uploads/*") if path.is_file()]


@pytest.mark.parametrize(
    "others",
    [[digest_of(b"two")], ["tarsum.v1+sha256:00"], ["md5:00", f"sha256:{'A' * 64}"]],
    ids=["another", "unknown algorithm", "unknown forms"],
)
def test_a_layer_is_kept_under_its_own_digest_when_it_is_one_of_several(ecr, team_app, others):
    begun = ecr.initiate_layer_upload(repositoryName="team/app")
    named = {"repositoryName": "team/app", "uploadId": begun["uploadId"]}
    ecr.upload_layer_part(**named, partFirstByte=0, partLastByte=2, layerPartBlob=b"one")
    answer = ecr.complete_layer_upload(**named, layerDigests=[*others, digest_of(b"one")])
    assert answer["layerDigest"] == digest_of(b"one")
    assert availability(ecr, digest_of(b"one"), digest_of(b"two"))[0] == [("AVAILABLE", 3), ("UNAVAILABLE", None)]


def test_a_layer_is_refused_when_its_digest_is_of_no_known_form(ecr, team_app):
    with pytest.raises(ClientError, match="InvalidLayerException"):
        upload(ecr, [b"one"], "tarsum.v1+sha256:00")


def test_an_upload_is_refused_in_ecrs_words_when_it_is_empty(ecr, team_app):
    with pytest.raises(
        ClientError, match=r"EmptyUploadException.* cannot be completed because it does not have any parts"
    ):
        upload(ecr, [], digest_of(b""))


def test_a_part_is_refused_with_the_last_valid_byte_when_it_does_not_follow(ecr, team_app):
    begun = ecr.initiate_layer_upload(repositoryName="team/app")
    named = {"repositoryName": "team/app", "uploadId": begun["uploadId"]}
    ecr.upload_layer_part(**named, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc")
    refused = {
        (0, 2): "First byte of the layer part is 0 instead of 3",
        (4, 6): "First byte of the layer part is 4 instead of 3",
        (3, 6): "The layer part has 3 bytes, which is not what is from byte 3 to byte 6",
    }
    for (first, last), message in refused.items():
        with pytest.raises(ClientError, match="InvalidLayerPartException") as failed:
            ecr.upload_layer_part(**named, partFirstByte=first, partLastByte=last, layerPartBlob=b"xyz")
        assert failed.value.response["lastValidByteReceived"] == 2
        assert failed.value.response["Error"]["Message"] == message


def test_a_layer_is_refused_when_a_part_that_is_not_the_last_is_small(ecr, team_app):
    with pytest.raises(ClientError, match="LayerPartTooSmallException"):
        upload(ecr, [b"small", b"last"])


def test_small_parts_are_taken_when_the_quirk_is_off(make_stand):
    client = make_stand(quirks=Quirks.none()).client()
    client.create_repository(repositoryName="team/app")
    assert upload(client, [b"small", b"last"])["layerDigest"] == digest_of(b"smalllast")


@pytest.mark.parametrize("thief", ["repository", "account"])
def test_an_upload_does_not_exist_for_another_repository_or_principal_CVE_2026_32589(stand, ecr, team_app, thief):
    ecr.create_repository(repositoryName="team/other")
    stand.trust("444455556666", "ecr:UploadLayerPart")
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    client = ecr if thief == "repository" else stand.client(account="444455556666")
    name = "team/other" if thief == "repository" else "team/app"
    with pytest.raises(ClientError, match="UploadNotFoundException"):
        client.upload_layer_part(
            registryId="111122223333",
            repositoryName=name,
            uploadId=upload_id,
            partFirstByte=0,
            partLastByte=0,
            layerPartBlob=b"x",
        )


def test_an_upload_is_gone_when_its_repository_was_deleted_and_made_again(stand, ecr, team_app):
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    team_app.send("PATCH", f"blobs/uploads/{upload_id}", body=b"written")
    assert upload_id in stand.ecr.store.upload_files
    ecr.delete_repository(repositoryName="team/app")
    assert upload_id not in stand.ecr.store.upload_files
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ClientError, match="UploadNotFoundException"):
        ecr.complete_layer_upload(repositoryName="team/app", uploadId=upload_id, layerDigests=[digest_of(b"")])


def test_a_download_url_serves_the_layer_without_authorization_until_it_expires(stand, ecr, team_app):
    team_app.push_image("hello", "1.0")
    digest = digest_of(b"hello")
    url = ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest)["downloadUrl"]

    assert urllib3.request("GET", url, retries=False).data == b"hello"
    part = urllib3.request("GET", url, headers={"Range": "bytes=1-3"}, retries=False)
    assert (part.status, part.data, part.headers["Content-Range"]) == (206, b"ell", "bytes 1-3/5")

    stand.clock.ahead = timedelta(hours=2)
    assert urllib3.request("GET", url, retries=False).status == 403


def test_a_download_url_is_worth_nothing_when_it_was_changed(ecr, team_app):
    team_app.push_image("hello", "1.0")
    url = ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest_of(b"hello"))["downloadUrl"]
    for forged in (url[:-1] + ("0" if url[-1] != "0" else "1"), url + "x", url.partition("?")[0]):
        assert urllib3.request("GET", forged, retries=False).status == 403


def test_a_layer_has_no_download_url_when_no_image_refers_to_it(ecr, team_app):
    digest = team_app.push_blob(b"alone")
    with pytest.raises(ClientError, match="LayerInaccessibleException"):
        ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest)
    with pytest.raises(ClientError, match=r"LayersNotFoundException.* does not exist within the repository with name"):
        ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest="sha256:" + "0" * 64)


def test_an_image_can_be_pushed_through_the_api_alone(ecr, team_app):
    layer, config = b"layer", b'{"os": "linux"}'
    for data in (layer, config):
        upload(ecr, [data])
    manifest = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": 15},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(layer), "size": 5}],
    }
    body = json.dumps(manifest)
    with pytest.raises(ClientError, match="mediaType"):
        ecr.put_image(repositoryName="team/app", imageManifest=body)
    put = ecr.put_image(
        repositoryName="team/app", imageManifest=body, imageManifestMediaType=OCI_MANIFEST, imageTag="1.0"
    )
    assert put["image"]["imageId"]["imageDigest"] == digest_of(body.encode())
    assert team_app.send("GET", "manifests/1.0").data == body.encode()
