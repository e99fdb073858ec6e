"""What a function must have done to the sandbox: its state before and after, and who asked for what in between."""

import json
from collections.abc import Callable, Iterator

from ecr_steward.domain.names import RepositoryRef
from sam_local.given import CACHED, FINDING, PAYMENTS, SERVICES
from sam_local.state import RepositoryState, Seen

type Effect = Callable[[Seen], Iterator[str]]
"""Yields what is not as it must be, one sentence each; its docstring says what must be."""

SECRET = "ecr-steward/on-prem-cluster"  # noqa: S105 a name
_OF_TEAMS = "IMMUTABLE_WITH_EXCLUSION"
_MUTABILITY = {SERVICES: _OF_TEAMS, CACHED: _OF_TEAMS, PAYMENTS: "IMMUTABLE"}
"""What the shipped rulebook says of the repositories that the cases play in."""


def aliases_follow(seen: Seen) -> Iterator[str]:
    """the aliases 1.4-latest and 1-latest point to the pushed image"""
    tags = seen.home.tags_of(seen.image) if seen.home else frozenset()
    if tags != {"1.4.2", "1.4-latest", "1-latest"}:
        yield f"the image has the tags {sorted(tags)}"
    yield from nothing_failed(seen)


def image_is_quarantined(seen: Seen) -> Iterator[str]:
    """the image is reachable under a quarantine tag, no longer as latest, and people are told"""
    tags = seen.home.tags_of(seen.image) if seen.home else frozenset()
    if not tags or any(not tag.startswith("quarantine-") for tag in tags):
        yield f"the image has the tags {sorted(tags)}"
    told = [(detail["image-digest"], detail["image-tag"]) for detail in seen.new_notices("Violation Found")]
    if told != [(seen.image, "latest")]:
        yield f"the violations told are {told}"
    yield from nothing_failed(seen)


def settings_follow(seen: Seen) -> Iterator[str]:
    """the repository has the settings of the rulebook"""
    yield from _settings(seen.source, seen.home)
    yield from nothing_failed(seen)


def replica_is_complete(seen: Seen) -> Iterator[str]:
    """the other region holds the image with all it consists of, its tags, and the settings of the rulebook"""
    yield from _replica(seen)
    yield from nothing_failed(seen)


def replica_is_complete_and_poison_kept(seen: Seen) -> Iterator[str]:
    """the good message is copied, and the bad one is where a person finds it"""
    yield from _replica(seen)
    yield from _one_failure(seen)


def all_is_reconciled(seen: Seen) -> Iterator[str]:
    """aliases, settings and replica are there, which no event had asked for"""
    tags = seen.home.tags_of(seen.image) if seen.home else frozenset()
    if not {"1.4-latest", "1-latest"} <= tags:
        yield f"the image has the tags {sorted(tags)}"
    yield from _settings(seen.source, seen.home)
    yield from _replica(seen)
    yield from nothing_failed(seen)


def image_passes(seen: Seen) -> Iterator[str]:
    """one verdict is told, a pass, and no registry changes"""
    yield from _verdict(seen, "pass")
    yield from _registries_stay(seen)
    yield from nothing_failed(seen)


def image_fails(seen: Seen) -> Iterator[str]:
    """one verdict is told, a fail that names the finding, and no registry changes"""
    yield from _verdict(seen, "fail", f"{FINDING} (HIGH)")
    yield from _registries_stay(seen)
    yield from nothing_failed(seen)


def image_fails_and_poison_kept(seen: Seen) -> Iterator[str]:
    """the good message is answered by one verdict, a fail, and the bad one is where a person finds it"""
    yield from _verdict(seen, "fail", f"{FINDING} (HIGH)")
    yield from _registries_stay(seen)
    yield from _one_failure(seen)


def scans_are_read_and_nothing_changes(seen: Seen) -> Iterator[str]:
    """the scans of the image are read, and nothing changes"""
    if not seen.asked("ecr:DescribeImageScanFindings"):
        yield "nobody has read a scan"
    yield from nothing_changes(seen)


def image_passes_and_is_copied(seen: Seen) -> Iterator[str]:
    """the image, which no event had spoken of, passes, and the copy that waited for that is there"""
    yield from _verdict(seen, "pass")
    yield from _settings(seen.source, seen.home)
    yield from _replica(seen)
    yield from nothing_failed(seen)


