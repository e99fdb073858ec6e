"""One place, one source, when it comes to a copy: what a rulebook says nothing of, or said before it was refused.

Each test is an attack or a finding: H3, M14, and P2 and P3 of the review of use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.copies_behind import RESOURCE_TAG, copies_behind, is_too_far
from ecr_steward.domain.images import Image
from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.one_source import LONGEST_CHAIN
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Condition, Destination, Match, Mode, ReplicationRules, Rule, Rules, ScanRules
from ecr_steward.domain.scans import Severity
from ecr_steward.domain.tag_rules import OnViolation, TagRules
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import AWAY, HOME, Pattern
from tests.given.worlds import World, hands_of, manifest, world

SPOKE = RegistryRef("222233334444", HOME.region)
IMAGE, EVIL = manifest("image"), manifest("evil")


def copying(name: str, repositories: str, *to: Destination, **match: object) -> Rule:
    return Rule(
        name=name,
        match=Match((Pattern(repositories),), **match),  # type: ignore[arg-type]
        mode=Mode.ENFORCE,
        replicate=(ReplicationRules(to),),
    )


def forbidding(repositories: str, *denied: str) -> Rule:
    rules = TagRules(deny=tuple(map(Pattern, denied)), on_violation=OnViolation.QUARANTINE)
    return Rule(name="there", match=Match((Pattern(repositories),)), mode=Mode.ENFORCE, image_tags=rules)


class Steward:
    """Sweeps and copies until there is nothing left to do, for so many rounds at most."""

    def __init__(self, there: World, *rules: Rule, homes: Sequence[RegistryRef] = (HOME, SPOKE)) -> None:
        self.there, self.rules, self.homes = there, Rules(rules), tuple(homes)
        self.outcomes: list[Outcome] = []

    def settle(self, rounds: int = 12) -> int:
        """Answers after how many sweeps it came to rest."""
        for number in range(rounds):
            queue = InMemoryReplicationQueue()
            found = reconcile_registry(
                self.homes, rules=self.rules, hands=hands_of(self.there, InMemoryNotices(), queue)
            )
            self.outcomes += found.outcomes
            if not queue.requested:
                return number
            for job in queue.requested:
                self.outcomes += self.copy(job.image)
        return rounds

    def copy(self, image: ImageRef) -> tuple[Outcome, ...]:
        return replicate_image(
            image,
            rules=self.rules,
            registry=self.there.registry,
            content=self.there.content,
            scans=self.there.scans,
            notices=InMemoryNotices(),
            now=noon,
            applier=applier_of(self.there.registry, self.there.content),
            homes=self.homes,
        )

    @property
    def said(self) -> str:
        return " ".join(str(text) for each in self.outcomes for text in (each.remark, *each.plan.remarks) if text)

    def push(self, repository: RepositoryRef, tag: str, pushed: object = EVIL) -> None:
        self.there.registry.create_missing(repository)
        image = ImageRef(repository, pushed.digest)  # type: ignore[attr-defined]
        self.there.registry.push(Image(image, frozenset({image_tag(tag)})))

    def holder(self, repository: RepositoryRef, tag: str) -> object:
        try:
            return self.there.registry.images(repository).holders.get(image_tag(tag))
        except LookupError:
            return None

    def repositories(self) -> Iterator[RepositoryRef]:
        for home in self.homes:
            yield from (each.ref for each in self.there.registry.repositories(home))


@pytest.fixture
def there() -> World:
    return world([IMAGE, EVIL], {"1.0.0": IMAGE})


@pytest.mark.parametrize("accounts", [(), (Pattern(HOME.account), Pattern(SPOKE.account))], ids=["none", "both"])
def test_a_connected_account_does_not_overwrite_the_hubs_release(there: World, accounts: object) -> None:
    """H3, M1 and M1b: the hub's release, and then the spoke's image under the same tag."""
    to_hub = Destination(account=HOME.account, repository="release/{name}")
    steward = Steward(there, copying("payments", "team-.*", to_hub, accounts=accounts))
    hub, spoke = RepositoryRef(HOME, "team-a/api"), RepositoryRef(SPOKE, "team-a/api")
    steward.settle()
    release = RepositoryRef(HOME, "release/team-a/api")
    steward.push(spoke, "1.0.0")
    steward.push(spoke, "6.6.6")

    assert steward.settle() == 0
    steward.copy(ImageRef(spoke, EVIL.digest))
    steward.copy(ImageRef(hub, IMAGE.digest))

    held = (
        {tag: steward.holder(release, tag) for tag in ("1.0.0", "6.6.6")} if release in steward.repositories() else {}
    )
    assert EVIL.digest not in held.values()
    assert "nothing is copied to" in steward.said


def test_a_named_account_alone_is_a_source(there: World) -> None:
    to_hub = Destination(account=HOME.account, repository="release/{name}")
    steward = Steward(there, copying("payments", "team-.*", to_hub, accounts=(Pattern(HOME.account),)))
    steward.push(RepositoryRef(SPOKE, "team-a/api"), "1.0.0")

    steward.settle()

    assert steward.holder(RepositoryRef(HOME, "release/team-a/api"), "1.0.0") == IMAGE.digest


def test_a_replica_in_another_account_is_copied_no_further(there: World) -> None:
    """P3: images arrived in the second account's other region, which no rule had been written for."""
    to_spoke = copying("hub", "team-.*", Destination(account=SPOKE.account), accounts=(Pattern(HOME.account),))
    steward = Steward(there, to_spoke, copying("all", "team-.*", Destination(region=AWAY.region)))

    steward.settle()

    replica = RepositoryRef(SPOKE, "team-a/api")
    assert steward.holder(replica, "1.0.0") == IMAGE.digest
    assert not list(there.registry.repositories(replace(AWAY, account=SPOKE.account)))
    assert f"nothing is copied on from {replica}" in steward.said


