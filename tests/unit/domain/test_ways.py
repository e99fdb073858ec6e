"""Which way images go: what ECR itself replicates, what the steward copies, and why."""

from dataclasses import replace

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.registries import NativeReplication, WantedReplication, WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Destination, Mode, ReplicationRules, Rules
from ecr_steward.domain.ways import Carrier, Way, ways
from tests.given.rules import API, AT_ONCE, AWAY, HOME, SEMVER, WHEN_PASSED, service_rule

CHINA = Destination(account="222233334444", region="cn-north-1")
PLAIN = service_rule(image_tags=None)
ALONG = "signatures, SBOMs and attestations of its own are there before its image tags"

BEHIND = "what was there before stays behind: no `backfill`"
SILENT = Rules(())


def replicating(*rules: NativeReplication, mode: Mode = Mode.ENFORCE, backfill: bool = False) -> Rules:
    """A rulebook that has ECR itself replicate."""
    wanted = WantedSettings(replication=WantedReplication(rules, backfill=backfill))
    return Rules((), registries=(RegistryRule("production", lambda _: wanted, mode),))


def native(*prefixes: str, to: RegistryRef = AWAY, deletes: bool | None = None) -> NativeReplication:
    return NativeReplication(frozenset(prefixes), frozenset({to}), deletes)


def steward_ways(*entries: ReplicationRules, rules: Rules = SILENT, **changes: object) -> list[Way]:
    rule = replace(PLAIN, replicate=entries, **changes)  # type: ignore[arg-type]
    return [way for way in ways(rules, API, rule) if way.by is Carrier.STEWARD]


def test_ecr_brings_images_when_its_replication_covers_the_repository() -> None:
    rules = replicating(native("team-a/", "team-b/", deletes=True), native("other/"))

    assert ways(rules, API, None) == (
        Way(
            API.in_registry(AWAY),
            Carrier.ECR,
            "production",
            Mode.ENFORCE,
            ("ECR's own replication covers it: prefix team-a/, and what is deleted here goes there, too", BEHIND),
        ),
    )


def test_ecr_brings_what_was_there_before_when_the_rulebook_says_backfill() -> None:
    (way,) = ways(replicating(native(), backfill=True), API, None)

    assert way.why == (
        "ECR's own replication covers it: every repository",
        "what was there before comes along with a backfill",
    )


def test_one_destination_is_one_way_when_several_rules_of_ecr_lead_there() -> None:
    (way,) = ways(replicating(native("team-"), native()), API, None)

    assert way.why == (
        "ECR's own replication covers it: prefix team-",
        "ECR's own replication covers it: every repository",
        BEHIND,
    )


@pytest.mark.parametrize("repository", [RepositoryRef(HOME, "other/api"), RepositoryRef(HOME, "my/team-a/api")])
def test_ecr_brings_nothing_when_the_name_does_not_begin_so(repository: RepositoryRef) -> None:
    assert ways(replicating(native("team-a/")), repository, None) == ()


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (AT_ONCE, (ALONG,)),
        (replace(AT_ONCE, referrers=False), ("without signatures, SBOMs and attestations",)),
        (replace(AT_ONCE, tags=(SEMVER,)), (f"only the image tags {SEMVER.spelling}", ALONG)),
        (WHEN_PASSED, ("only once its scan has passed", ALONG)),
        (ReplicationRules((CHINA,)), ("from the partition aws to aws-cn: ECR stays in one", ALONG)),
        (
            ReplicationRules((Destination(repository="copy/{name}"),)),
            ("renamed from team-a/api: ECR keeps names", "within one registry: ECR replicates to others", ALONG),
        ),
    ],
)
def test_the_steward_copies_when_ecr_has_no_words_for_it(entry: ReplicationRules, why: tuple[str, ...]) -> None:
    (way,) = steward_ways(entry)

    assert (way.to, way.rule, way.mode) == (entry.to[0].of(API), "services", Mode.ENFORCE)
    assert way.why == why


def test_rules_of_image_tags_are_a_reason_when_the_steward_copies() -> None:
    (way,) = steward_ways(AT_ONCE, image_tags=service_rule().image_tags)

    assert way.why == ("only image tags that break no rule", ALONG)


def test_the_copy_finds_nothing_to_do_when_ecr_brings_the_same_images() -> None:
    (way,) = steward_ways(AT_ONCE, rules=replicating(native()))

    assert way.why == (
        "ECR's own replication brings the same images: this copy finds nothing to do once they are there",
    )


def test_what_an_entry_holds_back_is_told_to_be_in_vain_when_ecr_brings_it_all_the_same() -> None:
    (way,) = steward_ways(replace(WHEN_PASSED, tags=(SEMVER,)), rules=replicating(native()))

    assert way.why[1:] == (
        "in vain, since ECR brings all that is pushed: "
        f"only the image tags {SEMVER.spelling}; only once its scan has passed",
    )


def test_the_steward_copies_as_ever_when_the_entry_of_ecrs_replication_only_observes() -> None:
    rules = replicating(native(), mode=Mode.OBSERVE)

    by_ecr, by_steward = ways(rules, API, PLAIN)

    assert "its entry only observes: the steward does not set it up" in by_ecr.why
    assert by_steward.why == (ALONG,)


def test_a_copy_onto_itself_is_no_way_when_a_rule_covers_its_own_destination() -> None:
    assert steward_ways(ReplicationRules((Destination(region=HOME.region),))) == []
