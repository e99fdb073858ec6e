"""Schedule → the jobs of the other functions over every repository: what no event announced is found here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.rules import Mode, Rule, Rules
from ecr_steward.errors import ImageNotFoundError, RepositoryNotFoundError, StewardError
from ecr_steward.ports.messages import Notices, ReplicationQueue
from ecr_steward.ports.registry import ImageContent, Registry
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.copier import Copier, Copy
from ecr_steward.usecases.enforce_image_tags import enforce_in_repository


def reconcile_registry(
    homes: Sequence[RegistryRef],
    *,
    rules: Rules,
    registry: Registry,
    content: ImageContent,
    notices: Notices,
    queue: ReplicationQueue,
) -> SweepOutcome:
    """Look at every repository of the home registries, and at the settings of those that they replicate to.

    Settings and image tags are mended at once; a missing replica is requested from the replication queue, which is
    the throttle of all copies. The image tags of a replica are its source's: judged by what happens to be at the
    destination, an alias could move back. What fails in one repository does not keep the sweep from the others.
    """
    copier = Copier(rules, content, cache(registry.images), cache(registry.repository))
    sweep = _Sweep(rules, registry, notices, queue, copier)
    for home in homes:
        sweep.look_at(home, sweep.mend_settings, sweep.mend_image_tags, sweep.request_replicas)
    for destination in _destinations(homes, rules):
        sweep.look_at(destination, sweep.mend_settings)
    return SweepOutcome(tuple(sweep.outcomes), sweep.repositories, sweep.requested, tuple(sweep.failures))


type _Job = Callable[[Rule, RepositoryRef], None]


@dataclass
class _Sweep:
    rules: Rules
    registry: Registry
    notices: Notices
    queue: ReplicationQueue
    copier: Copier
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    repositories: int = 0
    requested: int = 0

    def look_at(self, where: RegistryRef, *jobs: _Job) -> None:
        """Do these jobs, one after the other, for every repository of a registry that a rule covers."""
        try:
            found = [(rule, ref) for ref in self.registry.repositories(where) if (rule := self.rules.rule_for(ref))]
        except StewardError as error:
            self.failures.append(f"{where}: {error}")
            return
        self.repositories += len(found)
        # Image tags of all repositories before the first replica: the copier remembers which image holds which tag.
        for job in jobs:
            for rule, repository in found:
                self._attempt(repository, partial(job, rule, repository))

    def _attempt(self, subject: object, job: Callable[[], None]) -> None:
        try:
            job()
        except (RepositoryNotFoundError, ImageNotFoundError):
            pass  # deleted while the sweep was under way: nothing is left to mend
        except StewardError as error:
            self.failures.append(f"{subject}: {error}")

    def mend_settings(self, _rule: Rule, repository: RepositoryRef) -> None:
        """The job of ``apply_repository_policies``."""
        self._keep(apply_repository_policies(repository, rules=self.rules, registry=self.registry))

    def mend_image_tags(self, rule: Rule, repository: RepositoryRef) -> None:
        """The job of ``enforce_image_tags``, for all images."""
        if rule.image_tags is not None:
            images = self.registry.images(repository)
            registry, notices = self.registry, self.notices
            outcome = enforce_in_repository(rule, images, images.digests, registry=registry, notices=notices)
            self._keep(outcome)

    def request_replicas(self, rule: Rule, repository: RepositoryRef) -> None:
        """The planning half of ``replicate_image``, for all tagged images; the other half is left to its queue."""
        if not rule.replicate:
            return
        images = self.copier.images(repository)
        for digest in sorted(set(images.holders.values())):
            missing: list[Plan] = []
            for copy in self.copier.copies(rule, ImageRef(repository, digest), images):
                self._attempt(copy, partial(self._look_at_copy, copy, missing))
            if missing and rule.mode is Mode.ENFORCE:
                self._attempt(digest, partial(self._request, ImageRef(repository, digest), missing[0].steps[0].why))

    def _look_at_copy(self, copy: Copy, missing: list[Plan]) -> None:
        plan = self.copier.plan(copy)
        if not plan.is_empty:
            missing.append(plan)
            remark = "left to the replication queue"
            self._keep(Outcome(str(copy), copy.rule.name, copy.rule.mode, plan, remark=remark))

    def _request(self, image: ImageRef, why: str) -> None:
        self.queue.request(ReplicationRequested(image, why))
        self.requested += 1

    def _keep(self, outcome: Outcome) -> None:
        if not outcome.plan.is_empty or outcome.plan.violations:
            self.outcomes.append(outcome)


def _destinations(homes: Sequence[RegistryRef], rules: Rules) -> list[RegistryRef]:
    """Each other registry that a rule replicates to."""
    destinations = {
        destination.registry(home)
        for home in homes
        for rule in rules.rules
        for replication in rule.replicate
        for destination in replication.to
    }
    return sorted(destinations - set(homes))