def test_a_replica_is_copied_on_by_a_rule_that_names_its_account(there: World) -> None:
    to_spoke = copying("hub", "team-.*", Destination(account=SPOKE.account), accounts=(Pattern(HOME.account),))
    onward = copying("on", "team-.*", Destination(region=AWAY.region), accounts=(Pattern(SPOKE.account),))
    steward = Steward(there, to_spoke, onward)

    steward.settle()

    onward_of = RepositoryRef(replace(AWAY, account=SPOKE.account), "team-a/api")
    assert steward.holder(onward_of, "1.0.0") == IMAGE.digest


def test_copies_between_two_rules_come_to_rest(there: World) -> None:
    """P2: one push made 127 repositories, and nothing but the length of names ended it."""
    one = copying("a", "(team-.*|a/.*)", Destination(repository="b/{name}"))
    steward = Steward(there, one, copying("b", "b/.*", Destination(repository="a/{name}")), homes=(HOME,))

    rounds = steward.settle()

    assert rounds <= LONGEST_CHAIN + 1
    assert len(list(steward.repositories())) == LONGEST_CHAIN + 1
    assert f"more than {LONGEST_CHAIN} copies" in steward.said


def test_a_tag_that_the_destination_forbids_is_not_copied(there: World) -> None:
    """M14: each sweep copied it and took it away again."""
    source = copying("src", "team-.*", Destination(repository="dst/{name}"))
    steward = Steward(there, forbidding("dst/.*", r"1\..*"), source, homes=(HOME,))
    steward.push(RepositoryRef(HOME, "team-a/api"), "2.0.0", IMAGE)

    rounds = steward.settle()

    arrived = RepositoryRef(HOME, "dst/team-a/api")
    assert rounds == 1
    assert there.registry.tags_of(ImageRef(arrived, IMAGE.digest)) == {"2.0.0"}
    assert f"by the rule there of {arrived}, image tag '1.0.0' is denied" in steward.said


