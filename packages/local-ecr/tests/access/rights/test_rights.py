"""Every request of both faces, with exactly what it needs and without each of it: done, or refused and nothing is done.

The rows are in rows.py. A request of the own account is decided by the role's identity policy; one of another account
by the repository's policy, since the visitor's own policies allow it everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_ecr.control.operations import HANDLERS
from local_ecr.data.routes import OPERATIONS
from local_ecr.quirks import Quirks
from tests.access.conftest import EVERYTHING, open_town
from tests.access.rights.rows import API, DISTRIBUTION, REPOSITORIES, Given, Need, Right
from tests.access.rights.world import APP, BASE, MANIFEST_TYPE, World

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ROWS = [*API, *DISTRIBUTION]


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A town that mounts layers and, unlike ECR, deletes them; with an image in each of two repositories."""
    folder: Path = tmp_path_factory.mktemp("world")
    with open_town(folder, quirks=Quirks(blob_delete_unsupported=False)) as town:
        world = World(town, folder)
        world.root("CreateRepository", repositoryName=BASE)
        world.root("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
        world.manifests.update({name: world.push_image(name, "1.0") for name in (APP, BASE)})
        world.tokens.update({key: town.token(key) for key in ("owner-ci", "visitor-ci")})
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """The same, where nobody is let in and nothing is under way."""
    shared_world.town.ecr.wait_until_idle()
    shared_world.town.identities.clear()
    shared_world.town.repository_may()
    return shared_world


@dataclass(frozen=True)
class Outcome:
    """Whether a request was done, and the last thing that the gate was asked for it."""

    is_done: bool
    need: Need | None


def ask(world: World, key: str, right: Right, given: Given) -> Outcome:
    """Send the request of a row as somebody."""
    log = world.town.ecr.decisions
    log.clear()
    if right.operation:
        try:
            answer = world.call(key, right.operation, {**right.asked, **given})
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException", error
            is_done = False
        else:
            assert not answer.get("failures"), answer
            is_done = True
    else:
        body = given["imageManifest"].encode() if "imageManifest" in given else right.body
        headers = {"Content-Type": MANIFEST_TYPE} if "imageManifest" in given else {}
        answer = world.town.send(world.tokens[key], right.method, right.path.format(**given), body, **headers)
        assert answer.status in (right.status, 403), answer.data
        if answer.status == 403 and right.method != "HEAD":
            assert [one["code"] for one in answer.json()["errors"]] == ["DENIED"]
        is_done = answer.status != 403
    last = log.entries()[-1]
    assert last.is_allowed is is_done
    return Outcome(is_done, (last.action, last.resource))


def require_refusal(world: World, key: str, right: Right, given: Given) -> Need | None:
    """What the request was refused for; it must not have changed anything, nor told of it but as refused."""
    before, told = world.state(), len(world.town.events)
    outcome = ask(world, key, right, given)
    assert not outcome.is_done
    assert world.state() == before
    for _, _, event in world.town.events[told:]:
        assert event["detail"]["errorCode"] == "AccessDenied", event
    return outcome.need


def allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.mark.parametrize("right", ROWS, ids=str)
def test_a_request_is_done_by_exactly_what_it_needs_and_refused_without_any_of_it(world, right):
    given = right.prepare(world, "owner-ci") or {}
    for need in right.needs:
        action, resource = need
        elsewhere = {"Resource": f"{REPOSITORIES}*"} if resource == "*" else {"NotResource": resource}
        world.let_in("owner-ci", {"Effect": "Allow", "NotAction": action, "Resource": "*"})
        assert require_refusal(world, "owner-ci", right, given) == need
        world.let_in("owner-ci", {"Effect": "Allow", "Action": "*", **elsewhere})
        assert require_refusal(world, "owner-ci", right, given)[1] == resource
        world.let_in("owner-ci", EVERYTHING, {**allow(action, resource), "Effect": "Deny"})
        assert require_refusal(world, "owner-ci", right, given) == need

    world.let_in("owner-ci", *(allow(*need) for need in right.needs))

    assert ask(world, "owner-ci", right, given).is_done


@pytest.mark.slow
@pytest.mark.parametrize("right", [right for right in ROWS if right.takes_guests], ids=str)
def test_a_guest_does_what_the_repository_allows_and_is_refused_without_any_of_it(world, right):
    given = right.prepare(world, "visitor-ci") or {}
    name = right.repository_name
    for action, resource in right.needs:
        but_one = {"Effect": "Allow", "NotAction": action}
        world.let_in("visitor-ci", but_one, repository_name=name)
        assert require_refusal(world, "visitor-ci", right, given) == (action, resource)

    world.let_in("visitor-ci", *(allow(*need) for need in right.needs), repository_name=name)

    assert ask(world, "visitor-ci", right, given).is_done


def test_every_operation_and_every_route_has_a_row():
    assert {right.operation for right in API} == set(HANDLERS)
    assert {(right.kind, right.method) for right in DISTRIBUTION} == set(OPERATIONS)


PATHS = {
    right.kind: right.path.format(digest="-", uploadId="-", imageTag="-", layerDigests="-") for right in DISTRIBUTION
}


@pytest.mark.parametrize(("kind", "method"), list(product(PATHS, METHODS)))
def test_a_route_asks_who_is_there_and_has_no_other_method(world, kind, method):
    before = world.state()
    world.let_in("owner-ci", EVERYTHING)
    world.town.ecr.decisions.clear()

    assert world.town.send("", method, PATHS[kind]).status == 401
    if (kind, method) not in OPERATIONS:
        assert world.town.send(world.tokens["owner-ci"], method, PATHS[kind]).status == 405

    assert world.town.ecr.decisions.entries() == []
    assert world.state() == before


def test_a_layer_is_mounted_only_from_a_repository_that_may_be_read(world):
    asked = ("POST", f"blobs/uploads/?mount={World.layer_digest}&from={BASE}")
    start, read = allow("ecr:InitiateLayerUpload", REPOSITORIES + APP), allow("ecr:GetDownloadUrlForLayer", "*")
    statuses = {}
    for name, statements in {
        "neither": [],
        "to read alone": [read],
        "to start alone": [start],
        "to read another": [start, {**read, "Resource": REPOSITORIES + APP}],
        "both": [start, {**read, "Resource": REPOSITORIES + BASE}],
    }.items():
        world.let_in("owner-ci", *statements)
        statuses[name] = world.town.send(world.tokens["owner-ci"], *asked).status
    assert statuses == {
        "neither": 403,
        "to read alone": 403,
        "to start alone": 202,
        "to read another": 202,
        "both": 201,
    }
