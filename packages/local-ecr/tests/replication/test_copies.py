"""What a push in one registry brings about in another: the same bits under the same names, and what is told of it."""

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
HOME = "us-east-1"
ABROAD = "eu-west-1"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def team_app(registries, team_app):
    """The repository team/app, of which everything pushed from now on is copied to eu-west-1."""
    registries.configure((ABROAD, ACCOUNT))
    return team_app


def test_a_pushed_image_can_be_pulled_from_the_other_region_bit_for_bit(stand, registries, team_app):
    manifest = team_app.image("hello")
    pushed = team_app.push_manifest("1.0", manifest)
    stand.ecr.wait_until_idle()

    abroad = stand.distribution(ABROAD)
    here, there = team_app.send("GET", "manifests/1.0"), abroad.send("GET", "manifests/1.0")
    assert there.status == 200
    assert there.data == here.data
    assert there.headers["Docker-Content-Digest"] == pushed.headers["Docker-Content-Digest"]
    assert there.headers["Content-Type"] == OCI_MANIFEST
    assert abroad.send("GET", f"blobs/{manifest['layers'][0]['digest']}").data == b"hello"
    assert b"amd64" in abroad.send("GET", f"blobs/{manifest['config']['digest']}").data


def test_an_image_that_is_put_through_the_api_is_copied_as_well(ecr, registries, team_app):
    digest = team_app.push_image("one", "1.0")
    body = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])["images"][0]
    ecr.put_image(repositoryName="team/app", imageManifest=body["imageManifest"], imageTag="again")
    assert registries.held(ABROAD) == {digest: {"1.0", "again"}}


def test_a_missing_repository_is_made_with_the_settings_that_a_new_one_has(stand, ecr, registries, team_app):
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    ecr.put_image_scanning_configuration(repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True})
    ecr.tag_resource(
        resourceArn="arn:aws:ecr:us-east-1:111122223333:repository/team/app", tags=[{"Key": "a", "Value": "b"}]
    )
    stand.trust("444455556666", "ecr:BatchGetImage")
    team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()

    abroad = stand.client(ABROAD)
    [made] = abroad.describe_repositories()["repositories"]
    assert made["repositoryName"] == "team/app"
    assert made["repositoryArn"] == "arn:aws:ecr:eu-west-1:111122223333:repository/team/app"
    assert made["imageTagMutability"] == "MUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": False}
    assert abroad.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == []
    with pytest.raises(ClientError, match="RepositoryPolicyNotFoundException"):
        abroad.get_repository_policy(repositoryName="team/app")


def test_a_missing_repository_is_made_by_the_creation_template_for_replication(stand, registries, team_app):
    stand.client(ABROAD).create_repository_creation_template(
        prefix="team", appliedFor=["REPLICATION"], imageTagMutability="IMMUTABLE"
    )
    team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    [made] = stand.client(ABROAD).describe_repositories()["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"


def test_images_that_were_there_before_are_not_copied(stand, registries):
    stand.client().create_repository(repositoryName="team/app")
    old = stand.distribution().push_image("old", "old")
    registries.configure((ABROAD, ACCOUNT))
    assert registries.names(ABROAD) == set()
    new = stand.distribution().push_image("new", "new")
    assert set(registries.held(ABROAD)) == {new}
    assert registries.statuses(imageDigest=old) == []


def test_an_old_image_is_copied_when_it_gets_another_tag(stand, ecr, registries):
    ecr.create_repository(repositoryName="team/app")
    distribution = stand.distribution()
    manifest = distribution.image("old")
    distribution.push_manifest("old", manifest)
    registries.configure((ABROAD, ACCOUNT))
    distribution.push_manifest("new", manifest)
    assert list(registries.held(ABROAD).values()) == [{"new"}]


def test_an_index_brings_the_images_that_it_lists_even_when_they_are_older_than_the_rule(stand, registries):
    stand.client().create_repository(repositoryName="team/app")
    distribution = stand.distribution()
    children = [distribution.push_image("one"), distribution.push_image("two")]
    inner = distribution.push_index("inner", children)
    registries.configure((ABROAD, ACCOUNT))
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {"mediaType": OCI_INDEX, "digest": inner, "size": 400},
            {"mediaType": OCI_MANIFEST, "digest": children[0], "size": 400},
        ],
    }
    pushed = distribution.push_manifest("outer", document, OCI_INDEX)
    outer = pushed.headers["Docker-Content-Digest"]

    assert registries.held(ABROAD) == {children[0]: set(), children[1]: set(), inner: set(), outer: {"outer"}}
    abroad = stand.distribution(ABROAD)
    assert abroad.send("DELETE", f"manifests/{inner}").status >= 400  # listed there, too