def test_an_image_in_quarantine_at_the_destination_stays_there(there: World) -> None:
    """M14, whatever the destination's rule objects to: a label that is missing, or a signature."""
    steward = Steward(there, copying("src", "team-.*", Destination(repository="dst/{name}")), homes=(HOME,))
    arrived = RepositoryRef(HOME, "dst/team-a/api")
    steward.push(arrived, f"quarantine-{IMAGE.digest.hex[:12]}", IMAGE)

    assert steward.settle() == 0
    assert there.registry.tags_of(ImageRef(arrived, IMAGE.digest)) == {f"quarantine-{IMAGE.digest.hex[:12]}"}
    (outcome,) = steward.copy(ImageRef(RepositoryRef(HOME, "team-a/api"), IMAGE.digest))
    assert "is in quarantine at" in str(outcome.plan.remarks)


def test_a_tag_that_the_destination_forbids_is_not_copied_after_a_scan_that_passed(there: World) -> None:
    """M14 beside M4: right before image tags are put the verdict is taken anew, and what it allows holds."""
    source = copying("src", "team-.*", Destination(repository="dst/{name}"))
    waiting = tuple(replace(each, when=frozenset({Condition.SCAN_PASSED})) for each in source.replicate or ())
    source = replace(source, replicate=waiting, scan=ScanRules(fail_on=Severity.HIGH))
    steward = Steward(there, forbidding("dst/.*", r"1\..*"), source, homes=(HOME,))
    steward.push(RepositoryRef(HOME, "team-a/api"), "2.0.0", IMAGE)
    image = ImageRef(RepositoryRef(HOME, "team-a/api"), IMAGE.digest)
    there.scans.end(image)

    steward.copy(image)

    arrived = RepositoryRef(HOME, "dst/team-a/api")
    assert there.registry.tags_of(ImageRef(arrived, IMAGE.digest)) == {"2.0.0"}


# ---------------------------------------------------------------- stewards with other rulebooks


def test_two_stewards_that_copy_each_others_copies_come_to_an_end() -> None:
    """H3: neither rulebook shows a circle, and each copy would have a name that was not there before."""
    there = world([IMAGE], {"1.4.2": IMAGE})
    (first,) = there.registry.repositories(HOME)
    ours = Steward(
        there, copying("ours", ".*", Destination(account=SPOKE.account, repository="ours/{name}")), homes=[HOME]
    )
    theirs = Steward(
        there, copying("theirs", ".*", Destination(account=HOME.account, repository="theirs/{name}")), homes=[SPOKE]
    )
    ours.rules, theirs.rules = (
        Rules(
            tuple(replace(rule, match=replace(rule.match, accounts=(Pattern(of.account),))) for rule in one.rules.rules)
        )
        for one, of in ((ours, HOME), (theirs, SPOKE))
    )

    for _ in range(LONGEST_CHAIN):
        ours.settle()
        theirs.settle()

    made = [
        each.ref for each in (*there.registry.repositories(HOME), *there.registry.repositories(SPOKE)) if each != first
    ]
    assert len(made) == LONGEST_CHAIN
    last = max(made, key=lambda ref: len(ref.name))
    assert there.registry.settings_of(last).resource_tags == {RESOURCE_TAG: str(LONGEST_CHAIN)}
    said = " ".join(f"{each.remark} {each.plan.remarks}" for each in ours.copy(ImageRef(last, IMAGE.digest)))
    assert f"the resource tag {RESOURCE_TAG} of {last} says that {LONGEST_CHAIN} copies or more are behind it" in said


@pytest.mark.parametrize(
    ("said", "behind"),
    [({}, 0), ({RESOURCE_TAG: "2"}, 2), ({RESOURCE_TAG: "-1"}, LONGEST_CHAIN), ({RESOURCE_TAG: "x"}, LONGEST_CHAIN)],
)
def test_what_is_no_number_of_copies_counts_as_the_largest(said: dict[str, str], behind: int) -> None:
    assert copies_behind(said) == behind
    assert is_too_far(said) is (behind == LONGEST_CHAIN)
