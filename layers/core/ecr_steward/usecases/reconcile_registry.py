"""Schedule → the jobs of the other functions over every repository: what no event announced is found here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.outcome import Outcome, SweepFailure, SweepOutcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.rules import Governing, Mode, Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.verdict import is_top_image, top_images
from ecr_steward.errors import ImageNotFoundError, RepositoryNotFoundError, StewardError
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices, ReplicationQueue
from ecr_steward.ports.registry import ImageContent, Registry
from ecr_steward.ports.scans import Scans
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.assessor import Assessor, verdict_notice
from ecr_steward.usecases.copier import Copier, Copy
from ecr_steward.usecases.enforce_image_tags import enforce_in_repository
from ecr_steward.usecases.governing import governing_rules
from ecr_steward.usecases.reading import once


def reconcile_registry(
    homes: Sequence[RegistryRef],
    *,
    rules: Rules,
    registry: Registry,
    content: ImageContent,
    scans: Scans,
    notices: Notices,
    queue: ReplicationQueue,
    now: Clock,
) -> SweepOutcome:
    """Look at every repository of the home registries, and at the settings of those that they replicate to.

    Settings and image tags are mended at once; a missing replica is requested from the replication queue, which is
    the throttle of all copies. Where a rule speaks of scans every tagged image is judged anew, since waivers expire and
    the events of findings may get lost: a fail is published, and a pass where a copy waits for it. The image tags of a
    replica are its source's: judged by what happens to be at the destination, an alias could move back. What fails in
    one repository does not keep the sweep from the others.
    """
    assessor = Assessor(rules, registry, scans, now)
    copier = Copier(rules, content, once(registry.images), once(registry.repository), assessor)
    sweep = _Sweep(rules, registry, notices, queue, copier)
    for home in homes:
        sweep.look_at(home, sweep.mend_settings, sweep.mend_image_tags, sweep.judge_images, sweep.request_replicas)
    for destination in _destinations(homes, rules):
        sweep.look_at(destination, sweep.mend_settings)
    return SweepOutcome(tuple(sweep.outcomes), sweep.repositories, sweep.requested, tuple(sweep.failures))


type _Job = Callable[[Governing, RepositoryRef], None]


@dataclass
class _Sweep:
    rules: Rules
    registry: Registry
    notices: Notices
    queue: ReplicationQueue
    copier: Copier
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[SweepFailure] = field(default_factory=list)
    repositories: int = 0
    requested: int = 0

    def look_at(self, where: RegistryRef, *jobs: _Job) -> None:
        """Do these jobs, one after the other, for every repository of a registry that a rule covers."""
        try:
            refs = [ref for ref in self.registry.repositories(where) if self.rules.may_govern(ref)]
        except StewardError as error:
            self.failures.append(SweepFailure(str(where), str(error)))
            return
        found: list[tuple[Governing, RepositoryRef]] = []
        for ref in refs:
            self._attempt(ref, partial(self._find_rules, ref, found))
        self.repositories += len(found)
        # Image tags of all repositories before the first replica: the copier remembers which image holds which tag.
        for job in jobs:
            for governing, repository in found:
                self._attempt(repository, partial(job, governing, repository))

    def _find_rules(self, ref: RepositoryRef, found: list[tuple[Governing, RepositoryRef]]) -> None:
        governing = governing_rules(ref, self.rules, self.registry)
        if governing.names:
            found.append((governing, ref))

    def _attempt(self, subject: object, job: Callable[[], None]) -> None:
        try:
            job()
        except (RepositoryNotFoundError, ImageNotFoundError):
            pass  # deleted while the sweep was under way: nothing is left to mend
        except StewardError as error:
            self.failures.append(SweepFailure(str(subject), str(error)))

    def mend_settings(self, _governing: Governing, repository: RepositoryRef) -> None:
        """The job of ``apply_repository_policies``."""
        for outcome in apply_repository_policies(repository, rules=self.rules, registry=self.registry):
            self._keep(outcome)
            if outcome.error:
                self.failures.append(SweepFailure(str(repository), str(outcome.error)))

    def mend_image_tags(self, governing: Governing, repository: RepositoryRef) -> None:
        """The job of ``enforce_image_tags``, for all images."""
        if (rule := governing.image_tags) is not None:
            images = self.registry.images(repository)
            registry, notices = self.registry, self.notices
            outcome = enforce_in_repository(rule, images, images.digests, registry=registry, notices=notices)
            self._keep(outcome)

    def judge_images(self, governing: Governing, repository: RepositoryRef) -> None:
        """The job of ``evaluate_image_scan``, for all tagged images. Of a pass nobody needs to hear every hour."""
        if (rule := governing.scan) is None:
            return
        images = self.copier.images(repository)
        tops = top_images(images)
        self.copier.assessor.read_indexes(images, tops)
        for digest in tops:
            self._attempt(ImageRef(repository, digest), partial(self._judge, rule, digest, images))
        self.copier.assessor.forget_findings()

    def _judge(self, rule: Rule, digest: Digest, images: RepositoryImages) -> None:
        assessment = self.copier.assessor.assess(rule, digest, images)
        if assessment.verdict is not Verdict.PASS:
            image = ImageRef(images.repository, digest)
            self.outcomes.append(Outcome(str(image), rule.name, rule.mode, assessment=assessment))
            if assessment.verdict is Verdict.FAIL:
                self.notices.publish(verdict_notice(rule, image, assessment))

    def request_replicas(self, governing: Governing, repository: RepositoryRef) -> None:
        """The planning half of ``replicate_image``, for all tagged images; the other half is left to its queue."""
        if (rule := governing.replicate) is None:
            return
        images = self.copier.images(repository)
        for digest in sorted(set(images.holders.values())):
            image = ImageRef(repository, digest)
            missing: list[tuple[Copy, Plan]] = []
            for copy in self.copier.copies(rule, image, images):
                self._attempt(copy, partial(self._look_at_copy, copy, missing))
            if missing and rule.mode is Mode.ENFORCE:
                self._attempt(image, partial(self._request, image, missing[0][1].steps[0].why))
                if is_top_image(digest, images) and any(copy.replication.when for copy, _ in missing):
                    self._attempt(image, partial(self._tell_pass, rule, image, images))

    def _tell_pass(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> None:
        """Publish the verdict that a missing copy waited for; no event has told it, or nobody has heard."""
        assessment = self.copier.assessor.assess(rule, image.digest, images)
        self.outcomes.append(Outcome(str(image), rule.name, rule.mode, assessment=assessment))
        self.notices.publish(verdict_notice(rule, image, assessment))

    def _look_at_copy(self, copy: Copy, missing: list[tuple[Copy, Plan]]) -> None:
        plan = self.copier.plan(copy)
        if not plan.is_empty:
            missing.append((copy, plan))
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
        for rule in [*rules.rules, *([rules.defaults] if rules.defaults else [])]
        for replication in rule.replicate or ()
        for destination in replication.to
    }
    return sorted(destinations - set(homes))