def test_a_tag_that_moves_moves_in_the_copy(registries, team_app):
    first = team_app.push_image("one", "latest")
    second = team_app.push_image("two", "latest")
    assert registries.held(ABROAD) == {first: set(), second: {"latest"}}


def test_a_copy_comes_without_its_tag_when_that_is_immutable_there_and_taken(stand, registries, team_app):
    stand.client(ABROAD).create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    first = team_app.push_image("one", "latest")
    second = team_app.push_image("two", "latest")
    assert registries.held(ABROAD) == {first: {"latest"}, second: set()}
    assert registries.statuses(imageDigest=second) == [(ABROAD, ACCOUNT, "COMPLETE", None)]


def test_a_tag_that_may_move_there_moves_when_only_others_are_immutable(stand, registries, team_app):
    stand.client(ABROAD).create_repository(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "late*"}],
    )
    team_app.push_image("one", "latest")
    second = team_app.push_image("two", "latest")
    assert registries.held(ABROAD)[second] == {"latest"}


def test_a_copy_goes_no_further(registries, team_app):
    registries.configure(("us-west-2", ACCOUNT), region=ABROAD)
    team_app.push_image("one", "1.0")
    assert registries.names(ABROAD) == {"team/app"}
    assert registries.names("us-west-2") == set()


def test_registries_that_copy_into_each_other_come_to_rest_with_the_same_images(stand, registries, team_app):
    registries.configure((HOME, ACCOUNT), region=ABROAD)
    here = team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    there = stand.distribution(ABROAD).push_image("two", "2.0")
    assert registries.held(ABROAD) == registries.held(HOME) == {here: {"1.0"}, there: {"2.0"}}


def test_only_repositories_with_a_prefix_of_the_rule_are_copied_to_each_of_its_destinations(stand, registries):
    registries.configure((ABROAD, ACCOUNT), ("us-west-2", ACCOUNT), prefixes=["team/", "base"])
    for name in ("team/app", "teamwork", "base", "other"):
        stand.client().create_repository(repositoryName=name)
        stand.distribution(repository_name=name).push_image(name, "1.0")
    assert registries.names(ABROAD) == registries.names("us-west-2") == {"team/app", "base"}


def test_an_artifact_is_copied_with_its_subject_and_listed_as_referrer_there(stand, registries, team_app):
    subject = team_app.push_image("one", "1.0")
    descriptor = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 400}
    signature = team_app.push_image("signature", subject=descriptor, artifactType="application/vnd.test")
    stand.ecr.wait_until_idle()
    answer = stand.client(ABROAD).list_image_referrers(repositoryName="team/app", subjectId={"imageDigest": subject})
    assert [one["digest"] for one in answer["referrers"]] == [signature]


def test_a_copy_keeps_its_bits_when_the_source_loses_them(stand, ecr, registries, team_app):
    manifest = team_app.image("hello")
    team_app.push_manifest("1.0", manifest)
    stand.ecr.wait_until_idle()
    ecr.delete_repository(repositoryName="team/app", force=True)
    abroad = stand.distribution(ABROAD)
    assert abroad.send("GET", "manifests/1.0").status == 200
    assert abroad.send("GET", f"blobs/{manifest['layers'][0]['digest']}").data == b"hello"


def test_each_copy_is_told_in_the_destination_in_the_documented_form_and_no_push(stand, registries, team_app):
    stand.client(ABROAD).create_repository(repositoryName="team/app")
    stand.events.clear()
    digest = team_app.push_image("one", "3.17.2")
    stand.ecr.wait_until_idle()
    [(account, region, event)] = [one for one in stand.events if one[1] == ABROAD]
    assert (account, region) == (ACCOUNT, ABROAD)
    assert event | {"id": "", "time": ""} == {
        "version": "0",
        "id": "",
        "detail-type": "ECR Replication Action",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": "",
        "region": ABROAD,
        "resources": ["arn:aws:ecr:eu-west-1:111122223333:repository/team/app"],
        "detail": {
            "result": "SUCCESS",
            "repository-name": "team/app",
            "image-digest": digest,
            "source-account": ACCOUNT,
            "action-type": "REPLICATE",
            "source-region": HOME,
            "image-tag": "3.17.2",
        },
    }


def test_a_copy_is_scanned_when_the_repository_there_scans_on_push(stand, registries, team_app):
    stand.client(ABROAD).create_repository(repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True})
    digest = team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    found = stand.client(ABROAD).describe_image_scan_findings(
        repositoryName="team/app", imageId={"imageDigest": digest}
    )
    assert found["imageScanStatus"]["status"] == "IN_PROGRESS"
