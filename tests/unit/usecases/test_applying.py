"""What every plan of a rule goes through: the pause, the brake, the record."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import (
    InMemoryBrakes,
    InMemoryJournal,
    InMemoryNotices,
    InMemoryRegistry,
    InMemorySwitch,
)
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.brake import Brake, Hold
from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.images import Image, RepositoryImages
from ecr_steward.domain.journal import StepState
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.notices import AccessWidened, BrakeHeld
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteAndRetag,
    Plan,
    PutLifecyclePolicy,
    PutScanOnPush,
    RemoveImageTag,
)
from ecr_steward.domain.policies.rules import PolicyRules
from ecr_steward.domain.repositories import Repository, RepositorySettings
from ecr_steward.errors import ImageNotFoundError, ImageTagIsImmutableError, RegistryUnavailableError, ThrottledError
from tests.given.appliers import applier_of
from tests.given.rules import API, HOME, service_rule

PAUSE = Pause("ana", "a storm", NOON)
TODAY = NOON.date()


class SlowRegistry(InMemoryRegistry):
    """A registry that needs twenty seconds to remove an image tag, while somebody may pause everything."""

    def __init__(self, house, images):
        super().__init__(images=images)
        self.house = house

    def remove_image_tag(self, image, image_tag):
        super().remove_image_tag(image, image_tag)
        if self.house.pause_after_removal:
            self.house.switch.elsewhere = self.house.pause_after_removal
            self.house.now += timedelta(seconds=20)


class House:
    """A repository of tagged images, and an applier that may take two of their tags away."""

    def __init__(self, removals=2):
        self.now = NOON
        self.pause_after_removal = None
        tags = [frozenset(map(ImageTag, (f"v{number}", f"denied-{number}"))) for number in range(6)]
        pushed = NOON - timedelta(days=1)
        images = [Image(ImageRef(API, digest(number)), held, pushed_at=pushed) for number, held in enumerate(tags)]
        self.registry = SlowRegistry(self, images)
        self.notices = InMemoryNotices()
        self.switch = InMemorySwitch(lambda: self.now)
        self.brakes = InMemoryBrakes(lambda: self.now)
        self.journal = InMemoryJournal(lambda: self.now)
        self.applier = applier_of(
            self.registry,
            notices=self.notices,
            switch=self.switch,
            brakes=self.brakes,
            journal=self.journal,
            now=lambda: self.now,
            brake=Brake(removals, share=100),
        )

    def take(self, *numbers, applier=None, also=()):
        plan = Plan((*also, *(removal(number) for number in numbers)))
        return (applier or self.applier).apply(plan, API, self.images)

    @property
    def images(self):
        return RepositoryImages.of(API, self.registry.images_in(API))

    def denied(self):
        return sorted(tag for image in self.registry.images_in(API) for tag in image.image_tags if "denied" in tag)

    def recorded(self):
        return [(entry.what, entry.state) for entry in self.journal.entries(TODAY, TODAY)]


def digest(number):
    return Digest(f"sha256:{number:064x}")


def removal(number):
    image = ImageRef(API, digest(number))
    return RemoveImageTag(rule="services", why="denied", image=image, image_tag=ImageTag(f"denied-{number}"))


HARMLESS = PutScanOnPush(rule="services", why="off", repository=API, scan_on_push=True)


def test_a_plan_is_carried_out_and_recorded_when_nothing_speaks_against_it():
    house = House()

    halt = house.take(0, 1)

    assert halt is None
    assert house.denied() == ["denied-2", "denied-3", "denied-4", "denied-5"]
    assert sorted(house.recorded()) == sorted((str(removal(n)), StepState.DONE) for n in (0, 1))


def test_nothing_is_done_when_everything_is_paused():
    house = House()
    house.switch.elsewhere = PAUSE

    assert house.take(0) == PAUSE
    assert house.registry.calls.changes == []
    assert house.brakes.calls.methods == []


def test_nothing_is_done_when_the_switch_cannot_be_read():
    house = House()
    house.switch.calls.fail_before("paused", RegistryUnavailableError("the table is away"))

    with pytest.raises(RegistryUnavailableError):
        house.take(0)

    assert house.registry.calls.changes == []


def test_a_plan_ends_after_the_step_under_way_when_it_is_paused_meanwhile():
    house = House(removals=6)
    house.pause_after_removal = PAUSE

    halt = house.take(0, 1, 2, 3, 4, 5)

    assert halt == PAUSE
    assert house.denied() == ["denied-2", "denied-3", "denied-4", "denied-5"]  # 40 s later nothing more


def test_a_plan_is_not_carried_out_at_all_when_it_takes_too_much_away():
    house = House()

    halt = house.take(0, 1, 2, also=[HARMLESS])

    assert halt == Hold("services", str(API), 3, "3 removals, more than the 2 of its brake", NOON)
    assert house.registry.calls.changes == []
    assert house.recorded() == []


def test_people_are_told_once_when_a_brake_holds_and_held_plans_follow():
    house = House()
    hold = house.take(0, 1, 2)

    for number in (3, 4):
        house.now += timedelta(minutes=1)
        assert house.take(number) == hold

    assert house.notices.published == [BrakeHeld("services", str(API), 3, hold.why, NOON)]
    assert len(house.notices.calls.methods) == 1


def test_people_are_told_by_the_next_one_when_the_first_could_not():
    house = House()
    house.notices.calls.fail_before("publish", ThrottledError("the bus is busy"))
    with pytest.raises(ThrottledError):
        house.take(0, 1, 2)

    hold = house.take(3)

    assert isinstance(hold, Hold)
    assert [notice.removals for notice in house.notices.published] == [3]


def test_a_plan_that_takes_nothing_away_is_carried_out_while_the_brake_of_its_rule_holds():
    house = House()
    house.take(0, 1, 2)

    assert house.applier.apply(Plan((HARMLESS,)), API) is None
    assert house.registry.settings_of(API).scan_on_push


def test_removals_of_an_hour_count_together_and_those_of_the_next_one_by_themselves():
    house = House()
    assert house.take(0) is None
    house.now = NOON.replace(minute=59)
    assert house.take(1) is None
    house.now = NOON + timedelta(hours=1)

    assert house.take(2) is None
    assert house.take(3) is None
    assert isinstance(house.take(4), Hold)


def test_a_sweep_counts_by_itself_and_over_the_hours():
    house = House()
    of_sweep = house.applier.in_window("sweep 1")
    assert house.take(0, 1) is None

    assert house.take(2, applier=of_sweep) is None
    house.now += timedelta(hours=3)
    assert house.take(3, applier=of_sweep) is None
    assert isinstance(house.take(4, applier=of_sweep), Hold)


def test_what_a_person_releases_is_carried_out_by_the_next_plan():
    house = House()
    hold = house.take(0, 1, 2)

    house.brakes.release(hold, hold.asked)

    assert house.take(0, 1, 2) is None
    assert house.denied() == ["denied-3", "denied-4", "denied-5"]
    assert house.take(3) is None
    assert isinstance(house.take(4, 5), Hold)


def test_what_answers_a_push_is_done_while_a_brake_holds():
    """H4: a hold that a pusher had brought about kept every later forbidden tag where it was."""
    house = House()
    assert isinstance(house.take(0, 1, 2), Hold)
    evil = Image(ImageRef(API, digest(7)), frozenset(map(ImageTag, ("latest", "1.0.0"))), pushed_at=house.now)
    house.registry.push(evil)
    latest = RemoveImageTag(rule="services", why="denied", image=evil.ref, image_tag=ImageTag("latest"))

    assert house.applier.apply(Plan((latest,)), API, house.images) is None

    assert house.registry.tags_of(evil.ref) == {"1.0.0"}


def test_a_brake_of_no_removal_holds_answers_to_a_push_too():
    house = House(removals=0)
    evil = Image(ImageRef(API, digest(7)), frozenset(map(ImageTag, ("latest", "1.0.0"))), pushed_at=house.now)
    house.registry.push(evil)
    latest = RemoveImageTag(rule="services", why="denied", image=evil.ref, image_tag=ImageTag("latest"))

    assert isinstance(house.applier.apply(Plan((latest,)), API, house.images), Hold)


def test_a_moved_image_tag_is_recorded_and_a_new_one_is_not():
    house = House()
    image = ImageRef(API, digest(0))
    new = AddImageTag(rule="services", why="w", image=image, image_tag=ImageTag("1-latest"))
    moved = AddImageTag(rule="services", why="w", image=image, image_tag=ImageTag("v1"), previous=digest(1))

    house.applier.apply(Plan((new, moved)), API, house.images)

    assert house.recorded() == [(str(moved), StepState.DONE)]


@pytest.mark.parametrize(
    ("error", "fault", "state"),
    [
        (ImageTagIsImmutableError("no"), "fail_before", StepState.FAILED),
        (RegistryUnavailableError("no answer"), "fail_after", StepState.INTENDED),
    ],
)
def test_the_record_says_how_a_step_ended_when_it_did_not_end_well(error, fault, state):
    house = House()
    getattr(house.registry.calls, fault)("remove_image_tag", error)

    with pytest.raises(type(error)):
        house.take(0)

    assert house.recorded() == [(str(removal(0)), state)]


def test_half_of_a_step_is_never_recorded_as_nothing():
    """Who believed it could not undo it: the alias has left its image, and the other one was deleted meanwhile."""
    house = House()
    gone = ImageRef(API, digest(99))
    step = DeleteAndRetag(rule="services", why="w", image=gone, image_tag=ImageTag("v1"), previous=digest(1))

    with pytest.raises(ImageNotFoundError):
        house.applier.apply(Plan((step,)), API, house.images)

    assert "v1" not in house.registry.tags_of(ImageRef(API, digest(1)))
    assert house.recorded() == [(str(step), StepState.INTENDED)]


def test_a_step_is_not_done_when_it_cannot_be_recorded():
    house = House()
    house.journal.calls.fail_before("begin", ThrottledError("the table is busy"))

    with pytest.raises(ThrottledError):
        house.take(0)

    assert house.registry.calls.changes == []


def test_the_error_of_the_registry_is_told_when_the_record_fails_too():
    house = House()
    house.registry.calls.fail_before("remove_image_tag", ImageTagIsImmutableError("it is immutable"))
    house.journal.calls.fail_before("end", ThrottledError("the table is busy"))

    with pytest.raises(ImageTagIsImmutableError, match="it is immutable"):
        house.take(0)


def lifecycle(newest):
    """A policy that keeps so many images with a tag that begins with ``v``."""
    selection = {
        "tagStatus": "tagged",
        "tagPrefixList": ["v"],
        "countType": "imageCountMoreThan",
        "countNumber": newest,
    }
    return {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}


def put_lifecycle(newest, previous=None):
    return PutLifecyclePolicy(
        rule="services", why="w", repository=API, document=lifecycle(newest), previous=previous and lifecycle(previous)
    )


def test_a_lifecycle_policy_is_held_when_ecr_would_delete_too_much_by_it():
    """M2 of the AWS review, defect 7 of the core: ``keep: {newest: 3}``, typed for 30."""
    house = House()

    held = house.applier.apply(Plan((put_lifecycle(3),)), API)

    assert isinstance(held, Hold)
    assert held.why == "3 removals, more than the 2 of its brake"
    assert house.applier.apply(Plan((put_lifecycle(6),)), API) is None


def test_a_lifecycle_policy_counts_what_the_one_before_it_would_have_kept():
    house = House()

    assert house.applier.apply(Plan((put_lifecycle(3, previous=5),)), API) is None

    (entry,) = house.journal.entries(TODAY, TODAY)
    assert (entry.step, json.loads(entry.document)) == ("PutLifecyclePolicy", lifecycle(5))


def opened_to(account):
    statement = {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": account}, "Action": "ecr:BatchGetImage"}
    opened = replace(rule_of(PolicyRules(statements=(statement,))), name="services")
    return plan_repository(opened, Repository(API, RepositorySettings(policy=None)))


def test_what_lets_others_in_is_counted_and_recorded():
    """M10: repositories were opened, and no brake counted it."""
    house = House()
    plan = opened_to("222233334444")

    assert [type(house.applier.apply(plan, API)).__name__ for _ in range(3)] == ["NoneType", "NoneType", "Hold"]
    assert {entry.step for entry in house.journal.entries(TODAY, TODAY)} == {"SetRepositoryPolicy"}


def test_each_tagged_image_counts_when_a_repository_is_opened_to_everybody():
    """M10: a repository of many images was opened to the world for the price of one image tag."""
    house = House(removals=5)

    held = house.applier.apply(opened_to("*"), API)

    assert (held.asked, held.why) == (6, "6 removals, more than the 5 of its brake")
    assert house.registry.calls.changes == []
    assert House(removals=6).applier.apply(opened_to("*"), API) is None


def test_what_lets_others_in_is_said_before_it_is_done():
    """M10: repositories were opened, and no notice said so."""
    house = House(removals=20)
    house.registry.calls.fail_before("set_repository_policy", ThrottledError("slow down"))

    with pytest.raises(ThrottledError):
        house.applier.apply(opened_to("*"), API)

    (widened,) = house.notices.published
    assert widened == AccessWidened(
        "services", API, f"set the repository policy of {API}", ("everybody",), is_public=True
    )
    assert not isinstance(house.applier.apply(opened_to("222233334444"), API), Hold)
    assert [(each.principals, each.is_public) for each in house.notices.published[1:]] == [(("222233334444",), False)]


def test_what_lets_in_the_own_account_is_not_counted():
    house = House(removals=0)
    statement = {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": HOME.account}, "Action": "ecr:BatchGetImage"}
    plan = plan_repository(rule_of(PolicyRules(statements=(statement,))), Repository(API, RepositorySettings()))

    assert house.applier.apply(plan, API) is None


def rule_of(policy):
    return service_rule(image_tags=None, repository=lambda _: RepositorySettings(policy_rules=policy))
