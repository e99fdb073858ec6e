"""Another rulebook, deployed while the house runs: what was built stays as it is, and what it breaks can be mended."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.rulebook.load import FORMAT

pytestmark = pytest.mark.slow

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"


def hashes(folder: Path) -> dict[str, str]:
    """Of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def with_a_typo(house: Any) -> str:
    """The rulebook as it was built, with a word that no rulebook has."""
    (layer,) = BUILD.glob("RulebookLayer*/rulebook.json")
    compiled = json.loads(layer.read_text())
    compiled["rulebook"]["rules"][0]["mode"] = "enforcee"
    return json.dumps(compiled)


def change_nothing(rulebook: dict[str, Any]) -> None:
    """The rulebook as it was built."""


def test_build_stays_byte_for_byte_as_it_is_when_another_rulebook_is_deployed(house: Any) -> None:
    before = hashes(BUILD)

    house.rulebook.deploy(lambda rulebook: rulebook["rules"][0]["match"].update(repositories=["renamed/**"]))
    house.push("renamed/api", "1.0.0")
    house.push("team-a/no-longer", "1.0.0")
    house.rulebook.deploy(lambda rulebook: rulebook["rules"][0]["match"].update(repositories=["team-*/**"]))

    assert "1.0-latest" in house.home.tags("renamed/api")
    assert set(house.home.tags("team-a/no-longer")) == {"1.0.0"}
    assert hashes(BUILD) == before


def test_events_wait_while_the_rulebook_is_invalid_and_are_answered_when_they_are_replayed_with_a_good_one(
    house: Any,
) -> None:
    house.rulebook.deploy_compiled(with_a_typo(house))
    pushed = house.push("team-a/api", "latest")
    paid = house.push("payments/api", "1.0.0")
    house.scan_ends("payments/api", [child.digest for child in paid.children])
    house.sweep()
    house.refresh()

    kept = house.take("FailureQueue")
    assert {each["error"] for each in kept} == {"InvalidRulebookError"}
    assert all("nothing is enforced" in each["message"] and "enforcee" in each["message"] for each in kept)
    assert len({each["function"] for each in kept}) == 5, "all but the copier, which nothing has asked for copies"
    assert set(house.home.tags("team-a/api")) == {"latest"}
    assert house.verdicts("payments/api") == []
    for repository in ("team-a/api", "payments/api"):
        assert not house.away.has_repository(repository)
    described = house.home.ecr.describe_repositories(repositoryNames=["team-a/api"])["repositories"]
    assert described[0]["imageTagMutability"] == "MUTABLE"
    assert house.sandbox.client("secretsmanager").list_secrets()["SecretList"] == []

    house.rulebook.deploy(change_nothing)
    house.replay(kept)

    assert set(house.home.tags("team-a/api")) == {f"quarantine-{pushed.index.digest.hex[:12]}"}
    described = house.home.ecr.describe_repositories(repositoryNames=["team-a/api"])["repositories"]
    assert described[0]["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert [each["verdict"] for each in house.verdicts("payments/api")] == ["pass"]
    assert "1.0.0" in house.away.tags("payments/api")
    (secret,) = house.sandbox.client("secretsmanager").list_secrets()["SecretList"]
    assert secret["Name"] == "ecr-steward/on-prem-cluster"
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize(
    ("compiled", "word"),
    [
        ("{", "is no JSON"),
        ("[]", "is no compiled rulebook"),
        (json.dumps({"format": FORMAT + 1, "rulebook": {"version": 1, "rules": []}}), f"of format {FORMAT}"),
    ],
    ids=["torn", "a list", "of a newer build"],
)
def test_event_waits_and_says_why_when_the_rulebook_is_none(
    compiled: str, word: str, house: Any, load_event: Any
) -> None:
    house.rulebook.deploy_compiled(compiled)

    house.deliver(load_event("aws_api_call_via_cloudtrail/create_repository"))

    (kept,) = house.take("FailureQueue")
    assert kept["error"] == "InvalidRulebookError"
    assert word in kept["message"]
