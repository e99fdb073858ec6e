"""Carry out the lifecycle policies that are due: what is decided in `plan`, by the code that serves the API."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from local_ecr import events
from local_ecr.events import LifecycleAction
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.images.storage_class import archive_image
from local_ecr.lifecycle.plan import Step, followers, plan
from local_ecr.lifecycle.policy import EXPIRE, read_policy
from local_ecr.names import Digest
from local_ecr.state import images, lifecycle, repositories
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store

logger = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=10)
"""How often whoever runs this should ask for what is due."""

BATCH = 100
"""Images in one transaction: others push and pull in between, and what a killed process leaves is planned again."""


def run_lifecycle(store: Store, now: datetime, *, tells_trail: bool) -> None:
    """Evaluate every policy that is due at `now`, of all registries, and do what it says."""
    with store.reading() as connection:
        due = lifecycle.due(connection, now)
    for repository_id in due:
        try:
            _run(store, repository_id, now, tells_trail=tells_trail)
        except Exception:  # one repository's trouble is not another's; it stays due
            logger.exception("a lifecycle policy could not be carried out")


def _run(store: Store, repository_id: int, now: datetime, *, tells_trail: bool) -> None:
    with store.reading() as connection:
        repository = repositories.find_by_id(connection, repository_id)
        if repository is None or repository.lifecycle_policy is None:
            return
        ran_at = lifecycle.ran_at(connection, repository)
        facts = lifecycle.facts_of(connection, repository)
    policy = repository.lifecycle_policy
    steps = plan(facts, read_policy(policy), now.timestamp())
    actions = carry_out(store, repository, [*steps, *followers(facts, steps)], now)
    with store.changing() as change:
        # another policy may have been set meanwhile, and has its own day
        if repositories.find_by_id(change.connection, repository_id) == repository:
            lifecycle.record_run(change.connection, repository, now)
    if tells_trail:
        rules = json.loads(policy)["rules"]
        for event in events.lifecycle_executed(
            repository.registry, repository.name, rules, actions, now, last_evaluated_at=ran_at
        ):
            store.deliver(repository.registry, event)


def carry_out(store: Store, repository: Repository, steps: Sequence[Step], now: datetime) -> list[LifecycleAction]:
    """Do the steps, each unless its image is another than when it was planned: then the next run decides.

    What rules did with images, or could not do; what only followed its subject is no rule's doing.
    """
    done = []
    for first in range(0, len(steps), BATCH):
        with store.changing() as change:
            for step in steps[first : first + BATCH]:
                action = _act(change, repository, step, now)
                if action is not None and step.rule_priority is not None:
                    done.append(action)
    return done


def _act(change: Change, repository: Repository, step: Step, now: datetime) -> LifecycleAction | None:
    """One step; None when the image is another by now."""
    facts = step.image
    image = images.by_digest(change.connection, repository.id, facts.digest)
    if image is None or image.id != facts.id:
        return None
    is_as_planned = tuple(images.tags_of(change.connection, image)) == facts.image_tags
    if not is_as_planned or (image.archived_at, image.activated_at) != (facts.archived_at, facts.activated_at):
        return None
    action = LifecycleAction(
        digest=facts.digest,
        image_tags=facts.image_tags,
        pushed_at=datetime.fromtimestamp(facts.pushed_at, UTC),
        rule_priority=step.rule_priority or 0,
    )
    try:
        if step.action == EXPIRE:
            remove_image(change, repository, ImageId(Digest(facts.digest)), now)
        else:
            archive_image(change, repository, image, now)
    except ImageFailureError as failure:
        return replace(action, failure=(failure.code, failure.reason))
    return action
