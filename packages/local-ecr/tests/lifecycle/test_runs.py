"""A policy is carried out a day after it was set, and each day from then on, on the registry's own clock."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from local_ecr import Registry
from local_ecr.lifecycle.plan import plan
from local_ecr.lifecycle.policy import read_policy
from local_ecr.lifecycle.run import carry_out
from local_ecr.state import repositories
from local_ecr.state.lifecycle import facts_of

DAY = timedelta(hours=24, minutes=1)
REPOSITORY = {"repositoryName": "team/app"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def policy(number=1, action=None, count_type="imageCountMoreThan", **selection):
    days = {} if count_type == "imageCountMoreThan" else {"countUnit": "days"}
    selected = {"tagStatus": "any", "countType": count_type, "countNumber": number, **days, **selection}
    rules = [{"rulePriority": 7, "selection": selected, "action": action or {"type": "expire"}}]
    return json.dumps({"rules": rules})


@dataclass
class Life:
    """The repository team/app and its policy, on a clock that passes as the test says."""

    stand: Any
    ecr: Any
    team_app: Any

    def push(self, text, *given, **members):
        return self.team_app.push_image(text, *given, **members)

    def set_policy(self, *given, **selection):
        self.ecr.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=policy(*given, **selection))

    def pass_time(self, by=DAY):
        """Move the clock and let happen what is due; the token is good afterwards."""
        self.stand.clock.ahead += by
        self.stand.ecr.run_due()
        self.stand.ecr.wait_until_idle()
        self.team_app.token = self.stand.token()

    def left(self, status="ANY"):
        """Digests of the images that are there, archived or not."""
        found = self.ecr.list_images(**REPOSITORY, filter={"imageStatus": status})["imageIds"]
        return {one["imageDigest"] for one in found}


@pytest.fixture
def life(stand, ecr, team_app):
    return Life(stand, ecr, team_app)


def executions(stand):
    name = "AWS Service Event via CloudTrail"
    found = [event["detail"] for _, _, event in stand.events if event["detail-type"] == name]
    return [detail for detail in found if detail["eventName"] == "PolicyExecutionEvent"]


def test_images_expire_a_day_after_the_policy_was_set_and_not_before(life):
    old, new = life.push("one", "1.0"), life.push("two", "2.0")
    life.set_policy()

    life.pass_time(timedelta(hours=23))
    assert life.left() == {old, new}

    life.pass_time(timedelta(hours=2))
    assert life.left() == {new}
    assert ("DELETE", old, "1.0") in life.stand.image_actions()
    evaluated = life.ecr.get_lifecycle_policy(**REPOSITORY)["lastEvaluatedAt"]
    assert abs(evaluated - life.stand.clock()) < timedelta(minutes=5)


def test_the_next_run_is_a_day_after_the_last(life):
    life.set_policy()
    life.pass_time()
    old, new = life.push("one", "1.0"), life.push("two", "2.0")
    life.pass_time(timedelta(hours=23))
    assert life.left() == {old, new}
    life.pass_time(timedelta(hours=2))
    assert life.left() == {new}


def test_a_new_policy_has_a_day_of_its_own(life):
    images = {life.push(f"image {n}", f"v{n}") for n in range(3)}
    life.set_policy(2)
    life.pass_time(timedelta(hours=20))
    life.set_policy(1)
    life.pass_time(timedelta(hours=20))
    assert life.left() == images
    life.pass_time(timedelta(hours=5))
    assert len(life.left()) == 1
    life.ecr.delete_lifecycle_policy(**REPOSITORY)
    life.push("later", "later")
    life.pass_time()
    assert len(life.left()) == 2


def test_cloudtrail_tells_of_a_run_in_several_events_when_there_are_ten_images(life):
    images = [life.push(f"image {n}", f"v{n}") for n in range(11)]
    life.set_policy()
    life.pass_time()
    told = executions(life.stand)
    actions = [one for detail in told for one in detail["serviceEventDetails"]["lifecycleEventImageActions"]]
    assert [len(detail["serviceEventDetails"]["lifecycleEventImageActions"]) for detail in told] == [9, 1]
    assert [one["lifecycleEventImage"]["digest"] for one in actions] == images[:-1]
    assert {one["rulePriority"] for one in actions} == {7}


def test_cloudtrail_tells_of_a_run_that_found_nothing_and_of_the_run_before_it(life):
    life.set_policy(9)
    life.push("one", "1.0")
    life.pass_time()
    life.pass_time()
    first, second = (detail["serviceEventDetails"] for detail in executions(life.stand))
    assert first["lifecycleEventImageActions"] == second["lifecycleEventImageActions"] == []
    assert first["lifecycleEventPolicy"]["lastEvaluatedAt"] == 0
    assert second["lifecycleEventPolicy"]["lastEvaluatedAt"] > 1_600_000_000_000


def test_cloudtrail_tells_nothing_when_there_is_no_trail(life):
    life.stand.ecr.trail = False
    life.push("one", "1.0")
    life.push("two", "2.0")
    life.set_policy()
    life.pass_time()
    assert len(life.left()) == 1
    assert executions(life.stand) == []


def test_an_index_goes_first_and_what_it_listed_a_day_later(life):
    child = life.push("child")
    life.team_app.push_index("1.0", [child])
    newest = life.push("newest", "2.0")
    life.set_policy()
    life.pass_time()
    assert life.left() == {child, newest}
    life.pass_time()
    assert life.left() == {newest}


def test_referrers_go_with_their_subject(life):
    subject = life.push("subject", "1.0")
    descriptor = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 500}
    life.push("sbom", artifactType="application/spdx+json", subject=descriptor)
    newest = life.push("newest", "2.0")
    life.set_policy()
    life.pass_time()
    assert life.left() == {newest}


def test_a_referrer_goes_when_its_subject_was_deleted_by_hand_and_stays_when_that_never_came(life):
    subject = life.push("subject", "1.0")
    nowhere = "sha256:" + "0" * 64
    media_type = "application/vnd.oci.image.manifest.v1+json"
    orphan, early = (
        life.push(f"of {digest}", subject={"mediaType": media_type, "digest": digest, "size": 500})
        for digest in (subject, nowhere)
    )
    life.ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageDigest": subject}])
    assert life.left() == {orphan, early}
    life.set_policy(9)
    life.pass_time()
    assert life.left() == {early}


def test_images_are_archived_and_expire_from_the_archive(life):
    old, new = life.push("one", "1.0"), life.push("two", "2.0")
    life.set_policy(1, ARCHIVE)
    life.pass_time()
    assert (life.left("ACTIVE"), life.left("ARCHIVED")) == ({new}, {old})
    life.set_policy(90, count_type="sinceImageTransitioned", storageClass="archive")
    life.pass_time(timedelta(days=89))
    assert life.left("ARCHIVED") == {old}
    life.pass_time(timedelta(days=2))
    assert life.left() == {new}


def test_images_are_archived_when_nobody_pulled_them(life):
    pulled, idle = life.push("one", "1.0"), life.push("two", "2.0")
    life.set_policy(2, ARCHIVE, count_type="sinceImagePulled")
    for _ in range(3):
        life.pass_time(timedelta(hours=25))
        assert life.team_app.send("GET", "manifests/1.0").status == 200
    assert (life.left("ACTIVE"), life.left("ARCHIVED")) == ({pulled}, {idle})


def test_every_repository_of_every_registry_has_its_own_run(life):
    other = life.stand.client("eu-west-1")
    other.create_repository(**REPOSITORY)
    elsewhere = life.stand.distribution("eu-west-1")
    for face in (life.team_app, elsewhere):
        face.push_image("one", "1.0")
        face.push_image("two", "2.0")
    other.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=policy())
    life.pass_time()
    assert len(life.left()) == 2
    assert len(other.list_images(**REPOSITORY)["imageIds"]) == 1


def test_one_repository_that_cannot_be_evaluated_does_not_keep_others_from_their_run(life, caplog):
    life.ecr.create_repository(repositoryName="another")
    life.ecr.put_lifecycle_policy(repositoryName="another", lifecyclePolicyText=policy())
    with life.stand.ecr.store.changing() as change:
        change.connection.execute("UPDATE repository SET lifecycle_policy = '{}' WHERE name = 'another'")
    life.push("one", "1.0")
    newest = life.push("two", "2.0")
    life.set_policy()
    life.pass_time()
    assert life.left() == {newest}
    assert "a lifecycle policy could not be carried out" in caplog.text


def test_an_image_stays_when_it_got_another_tag_after_it_was_planned(life):
    """The plan is made from one view of the repository; each image is looked at again before it goes."""
    old, older = life.push("one", "1.0"), life.push("two", "2.0")
    life.push("three", "3.0")
    store = life.stand.ecr.store
    with store.reading() as connection:
        repository = repositories.get(connection, Registry("111122223333", "us-east-1"), "team/app")
        steps = plan(facts_of(connection, repository), read_policy(policy()), life.stand.clock().timestamp())
    life.push("one", "keep")

    carry_out(store, repository, steps, life.stand.clock())

    assert old in life.left()
    assert older not in life.left()


def test_an_image_stays_when_it_was_deleted_and_pushed_again_after_it_was_planned(life):
    life.push("one", "1.0")
    life.push("two", "2.0")
    newest = life.push("three", "3.0")
    store = life.stand.ecr.store
    with store.reading() as connection:
        repository = repositories.get(connection, Registry("111122223333", "us-east-1"), "team/app")
        steps = plan(facts_of(connection, repository), read_policy(policy()), life.stand.clock().timestamp())
    life.stand.client().batch_delete_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}, {"imageTag": "2.0"}])
    again = life.push("two", "2.0")

    done = carry_out(store, repository, steps, life.stand.clock())

    assert len(steps) == 2
    assert done == []
    assert set(life.left()) == {newest, again}


def test_a_policy_that_was_due_runs_after_a_restart(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(**REPOSITORY)
    team_app = first.distribution()
    team_app.push_image("one", "1.0")
    team_app.push_image("two", "2.0")
    first.client().put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=policy())
    first.server.stop()
    second = make_stand(tmp_path / "kept")
    second.clock.ahead = DAY
    second.ecr.run_due()
    assert len(second.client().list_images(**REPOSITORY)["imageIds"]) == 1
