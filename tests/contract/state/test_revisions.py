"""The contract of ``Revisions``: every test runs on the fake and on the adapter."""

from datetime import timedelta

from ecr_steward.adapters.state_revisions import KEPT, StateRevisions
from tests.given.rules import AWAY, HOME

ARN = "arn:aws:ecs:us-east-1:111122223333:task-definition/api:7"
URI = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team-a/api:1.4.2"


def test_what_revisions_name_is_known_from_then_on_where_they_are(world):
    assert world.revisions.known(HOME) == {}

    world.revisions.keep(HOME, {ARN: (URI,)})
    world.revisions.keep(HOME, {"another": ()})

    assert world.revisions.known(HOME) == {ARN: (URI,), "another": ()}
    assert world.revisions.known(AWAY) == {}


def test_the_table_forgets_what_was_not_read_for_months(world):
    if not isinstance(world.revisions, StateRevisions):
        return
    world.revisions.keep(HOME, {ARN: (URI,)})

    world.clock.pass_by(KEPT)
    assert world.revisions.known(HOME) == {ARN: (URI,)}
    world.clock.pass_by(KEPT + timedelta(seconds=1))
    assert world.revisions.known(HOME) == {}
