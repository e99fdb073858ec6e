"""Replication backfills: what they copy, how they end, and what is told of them.

Sources: ECR user guide, "Replication backfill"; StartReplicationBackfill and its like in the API reference.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_ecr.replication.backfilling import Backfiller
from local_ecr.replication.worker import Replicator

ACCOUNT = "111122223333"
OTHER = "444455556666"
HOME = "us-east-1"
ABROAD = "eu-west-1"
REPOSITORY = {"repositoryName": "team/app"}
NOBODY = "12345678-1234-1234-1234-123456789012"


@dataclass
class Backfills:
    """What a test does with backfills of the home registry."""

    stand: Any

    def start(self, region=ABROAD, account=ACCOUNT):
        """Start one and return its id."""
        destination = {"region": region, "registryId": account}
        answer = self.stand.client().start_replication_backfill(destination=destination)
        return answer["replicationBackfillId"]

    def told(self, backfill_id, **asked):
        """What is told of one when nothing is under way."""
        self.stand.ecr.wait_until_idle()
        client = self.stand.client()
        return client.describe_replication_backfill_results(replicationBackfillId=backfill_id, **asked)


@pytest.fixture
def backfills(stand):
    return Backfills(stand)


def prepare(ecr):
    """What the background does first; whether there was something to do."""
    return Backfiller(ecr.store, ecr.clock).step()


def copy_one(ecr):
    """What the background does next."""
    return Replicator(ecr.store, ecr.clock, ecr.gate, lambda *_: None).step()


def code_of(call, **asked):
    with pytest.raises(ClientError) as refusal:
        call(**asked)
    return refusal.value.response["Error"]["Code"]


def results(told):
    return [
        (one["imageId"]["imageDigest"], one["imageId"].get("imageTag"), one["status"], one.get("failureCode"))
        for one in told["results"]
    ]


def counts(told):
    progress = told["progress"]
    return tuple(progress[f"{name}ReplicationCount"] for name in ("total", "completed", "failed"))


# ---------------------------------------------------------------- what is copied


def test_what_was_there_before_is_copied_with_all_its_tags(registries, team_app, backfills):
    one, two = team_app.push_image("one", "1.0"), team_app.push_image("two", "2.0")
    team_app.push_image("one", "latest")
    registries.configure((ABROAD, ACCOUNT))

    told = backfills.told(backfills.start())

    assert registries.held(ABROAD) == {one: {"1.0", "latest"}, two: {"2.0"}}
    assert (told["status"], counts(told), told["progress"]["failureCodes"]) == ("COMPLETE", (3, 3, 0), [])
    assert results(told) == [
        (one, "1.0", "COMPLETE", None),
        (one, "latest", "COMPLETE", None),
        (two, "2.0", "COMPLETE", None),
    ]
    assert registries.statuses(imageDigest=one) == [(ABROAD, ACCOUNT, "COMPLETE", None)]


def test_only_repositories_that_a_rule_for_the_destination_names_are_copied(
    stand, ecr, registries, team_app, backfills
):
    ecr.create_repository(repositoryName="prod/app")
    wanted = stand.distribution(repository_name="prod/app").push_image("wanted", "1.0")
    team_app.push_image("other", "1.0")
    rule = {"filterType": "PREFIX_MATCH"}
    to = [{"region": region, "registryId": ACCOUNT} for region in (ABROAD, "eu-central-1")]
    rules = [
        {"destinations": to[:1], "repositoryFilters": [{"filter": "prod/", **rule}]},
        {"destinations": to[1:], "repositoryFilters": [{"filter": "team/", **rule}]},
    ]
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules})

    told = backfills.told(backfills.start())

    assert [(one["repositoryName"], one["imageId"]["imageDigest"]) for one in told["results"]] == [("prod/app", wanted)]
    assert registries.names(ABROAD) == {"prod/app"}
    assert registries.names("eu-central-1") == set()


def test_an_image_of_an_index_comes_along_with_it_and_one_without_a_tag_by_itself(registries, team_app, backfills):
    amd64, arm64, loose = (team_app.push_image(text) for text in ("amd64", "arm64", "loose"))
    index = team_app.push_index("1.0", [amd64, arm64])
    registries.configure((ABROAD, ACCOUNT))

    told = backfills.told(backfills.start())

    assert registries.held(ABROAD) == {amd64: set(), arm64: set(), loose: set(), index: {"1.0"}}
    assert results(told) == [(loose, None, "COMPLETE", None), (index, "1.0", "COMPLETE", None)]
    assert [one.get("subImageFailureCodes") for one in told["results"]] == [None, []]


def test_an_archived_image_stays_behind(ecr, registries, team_app, backfills):
    archived, kept = team_app.push_image("archived", "1.0"), team_app.push_image("kept", "2.0")
    ecr.update_image_storage_class(**REPOSITORY, imageId={"imageDigest": archived}, targetStorageClass="ARCHIVE")
    registries.configure((ABROAD, ACCOUNT))

    assert counts(backfills.told(backfills.start())) == (1, 1, 0)
    assert set(registries.held(ABROAD)) == {kept}


def test_a_backfill_that_finds_nothing_is_complete(registries, team_app, backfills):
    registries.configure((ABROAD, ACCOUNT))

    told = backfills.told(backfills.start())

    assert (told["status"], counts(told), told["results"]) == ("COMPLETE", (0, 0, 0), [])


def test_the_newest_push_keeps_its_tag_when_it_comes_during_a_backfill(stand, registries, team_app, backfills):
    team_app.push_image("old", "latest")
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        backfill = backfills.start()
        new = team_app.push_image("new", "latest")

    backfills.told(backfill)

    assert registries.held(ABROAD)[new] == {"latest"}


# ---------------------------------------------------------------- how it is told


def test_a_backfill_is_prepared_first_and_tells_neither_progress_nor_results(
    stand, ecr, registries, team_app, backfills
):
    team_app.push_image("one", "1.0")
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        backfill = backfills.start()
        told = ecr.describe_replication_backfill_results(replicationBackfillId=backfill)
        [listed] = ecr.list_replication_backfills()["backfills"]

    for one in (told, listed):
        assert (one["replicationBackfillId"], one["status"]) == (backfill, "PREPARING")
        assert one["destination"] == {"region": ABROAD, "registryId": ACCOUNT}
        assert not {"progress", "endedAt", "failureCode"} & one.keys()
        assert datetime.now(UTC) - one["startedAt"] < timedelta(minutes=1)
    assert "results" not in told


def test_results_are_filtered_by_status_and_come_in_pages(ecr, registries, stand, team_app, backfills):
    digests = [team_app.push_image(str(number), f"{number}.0") for number in range(3)]
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        backfill = backfills.start()
        assert prepare(stand.ecr)
        ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageDigest": digests[1]}])

    told = backfills.told(backfill)
    assert (told["status"], counts(told)) == ("COMPLETE", (3, 2, 1))
    assert told["progress"]["failureCodes"] == ["ImageNotFound"]
    failed = backfills.told(backfill, resultStatusFilter="FAILED")
    assert results(failed) == [(digests[1], "1.0", "FAILED", "ImageNotFound")]
    assert len(backfills.told(backfill, resultStatusFilter="COMPLETE")["results"]) == 2

    first = backfills.told(backfill, maxResults=2)
    rest = backfills.told(backfill, maxResults=2, nextToken=first["nextToken"])
    assert results(first) + results(rest) == results(told)
    assert "nextToken" not in rest


def test_the_list_comes_in_pages_and_forgets_a_backfill_90_days_after_its_end(
    stand, ecr, registries, team_app, backfills
):
    regions = (ABROAD, "eu-central-1", "us-west-2")
    registries.configure(*((region, ACCOUNT) for region in regions))
    ids = [backfills.start(region) for region in regions]
    backfills.told(ids[-1])

    first = ecr.list_replication_backfills(maxResults=2)
    rest = ecr.list_replication_backfills(maxResults=2, nextToken=first["nextToken"])
    pages = [[one["replicationBackfillId"] for one in page["backfills"]] for page in (first, rest)]
    assert pages == [ids[:2], ids[2:]]
    assert all(one["endedAt"] for one in first["backfills"])

    stand.clock.ahead += timedelta(days=89)
    later = backfills.start()
    backfills.told(later)
    assert len(ecr.list_replication_backfills()["backfills"]) == 4
    stand.clock.ahead += timedelta(days=2)
    assert [one["replicationBackfillId"] for one in ecr.list_replication_backfills()["backfills"]] == [later]
    gone = code_of(ecr.describe_replication_backfill_results, replicationBackfillId=ids[0])
    assert gone == "ReplicationBackfillNotFoundException"
    stand.ecr.run_due()
    with stand.ecr.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM backfill").fetchone()[0] == 1


def test_a_larger_page_than_the_largest_is_refused(ecr):
    assert code_of(ecr.list_replication_backfills, maxResults=51) == "InvalidParameterException"
    asked = {"replicationBackfillId": NOBODY, "maxResults": 1001}
    assert code_of(ecr.describe_replication_backfill_results, **asked) == "InvalidParameterException"


# ---------------------------------------------------------------- what is refused


def test_a_destination_that_no_rule_names_is_refused(ecr, registries, team_app):
    registries.configure((ABROAD, ACCOUNT))
    for destination in ({"region": "eu-central-1", "registryId": ACCOUNT}, {"region": ABROAD, "registryId": OTHER}):
        code = code_of(ecr.start_replication_backfill, destination=destination)
        assert code == "InvalidParameterException"


def test_one_backfill_at_a_time_goes_to_a_region_whosever_registry_it_is(stand, ecr, registries, team_app, backfills):
    registries.configure((ABROAD, ACCOUNT), (ABROAD, OTHER), ("eu-central-1", ACCOUNT))
    with stand.ecr.background.paused():
        backfills.start()
        code = code_of(ecr.start_replication_backfill, destination={"region": ABROAD, "registryId": OTHER})
        backfills.start("eu-central-1")
    assert code == "ReplicationBackfillInProgressException"
    stand.ecr.wait_until_idle()
    backfills.start(ABROAD, OTHER)


def test_ten_backfills_of_a_registry_are_under_way_at_most(stand, ecr, registries, team_app, backfills):
    regions = [
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
        *("us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "ap-south-1"),
    ]
    registries.configure(*((region, ACCOUNT) for region in regions))
    with stand.ecr.background.paused():
        for region in regions[:10]:
            backfills.start(region)
        code = code_of(ecr.start_replication_backfill, destination={"region": regions[10], "registryId": ACCOUNT})
    assert code == "LimitExceededException"
    stand.ecr.wait_until_idle()
    backfills.start(regions[10])


# ---------------------------------------------------------------- how it ends


def test_a_backfill_that_is_being_prepared_stops_at_once(stand, ecr, registries, team_app, backfills):
    team_app.push_image("one", "1.0")
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        backfill = backfills.start()
        assert ecr.stop_replication_backfill(replicationBackfillId=backfill)["status"] == "STOPPED"

    told = backfills.told(backfill)
    assert (told["status"], told["results"], "progress" in told) == ("STOPPED", [], False)
    assert registries.names(ABROAD) == set()


def test_a_backfill_that_is_stopped_keeps_what_it_has_copied_and_copies_no_more(
    stand, ecr, registries, team_app, backfills
):
    copied = team_app.push_image("one", "1.0")
    team_app.push_image("two", "2.0")
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        backfill = backfills.start()
        assert prepare(stand.ecr) and copy_one(stand.ecr)
        assert ecr.stop_replication_backfill(replicationBackfillId=backfill)["status"] == "STOPPING"
        again = code_of(ecr.stop_replication_backfill, replicationBackfillId=backfill)

    told = backfills.told(backfill)
    assert (told["status"], counts(told)) == ("STOPPED", (2, 1, 0))
    assert results(told) == [(copied, "1.0", "COMPLETE", None)]
    assert registries.held(ABROAD) == {copied: {"1.0"}}
    assert again == "ReplicationBackfillInvalidStatusException"


def test_a_backfill_that_is_over_or_that_nobody_knows_cannot_be_stopped(ecr, registries, team_app, backfills):
    registries.configure((ABROAD, ACCOUNT))
    backfill = backfills.start()
    backfills.told(backfill)

    assert code_of(ecr.stop_replication_backfill, replicationBackfillId=backfill) == (
        "ReplicationBackfillInvalidStatusException"
    )
    assert code_of(ecr.stop_replication_backfill, replicationBackfillId=NOBODY) == (
        "ReplicationBackfillNotFoundException"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("images", "status"), [(99, "COMPLETE"), (120, "FAILED")])
def test_a_backfill_fails_when_half_of_a_hundred_copies_have(registries, team_app, backfills, images, status):
    """Another account lets nobody in; fewer than a hundred are not judged."""
    manifest = team_app.image("one")
    for number in range(images):
        assert team_app.push_manifest(f"t{number}", manifest).status == 201
    registries.configure((ABROAD, OTHER))

    told = backfills.told(backfills.start(ABROAD, OTHER))

    done = min(images, 100)
    assert (told["status"], counts(told)) == (status, (images, 0, done))
    assert told["progress"]["failureCodes"] == ["AccessDenied"]
    assert ("failureCode" in told) == (status == "FAILED")
    with registries.stand.ecr.store.reading() as connection:
        waiting = connection.execute("SELECT count(*) FROM replication WHERE status = 'IN_PROGRESS'").fetchone()[0]
    assert waiting == 0


def test_an_index_that_fails_tells_why_its_images_did(registries, team_app, backfills):
    team_app.push_index("1.0", [team_app.push_image("amd64")])
    registries.configure((ABROAD, OTHER))

    [failed] = backfills.told(backfills.start(ABROAD, OTHER))["results"]

    assert (failed["failureCode"], failed["subImageFailureCodes"]) == ("AccessDenied", ["AccessDenied"])


def test_a_backfill_goes_on_after_a_restart(make_stand, registries_of, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(repositoryName="team/app")
    digests = {first.distribution().push_image(text, text) for text in ("one", "two", "three")}
    registries_of(first).configure((ABROAD, ACCOUNT))
    first.ecr.background.close()
    asked = {"destination": {"region": ABROAD, "registryId": ACCOUNT}}
    backfill = first.client().start_replication_backfill(**asked)["replicationBackfillId"]
    assert prepare(first.ecr) and copy_one(first.ecr)
    first.server.stop()

    stand = make_stand(tmp_path / "kept")
    assert set(registries_of(stand).held(ABROAD)) == digests
    told = stand.client().describe_replication_backfill_results(replicationBackfillId=backfill)
    assert (told["status"], counts(told)) == ("COMPLETE", (3, 3, 0))
