"""A demo that cannot fail shows nothing: each act is broken on purpose, and the story must end in it, with a reason.

What is broken are facts, the rulebook and the ways of events. What each permission is for, tests/sandbox/roles shows.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.demo.stage import HOME, REPOSITORY, SPOKE, Stage

pytestmark = pytest.mark.slow


def without_the_rule_for_pushes(house: Any) -> None:
    house.hub.remove("EnforceImageTagsFunction", "Properties", "Events")
    house.hub.forget("EnforceImageTagsFunctionImagePushed")
    house.hub.remove("EnforceImageTagsSilentAlarm")


def change_a_byte(stage: Stage) -> None:
    blob = stage.release("1.4.3").children[0].blobs[-1].digest
    stage.settle()
    replica = stage.layout.root.parent / "data" / "ecr" / stage.sandbox.account / stage.away.region
    (stored,) = replica.glob(f"blobs/sha256/**/{blob.hex}")
    flip_the_last_bit(stored)


def lose_an_image(stage: Stage) -> None:
    image = {"imageDigest": str(stage.release("1.4.3").sbom.digest)}
    stage.away.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[image])


def forget_the_sweep(stage: Stage) -> None:
    stage.sweep = lambda: None  # type: ignore[method-assign]


def stop_the_clock(stage: Stage) -> None:
    stage.move_clock = lambda by, why: None  # type: ignore[method-assign]


def keep_the_workers_in_the_past(stage: Stage) -> None:
    """Move the clock without replacing the workers."""
    stage.sandbox.engine.invocations.restart_all = lambda change: change()  # type: ignore[method-assign,assignment]


def keep_the_workers_with_their_rulebook(stage: Stage) -> None:
    stage.sandbox.engine.invocations.restart = lambda config: None  # type: ignore[method-assign]


def change_a_byte_in_account_two(stage: Stage) -> None:
    """Not at once: what is to be changed comes there in the act."""
    blob = stage.release("1.1.0").children[0].blobs[-1].digest
    stored = stage.layout.root.parent / "data" / "ecr" / SPOKE / HOME / "blobs" / "sha256" / blob.hex
    settle = stage.settle

    def settle_and_change() -> None:
        settle()
        if stored.exists():
            flip_the_last_bit(stored)

    stage.settle = settle_and_change  # type: ignore[method-assign]


def flip_the_last_bit(stored: Any) -> None:
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(content)


BREAKS: list[tuple[int, str, Callable[[Any], object], str]] = [
    (
        1,
        "rule on repository settings",
        lambda house: house.rule("services", lambda rule: rule.pop("repository")),
        "this account may pull",
    ),
    (1, "EventBridge rule for pushes", without_the_rule_for_pushes, "this account may pull"),
    (
        2,
        "aliases of the rule",
        lambda house: house.rule("services", lambda rule: rule["image_tags"].pop("aliases")),
        "are the same image",
    ),
    (3, "byte at the destination", lambda house: house.before(3, change_a_byte), "the bytes sent as"),
    (3, "referrer at the destination", lambda house: house.before(3, lose_an_image), "every digest equal"),
    (
        4,
        "rule on image tags",
        lambda house: house.rule("services", lambda rule: rule["image_tags"].update(deny=[], allow=[])),
        "and no longer latest",
    ),
    (
        5,
        "way of events to the queue of scans",
        lambda house: house.hub.remove("EvaluateImageScanQueuePolicy"),
        "invocations answered them",
    ),
    (6, "sweep", lambda house: house.before(6, forget_the_sweep), "the newest 30 versions are kept"),
    (7, "clock", lambda house: house.before(7, stop_the_clock), "the old login is refused"),
    (
        7,
        "clock of the functions",
        lambda house: house.before(7, keep_the_workers_in_the_past),
        "another login lies in the secret",
    ),
    (
        8,
        "way of verdicts to the queue of copies",
        lambda house: house.hub.remove("ReplicateImageQueuePolicy"),
        "eu-west-1 has payments/api",
    ),
    (
        9,
        "deployment of the rulebook",
        lambda house: house.before(9, keep_the_workers_with_their_rulebook),
        "the verdict is pass",
    ),
    (
        9,
        "schedule of the sweep",
        lambda house: house.hub.default("SweepSchedule", "rate(30 days)"),
        "the sweep's verdict is fail again",
    ),
    (10, "byte in account two", lambda house: house.before(10, change_a_byte_in_account_two), "the bytes sent as"),
    (
        10,
        "EventBridge rule there",
        lambda house: house.spoke.disable("ForwardToStewardRule"),
        "the hub gave it the aliases",
    ),
]


@pytest.mark.parametrize(
    ("act", "what", "take_away", "claim"),
    [
        pytest.param(*row, id=f"act {row[0]}: {row[1]}", marks=pytest.mark.xdist_group(f"tests/sandbox/demo/ {row[0]}"))
        for row in BREAKS
    ],
)
def test_act_fails_with_its_claim_when_a_part_is_missing(
    act: int, what: str, take_away: Callable[[Any], object], claim: str, house: Any
) -> None:
    take_away(house)

    # Of an image for one platform, half of the time: the acts before hold with it, too.
    ending, account = house.tell(act, platforms=1 if act % 2 == 0 else 2)

    assert ending.failed_act == act, account
    assert f"Act {act} failed" in account
    assert claim in ending.why, account
