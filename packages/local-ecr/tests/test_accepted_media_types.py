"""Media types: which ones PutImage takes, and what BatchGetImage gives when only some are accepted."""

import json

import pytest
from botocore.exceptions import ClientError

from local_ecr import Quirks

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def test_an_image_comes_as_it_is_by_its_digest_whatever_media_types_are_accepted(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    wanted = [{"imageDigest": digest}, {"imageDigest": digest, "imageTag": "1.0"}]
    answer = ecr.batch_get_image(repositoryName="team/app", imageIds=wanted, acceptedMediaTypes=[DOCKER_MANIFEST])
    assert [one["imageId"] for one in answer["images"]] == wanted
    assert {one["imageManifestMediaType"] for one in answer["images"]} == {OCI_MANIFEST}


def test_an_image_is_not_found_by_its_tag_when_it_has_no_form_that_is_accepted(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    wanted = {"repositoryName": "team/app", "imageIds": [{"imageTag": "1.0"}]}
    refused = ecr.batch_get_image(**wanted, acceptedMediaTypes=[OCI_INDEX])
    assert [one["failureCode"] for one in refused["failures"]] == ["ImageNotFound"]
    served = ecr.batch_get_image(**wanted, acceptedMediaTypes=[DOCKER_MANIFEST, OCI_MANIFEST])
    assert served["images"][0]["imageId"] == {"imageDigest": digest, "imageTag": "1.0"}


def test_an_image_asked_for_by_tag_is_converted_as_in_a_pull_when_only_the_other_format_is_accepted(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    pulled = team_app.send("GET", "manifests/1.0", headers={"Accept": DOCKER_MANIFEST})

    answer = ecr.batch_get_image(
        repositoryName="team/app", imageIds=[{"imageTag": "1.0"}], acceptedMediaTypes=[DOCKER_MANIFEST]
    )

    [image] = answer["images"]
    assert image["imageManifestMediaType"] == DOCKER_MANIFEST
    assert image["imageManifest"].encode() == pulled.data
    assert image["imageId"] == {"imageDigest": pulled.headers["Docker-Content-Digest"], "imageTag": "1.0"}
    assert image["imageId"]["imageDigest"] != digest


def test_no_image_is_converted_for_the_api_when_the_quirk_is_off(make_stand):
    stand = make_stand(quirks=Quirks.parse("ecr,-manifests_converted_by_tag"))
    stand.client().create_repository(repositoryName="team/app")
    stand.distribution().push_image("one", "1.0")
    answer = stand.client().batch_get_image(
        repositoryName="team/app", imageIds=[{"imageTag": "1.0"}], acceptedMediaTypes=[DOCKER_MANIFEST]
    )
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]


@pytest.mark.parametrize("quirks", ["ecr", "ecr,-media_type_parameters_refused"])
def test_a_media_type_with_parameters_is_refused_by_the_api_as_by_a_push(make_stand, quirks):
    stand = make_stand(quirks=Quirks.parse(quirks))
    stand.client().create_repository(repositoryName="team/app")
    manifest = stand.distribution().image("one")
    manifest["layers"][0]["mediaType"] += ";version=0.2"
    pushed = {"repositoryName": "team/app", "imageManifest": json.dumps(manifest)}
    if quirks == "ecr":
        with pytest.raises(ClientError, match=r"InvalidParameterException.*a media type with parameters"):
            stand.client().put_image(**pushed)
    else:
        assert stand.client().put_image(**pushed)["image"]["imageManifest"] == pushed["imageManifest"]
