"""What comes between a push and its copy: deletions on either side, missing bits, an end without warning."""

import logging

import pytest

from local_ecr.replication.worker import Replicator

ACCOUNT = "111122223333"
HOME = "us-east-1"
ABROAD = "eu-west-1"


@pytest.fixture
def team_app(registries, team_app):
    """The repository team/app, of which everything pushed from now on is copied to eu-west-1."""
    registries.configure((ABROAD, ACCOUNT))
    return team_app


def results(registries):
    return [(one["detail"]["result"], one["detail"]["image-digest"]) for one in registries.told()]


def test_a_copy_fails_when_its_image_is_deleted_before_it_is_made(stand, ecr, registries, team_app):
    with stand.ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        later = team_app.push_image("two", "2.0")
        ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    assert registries.held(ABROAD) == {later: {"2.0"}}
    assert results(registries) == [("FAILED", digest), ("SUCCESS", later)]


def test_a_copy_fails_when_its_repository_is_deleted_before_it_is_made(stand, ecr, registries, team_app):
    with stand.ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        ecr.delete_repository(repositoryName="team/app", force=True)
    assert results(registries) == [("FAILED", digest)]
    assert registries.names(ABROAD) == set()


def test_a_copy_is_made_when_its_image_came_again_meanwhile(stand, ecr, registries, team_app):
    with stand.ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        ecr.delete_repository(repositoryName="team/app", force=True)
        ecr.create_repository(repositoryName="team/app")
        team_app.push_image("one", "2.0")
    assert registries.held(ABROAD) == {digest: {"1.0", "2.0"}}
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]


def test_a_repository_is_made_anew_when_it_was_deleted_in_the_destination(stand, registries, team_app):
    team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    stand.client(ABROAD).delete_repository(repositoryName="team/app", force=True)
    digest = team_app.push_image("two", "2.0")
    assert registries.held(ABROAD) == {digest: {"2.0"}}


def test_a_copy_fails_when_its_template_asks_for_a_role_that_it_does_not_name(stand, registries, team_app):
    stand.client(ABROAD).create_repository_creation_template(
        prefix="team", appliedFor=["REPLICATION"], resourceTags=[{"Key": "a", "Value": "b"}]
    )
    digest = team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "FAILED", "RepositoryNotFound")]


def test_a_copy_fails_whole_and_the_next_is_made_when_bits_are_missing(stand, registries, team_app, caplog):
    manifest = team_app.image("one")
    with caplog.at_level(logging.CRITICAL), stand.ecr.background.paused():
        digest = team_app.push_manifest("1.0", manifest).headers["Docker-Content-Digest"]
        encoded = manifest["layers"][0]["digest"].removeprefix("sha256:")
        (stand.data / ACCOUNT / HOME / "blobs" / "sha256" / encoded).unlink()
    later = team_app.push_image("two", "2.0")
    assert registries.held(ABROAD) == {later: {"2.0"}}
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "FAILED", "ServerError")]
    assert results(registries) == [("FAILED", digest), ("SUCCESS", later)]
    assert list((stand.data / ACCOUNT / ABROAD).glob("uploads/*")) == []


def test_a_copy_that_is_committed_stays_complete_when_telling_the_trail_of_it_fails(
    stand, registries, team_app, caplog
):
    def fail(registry, repository_name):
        raise OSError(repository_name)

    ecr = stand.ecr
    with caplog.at_level(logging.CRITICAL), ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        assert Replicator(ecr.store, ecr.clock, ecr.gate, fail).step()
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]
    assert results(registries) == [("SUCCESS", digest)]


def test_bits_are_copied_when_the_file_system_has_no_hard_links(stand, registries, team_app, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    abroad = stand.distribution(ABROAD)
    assert abroad.send("GET", f"blobs/{abroad.digest_of(b'one')}").data == b"one"
    assert list((stand.data / ACCOUNT / ABROAD).glob("uploads/*")) == []


def test_what_is_not_copied_yet_is_copied_after_a_restart(make_stand, registries_of, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(repositoryName="team/app")
    registries_of(first).configure((ABROAD, ACCOUNT))
    first.ecr.background.close()
    digest = first.distribution().push_image("one", "1.0")
    first.server.stop()

    second = registries_of(make_stand(tmp_path / "kept"))
    assert second.held(ABROAD) == {digest: {"1.0"}}
    assert second.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]
