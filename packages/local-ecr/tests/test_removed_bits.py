"""Bits leave the disk with the last image that was made of them, or when the push that sent them is long over."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

DAY = timedelta(hours=24, seconds=1)


@pytest.fixture
def blobs(stand):
    """The digests of the blobs on disk."""
    return lambda: {f"sha256:{path.name}" for path in stand.data.glob("*/*/blobs/sha256/*")}


def a_day_later(stand, *faces):
    """Move the clock, and give those who go on a token that is good by then."""
    stand.clock.ahead = DAY
    for face in faces:
        face.token = stand.token()


def delete(ecr, digest, repository_name="team/app"):
    answer = ecr.batch_delete_image(repositoryName=repository_name, imageIds=[{"imageDigest": digest}])
    assert answer["failures"] == []


def test_layers_go_with_their_image_when_their_push_is_long_over(stand, ecr, team_app, blobs):
    image = team_app.push_image("one", "1.0")
    assert len(blobs()) == 2
    stand.clock.ahead = DAY
    delete(ecr, image)
    assert blobs() == set()
    layer = team_app.digest_of(b"one")
    answer = ecr.batch_check_layer_availability(repositoryName="team/app", layerDigests=[layer])
    assert answer["layers"][0]["layerAvailability"] == "UNAVAILABLE"


def test_layers_go_with_their_image_when_it_is_deleted_through_the_data_plane(stand, ecr, team_app, blobs):
    image = team_app.push_image("one", "1.0")
    a_day_later(stand, team_app)
    assert team_app.send("DELETE", f"manifests/{image}").status == 202
    assert blobs() == set()


def test_a_layer_stays_when_another_image_of_the_repository_is_made_of_it(stand, ecr, team_app, blobs):
    shared = team_app.push_blob(b"shared")
    image = team_app.push_image("shared", "1.0")
    team_app.refer_to(shared)
    a_day_later(stand, team_app)
    delete(ecr, image)
    assert blobs() == {shared}
    assert team_app.send("GET", f"blobs/{shared}").data == b"shared"


def test_a_layer_leaves_one_repository_and_its_bits_stay_when_another_repository_has_it(stand, ecr, team_app, blobs):
    ecr.create_repository(repositoryName="team/other")
    other = stand.distribution(repository_name="team/other")
    image = team_app.push_image("one", "1.0")
    other.push_image("one", "1.0")
    a_day_later(stand, team_app, other)
    delete(ecr, image)
    layer = team_app.digest_of(b"one")
    assert layer in blobs()
    assert team_app.send("HEAD", f"blobs/{layer}").status == 404
    assert other.send("GET", f"blobs/{layer}").data == b"one"


def test_a_layer_stays_when_it_was_uploaded_again_for_a_push_under_way(stand, ecr, team_app, blobs):
    old = team_app.push_image("one", "1.0")
    a_day_later(stand, team_app)
    layer = team_app.push_blob(b"one")
    delete(ecr, old)
    assert blobs() == {layer}
    team_app.refer_to(layer)
    assert team_app.send("GET", f"blobs/{layer}").data == b"one"


def test_a_layer_whose_image_never_came_goes_when_its_push_is_long_over(stand, ecr, team_app, blobs):
    alone = team_app.push_blob(b"alone")
    kept = team_app.push_blob(b"kept")
    team_app.refer_to(kept)
    stand.clock.ahead = DAY - timedelta(hours=2)
    stand.ecr.run_due()
    assert alone in blobs()
    stand.clock.ahead = DAY
    stand.ecr.run_due()
    assert blobs() == {kept}


def test_an_upload_ends_when_it_was_given_up(stand, ecr, team_app):
    named = {"repositoryName": "team/app"}
    upload_id = ecr.initiate_layer_upload(**named)["uploadId"]
    ecr.upload_layer_part(**named, uploadId=upload_id, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc")
    stand.clock.ahead = DAY
    with pytest.raises(ClientError, match="UploadNotFoundException"):
        ecr.upload_layer_part(**named, uploadId=upload_id, partFirstByte=3, partLastByte=3, layerPartBlob=b"d")
    fresh = ecr.initiate_layer_upload(**named)["uploadId"]
    stand.ecr.run_due()
    assert [path.name for path in stand.data.glob("*/*/uploads/*")] == [fresh]


def test_blobs_that_no_row_tells_of_are_removed_when_the_folder_is_opened_again(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(repositoryName="team/app")
    team_app = first.distribution()
    kept = team_app.push_blob(b"kept")
    folder = tmp_path / "kept" / "111122223333" / "us-east-1" / "blobs" / "sha256"
    (folder / ("0" * 64)).write_bytes(b"left by a process that was killed")
    first.server.stop()
    make_stand(tmp_path / "kept")
    assert [path.name for path in folder.iterdir()] == [kept.removeprefix("sha256:")]