def image_fails_and_is_not_copied(seen: Seen) -> Iterator[str]:
    """the image, which no event had spoken of, fails, and is not copied"""
    yield from _verdict(seen, "fail", f"{FINDING} (HIGH)")
    yield from _settings(seen.source, seen.home)
    if seen.abroad is not None:
        yield f"there is {seen.destination}"
    yield from nothing_failed(seen)


def login_is_fresh(seen: Seen) -> Iterator[str]:
    """the secret holds a Docker config for the registry here, and its login can pull and cannot push"""
    logins = seen.after.secrets.get(SECRET, ())
    if seen.before.secrets or [login.registry for login in logins] != [seen.source.registry]:
        yield f"the secrets were {seen.before.secrets} and are {seen.after.secrets}"
    for login in logins:
        if not login.pulls:
            yield "the login cannot pull"
        if login.pushes:
            yield "the login can push"
    speakers = {decision.principal for decision in seen.asked("ecr:GetAuthorizationToken")}
    if not speakers or any(":assumed-role/ecr-steward-pull-only/" not in speaker for speaker in speakers):
        yield f"the login speaks as {sorted(speakers)}"
    if [detail["sink"] for detail in seen.new_notices("Credential Refreshed")] != [SECRET]:
        yield "it is not told which secret is fresh"
    yield from _registries_stay(seen)
    yield from nothing_failed(seen)


def nothing_changes(seen: Seen) -> Iterator[str]:
    """nothing changes"""
    if seen.before != seen.after:
        yield f"the sandbox held {seen.before} and holds {seen.after}"


def event_is_kept(seen: Seen) -> Iterator[str]:
    """nothing changes, and the event is on the failure queue with the reason"""
    yield from _registries_stay(seen)
    yield from _one_failure(seen)


def nothing_failed(seen: Seen) -> Iterator[str]:
    """no event is put on the failure queue"""
    for body in seen.new_failures:
        yield f"the failure queue holds {body}"


def only_the_role_acts(seen: Seen) -> Iterator[str]:
    """the function calls as its own role and as what that may become, and its role is refused nothing"""
    for decision in seen.decisions:
        if decision.principal.endswith(":root"):
            yield f"a call was made with the account's own key: {decision}"
        if decision.principal == seen.session and not decision.is_allowed:
            yield f"the role of the function does not do: {decision}"


def _registries_stay(seen: Seen) -> Iterator[str]:
    if seen.before.repositories != seen.after.repositories:
        yield f"the registries were {seen.before.repositories} and are {seen.after.repositories}"


def _verdict(seen: Seen, verdict: str, reason: str = "") -> Iterator[str]:
    told = seen.new_notices("Image Verdict")
    if [(detail["image-digest"], detail["verdict"]) for detail in told] != [(seen.image, verdict)]:
        yield f"the verdicts told are {told}"
    if any(reason not in " ".join(detail["reasons"]) for detail in told):
        yield f"no reason speaks of {reason}: {told}"


def _one_failure(seen: Seen) -> Iterator[str]:
    if len(seen.new_failures) != 1:
        yield f"the failure queue got {len(seen.new_failures)} events, not one"
    for body in seen.new_failures:
        failed = json.loads(body)
        for part in ("event", "error", "message", "function"):
            if not failed.get(part):
                yield f"the failure queue does not say the {part}: {body}"


def _settings(repository: RepositoryRef, held: RepositoryState | None) -> Iterator[str]:
    if held is None:
        yield f"there is no {repository}"
        return
    wanted = {
        "a repository policy": held.policy is not None,
        "a lifecycle policy": held.lifecycle is not None,
        "the image tag mutability of its rule": held.mutability == _MUTABILITY[repository.name],
        "scanning on push": held.scan_on_push,
        "the resource tag managed-by": held.resource_tags.get("managed-by") == "ecr-steward",
    }
    for setting, is_there in wanted.items():
        if not is_there:
            yield f"{repository} has not {setting}"


def _replica(seen: Seen) -> Iterator[str]:
    yield from _settings(seen.destination, seen.abroad)
    held = seen.abroad.images if seen.abroad else {}
    for digest in seen.digests:
        if digest not in held:
            yield f"{seen.destination} lacks {digest}"
    if "1.4.2" not in held.get(seen.image, ()):
        yield f"{seen.destination} lacks the tag 1.4.2"
    if seen.image not in [detail["image-digest"] for detail in seen.new_notices("Image Replicated")]:
        yield "it is not told that the image is there"
