"""Copies to a registry that is not ECR, by the functions as they are deployed."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.cncf_distribution import cncf_distribution, docker_config, shown_by

pytestmark = [pytest.mark.slow, pytest.mark.client]

SECRET = "ecr-steward/elsewhere"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host of a registry that wants a password."""
    with cncf_distribution(tmp_path_factory.mktemp("elsewhere"), wants_password=True) as host:
        yield host


@pytest.fixture(scope="module")
def house(open_house: Any, elsewhere: str) -> Any:
    """A house whose template lets images go there, and that has its password."""
    made = open_house(parameters={"OtherRegistries": elsewhere})
    made.sandbox.client("secretsmanager").create_secret(Name=SECRET, SecretString=docker_config(elsewhere))
    return made


def copying_to(house: Any, **destination: str) -> None:
    rule = {
        "name": "published",
        "match": {"repositories": ["team/**"], "regions": ["us-east-1"]},
        "mode": "enforce",
        "replicate": [{"to": [{"repository": "mirror/{name}", **destination}]}],
    }
    house.rulebook.deploy(lambda rulebook: rulebook.update(rules=[rule], credentials=[]))


def test_an_image_goes_to_another_registry_when_it_is_pushed(house: Any, elsewhere: str) -> None:
    copying_to(house, registry=elsewhere, login=SECRET)

    pushed = house.push("team/api", "1.0.0")

    assert shown_by(elsewhere, "mirror/team/api", "1.0.0") == pushed.index.content
    for child in pushed.children:
        assert shown_by(elsewhere, "mirror/team/api", str(child.digest)) == child.content
    notices = [each.event["detail"] for each in house.sandbox.events if each.event["detail-type"] == "Image Replicated"]
    assert notices[-1]["destination"] == {"registry": elsewhere, "repository-name": "mirror/team/api"}


def test_a_sweep_brings_what_no_event_announced_and_then_finds_nothing_to_do(house: Any, elsewhere: str) -> None:
    copying_to(house, registry=elsewhere, login=SECRET)
    with house.unheard():
        pushed = house.push("team/unheard", "2.0.0")
    assert shown_by(elsewhere, "mirror/team/unheard", "2.0.0") is None

    ran = house.sweep()
    again = house.sweep()

    assert shown_by(elsewhere, "mirror/team/unheard", "2.0.0") == pushed.index.content
    assert any("ReplicateImage" in each.function for each in ran)
    assert not any("ReplicateImage" in each.function for each in again)
    assert not house.take("FailureQueue")


def test_a_registry_that_the_template_does_not_name_gets_nothing(house: Any, elsewhere: str) -> None:
    copying_to(house, registry=elsewhere.replace("127.0.0.1", "localhost"), login=SECRET)

    house.push("team/secret", "1.0.0")

    assert shown_by(elsewhere, "mirror/team/secret", "1.0.0") is None
    of_image, of_sbom = [each for each in house.take("FailureQueue") if each["error"] == "RegistryNotAllowedError"]
    assert "name it in the template's parameter OtherRegistries" in of_image["message"]
    assert of_image["message"] == of_sbom["message"]


@pytest.mark.parametrize(
    ("login", "told"),
    [
        (None, "Give it a login: docker login, or a rule's `login`"),
        ("ecr-steward/nowhere", "the secret ecr-steward/nowhere is not there"),
    ],
)
def test_it_is_told_which_login_is_missing(house: Any, elsewhere: str, login: str | None, told: str) -> None:
    copying_to(house, registry=elsewhere, **({"login": login} if login else {}))

    house.push(f"team/without-{'secret' if login else 'login'}", "1.0.0")

    of_image, of_sbom = house.take("FailureQueue")
    assert of_image["error"] == of_sbom["error"] == "AccessDeniedError"
    assert told in of_image["message"]
