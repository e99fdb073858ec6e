"""What handlers do for the accounts that the template's parameter SpokeAccounts names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.domain.images import Image
from ecr_steward.domain.names import ImageRef, RegistryRef, image_tag
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from tests.given.rules import API, HOME
from tests.given.worlds import World, manifest, world

IMAGE = manifest("image")
TWO = "222233334444"
THERE = ImageRef(API.in_registry(RegistryRef(TWO, HOME.region)), IMAGE.digest)


@pytest.fixture
def there(move_in: Callable[[World], None], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which account two is connected, and holds an image that was pushed there."""
    found = world([IMAGE], {"1.4.2": IMAGE})
    found.registry.create_missing(THERE.repository)
    found.registry.push(Image(THERE, frozenset({image_tag("2.0.0")})))
    move_in(found)
    app = replace(bootstrap.app(), connected=frozenset({TWO}))
    monkeypatch.setattr(bootstrap, "app", lambda: app)
    return found


def test_sweep_looks_at_home_and_at_each_connected_account_in_the_region_of_its_schedule(
    there: World, sweep: Callable[[], None]
) -> None:
    sweep()

    swept = [call.arguments[0] for call in there.registry.calls.entries if call.method == "repositories"]
    assert swept[:2] == [HOME, RegistryRef(TWO, HOME.region)]
    assert there.registry.tags_of(THERE) == {"2.0.0", "2.0-latest", "2-latest"}


def test_home_is_swept_once_when_it_is_named_among_the_connected_accounts(
    there: World, sweep: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = replace(bootstrap.app(), connected=frozenset({HOME.account, TWO}))
    monkeypatch.setattr(bootstrap, "app", lambda: app)

    sweep()

    assert there.registry.calls.entries.count(("repositories", (HOME,))) == 1


def test_push_in_a_connected_account_is_governed_there(
    there: World, context: Any, load_event: Callable[[str], Any]
) -> None:
    push = load_event("ecr_image_action/push_tagged") | {"account": TWO, "region": HOME.region}
    push["detail"] |= {
        "repository-name": THERE.repository.name,
        "image-digest": THERE.digest.value,
        "image-tag": "2.0.0",
    }

    enforce_image_tags(push, context)

    assert there.registry.tags_of(THERE) == {"2.0.0", "2.0-latest", "2-latest"}
    assert there.registry.tags_of(ImageRef(API, IMAGE.digest)) == {"1.4.2"}
