"""What is deleted in the source and its copies: copied where the rule says so, and nowhere else."""

import pytest

ACCOUNT = "111122223333"
HOME = "us-east-1"
ABROAD = "eu-west-1"


def remove(client, **image_id):
    answer = client.batch_delete_image(repositoryName="team/app", imageIds=[image_id])
    assert answer["failures"] == []


@pytest.fixture
def kept(registries, team_app):
    """The repository team/app; its copies in eu-west-1 outlive their source."""
    registries.configure((ABROAD, ACCOUNT))
    return team_app


@pytest.fixture
def mirrored(registries, team_app):
    """The repository team/app; eu-west-1 loses what it loses."""
    registries.configure((ABROAD, ACCOUNT), deletes=True)
    return team_app


def test_copies_stay_when_the_rule_does_not_speak_of_deletions(ecr, registries, kept):
    digest = kept.push_image("one", "1.0")
    kept.push_manifest("2.0", kept.send("GET", "manifests/1.0").data)
    assert registries.held(ABROAD) == {digest: {"1.0", "2.0"}}
    remove(ecr, imageTag="2.0")
    remove(ecr, imageDigest=digest)
    assert registries.held(HOME) == {}
    assert registries.held(ABROAD) == {digest: {"1.0", "2.0"}}


def test_an_image_that_is_deleted_by_digest_goes_there_with_all_its_tags(stand, ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    registries.held(ABROAD)
    body = stand.distribution(ABROAD).send("GET", "manifests/1.0").data
    stand.distribution(ABROAD).push_manifest("there-only", body)
    assert registries.held(ABROAD) == {digest: {"1.0", "there-only"}}
    remove(ecr, imageDigest=digest)
    assert registries.held(ABROAD) == {}


def test_an_image_goes_there_when_its_last_tag_is_removed(ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    mirrored.push_manifest("2.0", mirrored.send("GET", "manifests/1.0").data)
    remove(ecr, imageTag="1.0")
    assert registries.held(ABROAD) == {digest: {"2.0"}}
    remove(ecr, imageTag="2.0")
    assert registries.held(ABROAD) == {}


def test_a_removed_tag_is_not_taken_from_another_image_there(stand, ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    mirrored.push_manifest("2.0", mirrored.send("GET", "manifests/1.0").data)
    stand.ecr.wait_until_idle()
    other = stand.distribution(ABROAD).push_image("other", "2.0")
    remove(ecr, imageTag="2.0")
    assert registries.held(ABROAD) == {digest: {"1.0"}, other: {"2.0"}}


def test_a_removed_tag_leaves_an_image_there_even_when_it_was_its_last(stand, ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    mirrored.push_manifest("2.0", mirrored.send("GET", "manifests/1.0").data)
    stand.ecr.wait_until_idle()
    remove(stand.client(ABROAD), imageTag="1.0")
    remove(ecr, imageTag="2.0")
    assert registries.held(HOME) == {digest: {"1.0"}}
    assert registries.held(ABROAD) == {digest: set()}


def test_deletions_through_the_data_plane_are_copied_as_well(registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    registries.held(ABROAD)
    assert mirrored.send("DELETE", f"manifests/{digest}").status == 202
    assert registries.held(ABROAD) == {}


def test_an_index_and_then_what_it_listed_go_there_in_that_order(ecr, registries, mirrored):
    child = mirrored.push_image("one")
    index = mirrored.push_index("1.0", [child])
    assert set(registries.held(ABROAD)) == {child, index}
    remove(ecr, imageDigest=index)
    remove(ecr, imageDigest=child)
    assert registries.held(ABROAD) == {}


def test_an_image_stays_there_when_an_index_there_lists_it(stand, ecr, registries, mirrored):
    child = mirrored.push_image("one")
    stand.ecr.wait_until_idle()
    index = stand.distribution(ABROAD).push_index("there-only", [child])
    remove(ecr, imageDigest=child)
    assert registries.held(ABROAD) == {child: set(), index: {"there-only"}}


def test_a_deletion_is_told_there_as_one_and_not_as_a_replication(stand, ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    stand.events.clear()
    remove(ecr, imageDigest=digest)
    stand.ecr.wait_until_idle()
    abroad = [event for _, region, event in stand.events if region == ABROAD]
    assert [(one["detail-type"], one["detail"]["action-type"]) for one in abroad] == [("ECR Image Action", "DELETE")]
    assert abroad[0]["detail"]["image-digest"] == digest
    assert abroad[0]["detail"]["image-tag"] == "1.0"


def test_a_copied_deletion_goes_no_further(stand, ecr, registries, mirrored):
    registries.configure(("us-west-2", ACCOUNT), deletes=True, region=ABROAD)
    here = mirrored.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    body = stand.distribution(ABROAD).send("GET", "manifests/1.0").data
    stand.distribution(ABROAD).push_manifest("pushed-there", body)
    assert registries.held("us-west-2") == {here: {"pushed-there"}}
    remove(ecr, imageDigest=here)
    assert registries.held(ABROAD) == {}
    assert registries.held("us-west-2") == {here: {"pushed-there"}}


def test_the_copies_of_a_repository_stay_when_it_is_deleted_as_a_whole(ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    registries.held(ABROAD)
    ecr.delete_repository(repositoryName="team/app", force=True)
    assert registries.held(ABROAD) == {digest: {"1.0"}}


def test_a_deletion_is_done_with_when_the_repository_there_is_gone(stand, ecr, registries, mirrored):
    digest = mirrored.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    stand.client(ABROAD).delete_repository(repositoryName="team/app", force=True)
    remove(ecr, imageDigest=digest)
    assert registries.names(ABROAD) == set()
    later = mirrored.push_image("two", "2.0")
    assert registries.held(ABROAD) == {later: {"2.0"}}


def test_a_tag_stays_with_its_old_image_there_when_the_one_it_moved_to_is_gone_before_it_is_copied(
    stand, ecr, registries, mirrored
):
    """Nobody asks for the tag to be removed: it went with its image. That the copy failed is told."""
    old = mirrored.push_image("old", "latest")
    stand.ecr.wait_until_idle()

    with stand.ecr.background.paused():
        new = mirrored.push_image("new", "latest")
        remove(ecr, imageTag="latest")

    assert registries.held(HOME) == {old: set()}
    assert registries.held(ABROAD) == {old: {"latest"}}
    last = registries.told()[-1]["detail"]
    assert (last["result"], last["image-digest"], last["image-tag"]) == ("FAILED", new, "latest")
