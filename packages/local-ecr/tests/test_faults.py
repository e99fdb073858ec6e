"""Events that are lost, doubled, late or out of order because a test asked for it, and never otherwise."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.faults import EXAMPLE, Fault, FaultError, Faults, read_fault, repositories_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OTHER_TYPE = "ECR Image Scan"


class Bench:
    """Faults, a clock that stands still until it is moved, and what came through."""

    def __init__(self):
        self.now = NOON
        self.came = []
        self.faults = Faults(lambda account, region, event: self.came.append(event["id"]), lambda: self.now)

    def send(self, *numbers, repository="team/app", detail_type="ECR Image Action"):
        for number in numbers:
            event = {"id": number, "detail-type": detail_type, "detail": {"repository-name": repository}}
            self.faults.send("111122223333", "us-east-1", event)

    def pass_time(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.faults.release_due(self.now)


@pytest.fixture
def bench():
    return Bench()


def test_every_event_comes_once_and_in_order_when_there_is_no_fault(bench):
    bench.send(*range(20))

    assert bench.came == list(range(20))
    assert (bench.faults.done, bench.faults.held, bench.faults.standing) == ([], [], [])


def test_the_next_events_are_lost_and_noted_when_they_are_to_be_dropped(bench):
    bench.faults.drop(next=2)

    bench.send(1, 2, 3)

    assert bench.came == [3]
    assert [(one.kind, one.event["id"], one.time, one.region) for one in bench.faults.done] == [
        ("drop", 1, NOON, "us-east-1"),
        ("drop", 2, NOON, "us-east-1"),
    ]
    assert bench.faults.standing == []


def test_only_events_of_the_filter_are_touched_when_a_fault_has_one(bench):
    bench.faults.drop(detail_type="ECR Image Action", repository="team/app")

    bench.send(1)
    bench.send(2, repository="team/other")
    bench.send(3, detail_type=OTHER_TYPE)

    assert bench.came == [2, 3]


def test_the_same_event_comes_twice_when_it_is_doubled(bench):
    bench.faults.double(next=1)

    bench.send(1, 2)

    assert bench.came == [1, 1, 2]


def test_an_event_comes_when_its_delay_is_over_by_the_clock(bench):
    bench.faults.delay(seconds=90, next=1)
    bench.send(1, 2)
    assert (bench.came, [one["id"] for one in bench.faults.held]) == ([2], [1])

    bench.pass_time(89)
    assert bench.came == [2]
    bench.pass_time(1)
    assert bench.came == [2, 1]
    assert bench.faults.held == []


def test_an_event_waits_for_its_release_when_its_delay_has_no_end(bench):
    bench.faults.delay()
    bench.send(1, 2)
    bench.pass_time(10**8)
    assert bench.came == []

    assert bench.faults.release() == 2

    assert bench.came == [1, 2]
    bench.send(3)
    assert bench.came == [1, 2]


def test_a_window_of_events_comes_in_another_order_when_they_are_reordered(bench):
    bench.faults.reorder(3)
    bench.send(1, 2)
    assert bench.came == []

    bench.send(3, 4)

    assert sorted(bench.came) == [1, 2, 3]
    assert bench.came != [1, 2, 3]
    assert [one["id"] for one in bench.faults.held] == [4]


def test_a_window_is_not_waited_for_when_the_fault_is_for_fewer_events(bench):
    bench.faults.reorder(5, next=2)

    bench.send(1, 2, 3)

    assert bench.came == [2, 1, 3]


def test_nothing_happens_any_more_and_what_was_held_comes_when_faults_are_cleared(bench):
    bench.faults.delay(next=1)
    bench.faults.reorder(2)
    bench.send(1, 2)

    assert bench.faults.clear() == 2

    bench.send(3, 4)
    assert bench.came == [1, 2, 3, 4]
    assert len(bench.faults.done) == 2


def test_an_event_meets_one_fault_only_when_several_are_for_it(bench):
    bench.faults.drop(next=1)
    bench.faults.double(next=1)

    bench.send(1, 2, 3)

    assert bench.came == [2, 2, 3]


@given(seed=st.integers(), share=st.floats(0.05, 1))
def test_the_same_events_are_hit_when_the_seed_is_the_same(seed, share):
    first, second = Bench(), Bench()
    for bench in (first, second):
        bench.faults.seed(seed)
        bench.faults.drop(share=share)
        bench.send(*range(100))

    assert first.came == second.came
    assert len(first.came) + len(first.faults.done) == 100


def test_about_so_many_events_are_hit_as_the_share_says(bench):
    bench.faults.drop(share=0.25)

    bench.send(*range(2000))

    assert 400 < len(bench.faults.done) < 600


@given(
    faults=st.lists(
        st.one_of(
            st.builds(Fault, st.just("double"), share=st.floats(0.1, 1), next=st.none() | st.integers(1, 5)),
            st.builds(Fault, st.just("delay"), share=st.floats(0.1, 1), seconds=st.none() | st.floats(1, 50)),
            st.builds(Fault, st.just("reorder"), share=st.floats(0.1, 1), window=st.integers(2, 6)),
        ),
        max_size=3,
    ),
    events=st.integers(0, 40),
)
def test_no_event_is_lost_or_made_up_when_none_is_dropped(faults, events):
    bench = Bench()
    for fault in faults:
        bench.faults.add(fault)

    for number in range(events):
        bench.send(number)
        bench.pass_time(3)
    bench.faults.clear()

    doubled = [one.event["id"] for one in bench.faults.done if one.kind == "double"]
    assert sorted(bench.came) == sorted([*range(events), *doubled])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a fault is an object with a kind"),
        ({"next": 1}, "a fault is an object with a kind"),
        ({"kind": "lose"}, "kind is one of drop, double, delay, reorder, not 'lose'"),
        ({"kind": []}, "kind is one of"),
        ({"kind": "drop", "share": 0}, "share is a number above 0 and at most 1, not 0"),
        ({"kind": "drop", "share": "half"}, "share is a number"),
        ({"kind": "drop", "next": 0}, "next is a number of events, at least 1, not 0"),
        ({"kind": "drop", "next": True}, "next is a number of events"),
        ({"kind": "drop", "detail_type": 7}, "detail_type is a text, not 7"),
        ({"kind": "drop", "repository": ""}, "repository is a text"),
        ({"kind": "drop", "seconds": 3}, "seconds is for delay; a drop has none"),
        ({"kind": "delay", "seconds": 0}, "seconds is above 0"),
        ({"kind": "delay", "seconds": 1e300}, "seconds is how long a delay is"),
        ({"kind": "delay", "seconds": "1h"}, "seconds is how long a delay is, not '1h'"),
        ({"kind": "reorder"}, "reorder has a window of 2 to 1000 events, not None"),
        ({"kind": "reorder", "window": 1}, "reorder has a window"),
        ({"kind": "double", "window": 2}, "window is for reorder; a double has none"),
        (
            {"kind": "drop", "chance": 1},
            "a fault has no 'chance'; it has detail_type, next, repository, seconds",
        ),
    ],
)
def test_a_mistake_is_explained_when_a_fault_is_none(document, said):
    with pytest.raises(FaultError) as refusal:
        read_fault(document)

    assert said in str(refusal.value)


def test_the_example_is_a_fault():
    assert read_fault(EXAMPLE) == Fault("drop", next=2, detail_type="ECR Image Action", repository="team/app")


@pytest.mark.parametrize(
    "event",
    [
        {"detail": {"repository-name": "team/app"}},
        {"detail": {"repository-name": "arn:aws:ecr:us-east-1:111122223333:repository/team/app"}},
        {"detail": {"requestParameters": {"repositoryName": "team/app"}}},
        {"detail": {"requestParameters": None, "resources": [{"ARN": "arn:aws:ecr:r:1:repository/team/app"}]}},
        {"detail": {"repositories": [{"repository-name": "team/app"}]}},
        {"resources": ["arn:aws:ecr:us-east-1:111122223333:repository/team/app/sha256:84f5"], "detail": {}},
    ],
)
def test_the_repository_of_an_event_is_known_wherever_its_type_has_it(event):
    assert repositories_of(event) == {"team/app"}


def test_an_event_without_a_repository_is_of_none():
    assert repositories_of({"detail": {"requestParameters": {"registryId": "1"}, "resources": []}}) == set()


def test_the_event_of_a_push_is_lost_while_its_image_is_there_when_a_registry_drops_it(stand, ecr, team_app):
    stand.ecr.faults.drop(next=1, detail_type="ECR Image Action")

    lost, told = team_app.push_image("one", "1.0"), team_app.push_image("two", "2.0")

    assert stand.image_actions() == [("PUSH", told, "2.0")]
    assert ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])["imageDetails"]
    assert [one.event["detail"]["image-digest"] for one in stand.ecr.faults.done] == [lost]


def test_the_event_of_a_push_comes_when_the_clock_of_the_registry_is_moved(stand, team_app):
    stand.ecr.faults.delay(seconds=3600, detail_type="ECR Image Action")
    digest = team_app.push_image("one", "1.0")
    assert stand.image_actions() == []

    stand.clock.ahead += timedelta(hours=2)
    stand.ecr.run_due()

    assert stand.image_actions() == [("PUSH", digest, "1.0")]


def test_both_copies_of_an_event_are_sent_when_the_receiver_fails_at_the_first(make_stand, caplog):
    came = []

    def receive(account, region, event):
        came.append(event["id"])
        raise OSError("full")

    stand = make_stand(on_event=receive)
    stand.ecr.faults.double(next=1)
    stand.client().create_repository(repositoryName="team/app")

    assert len(came) == 2
    assert len(set(came)) == 1
    assert "the receiver of a 'AWS API Call via CloudTrail' event failed" in caplog.text
