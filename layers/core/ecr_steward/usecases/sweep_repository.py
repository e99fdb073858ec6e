"""One repository of a sweep → the jobs of the other functions, from facts that are read once for all of them."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import PurePath

from ecr_steward.domain.contents import images_after
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.missed_events import OF_A_COPY, OF_A_JOB, MissedEvent, Unanswered, images_of
from ecr_steward.domain.names import AnyRepository, Digest, ImageRef, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.native_copies import recent
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.one_source import OneSource
from ecr_steward.domain.outcome import Outcome, SweepFailure
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.replicas import impossible_places, places
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Destination, Governing, Mode, ReplicationRules, Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.sweeping import Cursor
from ecr_steward.domain.verdict import is_top_image, top_images
from ecr_steward.domain.ways import native_rules
from ecr_steward.errors import (
    ImageNotFoundError,
    InvalidNameError,
    OutOfTimeError,
    RepositoryNotFoundError,
    RetryableError,
    StewardError,
)
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.contents import Contents
from ecr_steward.ports.messages import Notices, ReplicationQueue
from ecr_steward.ports.native_replication import NativeCopies
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.rule_sets import RuleSets
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.sightings import Sightings
from ecr_steward.ports.stores import ImageContent
from ecr_steward.ports.verdicts import Verdicts
from ecr_steward.ports.workloads import Workloads
from ecr_steward.usecases.apply_repository_policies import mend_settings
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.asking import Answers
from ecr_steward.usecases.assessor import Assessor, verdict_notice
from ecr_steward.usecases.content_memory import ContentMemory
from ecr_steward.usecases.copier import Copier, Copy
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import enforce_in_repository
from ecr_steward.usecases.governing import governed, governed_settings, tags_to_match
from ecr_steward.usecases.reading import once
from ecr_steward.usecases.retain_images import RetentionFacts, asks_for_retention, retain_images
from ecr_steward.usecases.verdict_memory import VerdictMemory
from ecr_steward.usecases.watch_rule_sets import watch_rule_set
from ecr_steward.usecases.withdraw_replicas import Withdrawal

LAST_SECONDS = 45.0
"""Of an invocation, in which no further image is begun with."""
SCANS_HELD = 200
"""Images whose findings are held at a time: indexes that share a platform are often near each other."""
LEFT_TO_QUEUE = "left to the replication queue"
"""The remark of a copy that a sweep has only asked for."""


@dataclass(frozen=True)
class Hands:
    """What a sweep reads with and acts with. ``is_dry`` plans all the same and does nothing: no write, no notice."""

    registry: Registry
    content: ImageContent
    scans: Scans
    notices: Notices
    queue: ReplicationQueue
    now: Clock
    applier: Applier
    settings: RegistrySettingsStore
    homes: tuple[RegistryRef, ...] = ()
    """The registries that are swept, from which others have their replicas."""
    one_source: OneSource | None = None
    """By these rules and homes, for all repositories of a sweep; ``None``: each makes its own."""
    sightings: Sightings | None = None
    """``None``: no image tag expires."""
    missed: Sightings | None = None
    """``None``: what has gone at its source stays at a destination."""
    sweeps_every: timedelta = timedelta(hours=1)
    """How often there is a sweep."""
    workloads: Workloads | None = None
    """``None``: nothing goes that might be in use."""
    native_copies: NativeCopies | None = None
    """``None``: nobody asks how far ECR's own replication is."""
    verdicts: Verdicts | None = None
    """``None``: every image is judged by every sweep."""
    contents: Contents | None = None
    """``None``: what an image says of itself is read by every sweep."""
    rule_sets: RuleSets | None = None
    """``None``: resource tags may move a repository to other rules without a notice."""
    deadline: Deadline = NEVER
    is_dry: bool = False
    is_deep: bool = False
    """Whether each manifest of a copy is looked for, although what leads to it is there."""
    silent: set[str] = field(default_factory=set)
    """Registries that are not ECR and did not answer in this sweep, or this part of one."""

    def describer(self, repository: RepositoryRef) -> Describer:
        """What finds out what images of a repository lack."""
        memory = ContentMemory(repository, self.contents) if self.contents and not self.is_dry else None
        return Describer(self.registry, self.content, self.now, memory=memory)

    @property
    def retention(self) -> RetentionFacts:
        """Where retention gets its facts from."""
        return RetentionFacts(self.registry, self.now, self.sightings, self.workloads)


@dataclass
class Swept:
    """What a sweep found in one repository, or in a registry as a whole."""

    subject: object
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[SweepFailure] = field(default_factory=list)
    requested: int = 0
    is_covered: bool = False
    """Whether this is a repository that some rule covers."""
    lags: dict[RegistryRef, float] = field(default_factory=dict)
    """Seconds since the oldest push that ECR's own replication has not brought there yet, by destination."""

    events_missed: list[MissedEvent] = field(default_factory=list)
    """Events that should have had done what this sweep did, or asked for."""

    is_cut: bool = False
    """Whether the time of the invocation was over before all was looked at."""
    cursor: Cursor | None = None
    """Where a sweep goes on that was cut."""

    @property
    def may_pass(self) -> bool:
        """Whether something failed that trying again may mend."""
        return any(each.may_pass for each in self.failures)

    def fail(self, subject: object, error: StewardError) -> None:
        """Keep an error; where the invocation has no time left, that the sweep is cut."""
        if isinstance(error, OutOfTimeError):
            self.is_cut = True
        else:
            self.failures.append(SweepFailure(str(subject), str(error), isinstance(error, RetryableError)))

    def keep(self, outcome: Outcome) -> None:
        """Keep an outcome that is worth telling, and what went wrong."""
        if not outcome.plan.is_empty or outcome.plan.violations:
            self.outcomes.append(outcome)
        if outcome.error:
            self.fail(outcome.subject, outcome.error)


def sweep_repository(
    repository: Repository, rules: Rules, hands: Hands, *, settings_only: bool = False, cursor: Cursor | None = None
) -> Swept:
    """Do all jobs for one repository, or plan them; what fails in one job does not keep the others from being done.

    What is known of the repository already, such as its entry in a list, is not read again.
    ``settings_only`` is for a destination of copies: the image tags of a replica are its source's, and judged by what
    happens to be at the destination, an alias could move back. A sweep that was cut goes on at its ``cursor``.
    """
    swept = Swept(repository.ref, cursor=cursor)
    try:
        _Visit(repository, rules, hands, swept).make(settings_only)
    except Exception as error:  # what nobody foresaw here keeps no other repository from its turn
        logging.getLogger(__name__).exception("unexpected error in the sweep of %s", repository.ref)
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{PurePath(where.filename).name}:{where.lineno}, in {where.name}"
        why = f"unexpected {type(error).__name__} at {place}: {error}; the log of this invocation has the whole stack"
        swept.failures.append(SweepFailure(str(repository.ref), why))
    return swept


class _Visit:
    def __init__(self, repository: Repository, rules: Rules, hands: Hands, swept: Swept) -> None:
        self._known = repository
        self._repository = repository.ref
        self._rules = rules
        self._hands = hands
        self._swept = swept
        self._registry = hands.registry
        self._memory: VerdictMemory | None = None
        if hands.verdicts is not None and not hands.is_dry and not hands.is_deep:
            self._memory = VerdictMemory(repository.ref, rules, hands.verdicts, hands.now)
        self._assessor = Assessor(rules, hands.registry, hands.scans, hands.now, memory=self._memory)
        images = once(self._images_of)
        settings = once(partial(governed_settings, rules=rules, registry=hands.registry, source=repository.ref))
        resource_tags = once(partial(tags_to_match, rules=rules, registry=hands.registry))
        answers = Answers(hands.content, hands.silent)
        one_source = hands.one_source or OneSource(rules, hands.homes or (repository.ref.registry,))
        self._copier = Copier(
            rules,
            hands.content,
            images,
            settings,
            resource_tags,
            self._assessor,
            answers,
            one_source,
            once(hands.registry.resource_tags),
            hands.is_deep,
        )
        self._seen: RepositoryImages | None = None
        """The images, as long as nothing has changed them; in a dry run, as they would be by now."""

    def make(self, settings_only: bool) -> None:
        self._attempt(self._repository, lambda: self._do_jobs(settings_only))

    def _do_jobs(self, settings_only: bool) -> None:
        governing, self._known = governed(self._known, self._rules, self._registry, self._hands.homes)
        self._swept.is_covered = bool(governing.names)
        self._attempt(self._repository, self._watch_rule_set)
        jobs = [self._mend_settings, self._mend_image_tags, self._retain_images, self._judge_images]
        of_copies = [self._request_replicas, self._withdraw_replicas, self._check_native_copies]
        wanted = jobs[:1] if settings_only else [*jobs, *of_copies]
        names = [job.__name__.removeprefix("_") for job in wanted]
        begins_at = self._swept.cursor
        first = names.index(begins_at.job) if begins_at and begins_at.job in names else 0
        for name, job in list(zip(names, wanted, strict=True))[first:]:
            if not begins_at or begins_at.job != name:
                self._swept.cursor = Cursor(name)
            self._attempt(self._repository, partial(job, governing))
            if self._swept.is_cut:
                return
        self._swept.cursor = None

    def _one_by_one(self, digests: Iterable[Digest], do: Callable[[Digest], None]) -> None:
        """Do something about each of these images that the cursor is not past yet, while there is time.

        The cursor stays where something failed that trying again may mend. Raises OutOfTimeError.
        """
        cursor = self._swept.cursor
        for digest in self._past_cursor(digests):
            self._hands.deadline.require(LAST_SECONDS)
            self._attempt(ImageRef(self._repository, digest), partial(do, digest))
            if self._swept.is_cut:
                return
            if cursor and not self._swept.may_pass:
                self._swept.cursor = Cursor(cursor.job, digest)

    def _past_cursor(self, digests: Iterable[Digest]) -> list[Digest]:
        after = self._swept.cursor.after if self._swept.cursor else None
        return sorted(digest for digest in digests if after is None or digest > after)

    def _attempt(self, subject: object, job: Callable[[], None]) -> None:
        try:
            job()
        except (RepositoryNotFoundError, ImageNotFoundError) as error:
            if self._is_still_there(subject):  # deleted while the sweep was under way: nothing is left to mend
                self._swept.fail(subject, error)
        except StewardError as error:
            self._swept.fail(subject, error)

    def _watch_rule_set(self) -> None:
        hands = self._hands
        if hands.rule_sets is None:
            return
        found = watch_rule_set(
            self._known, rules=self._rules, rule_sets=hands.rule_sets, notices=hands.notices, is_dry=hands.is_dry
        )
        if found is not None:
            self._swept.outcomes.append(found)

    def _is_still_there(self, subject: object) -> bool:
        """Whether something else was not found than the image or repository in question, such as a child of an index.

        Of a repository as a whole only its own end is known: an image of it may have been deleted meanwhile.
        """
        try:
            images = self._registry.images(self._repository)
        except StewardError:
            return False
        image = subject.image if isinstance(subject, Copy) else subject
        return isinstance(image, ImageRef) and image.digest in images.digests

    def _mend_settings(self, governing: Governing) -> None:
        """The job of ``apply_repository_policies``."""
        hands = self._hands
        for outcome in mend_settings(governing, self._known, self._registry, hands.applier, is_dry=hands.is_dry):
            self._swept.keep(outcome)
            created = self._known.created_at
            did = outcome.applied and not outcome.plan.is_empty
            if did and created is not None and self._unanswered(OF_A_JOB).holds(created):
                self._swept.events_missed.append(MissedEvent(str(self._repository), created, "created"))

    def _mend_image_tags(self, governing: Governing) -> None:
        """The job of ``enforce_image_tags``, for all images."""
        if (rule := governing.image_tags) is not None:
            images = self._registry.images(self._repository)
            outcome = enforce_in_repository(
                rule,
                images,
                images.digests,
                describer=self._hands.describer(self._repository),
                notices=self._hands.notices,
                applier=self._hands.applier,
                is_dry=self._hands.is_dry,
            )
            self._swept.keep(outcome)
            if outcome.applied:
                self._swept.events_missed += self._unanswered(OF_A_JOB).pushes(images_of(outcome.plan.steps), images)
            self._seen = images
            self._foresee(outcome)

    def _unanswered(self, patience: timedelta) -> Unanswered:
        return Unanswered.at(self._hands.now(), self._hands.sweeps_every, patience)

    def _retain_images(self, governing: Governing) -> None:
        """Let go of what has had its time, after the image tags are as they should be."""
        if not asks_for_retention(governing, self._repository):
            return
        hands = self._hands
        self._seen = self._seen or self._registry.images(self._repository)
        for outcome in retain_images(governing, self._seen, hands.retention, hands.applier, is_dry=hands.is_dry):
            self._foresee(outcome)
            self._swept.keep(outcome)
            if outcome.plan.is_empty and (outcome.plan.remarks or outcome.remark):
                self._swept.outcomes.append(outcome)  # why something stays that would go

    def _foresee(self, outcome: Outcome) -> None:
        """Have the jobs that are left see what a plan leaves, so that a dry run shows all that an apply would do."""
        if outcome.plan.is_empty or outcome.mode is Mode.OBSERVE or self._seen is None:
            return
        if not self._hands.is_dry:
            self._seen = None
        elif not outcome.halt:
            self._seen = images_after(self._seen, outcome.plan.steps)

    def _images_of(self, repository: RepositoryRef) -> RepositoryImages:
        """What a repository holds; of this one, what was read already, or in a dry run what it would hold."""
        if self._seen is not None and repository == self._repository:
            return self._seen
        return self._registry.images(repository)

    def _judge_images(self, governing: Governing) -> None:
        """The job of ``evaluate_image_scan``, for all tagged images. Of a pass nobody needs to hear every hour."""
        if (rule := governing.scan) is None:
            return
        images = self._copier.images(self._repository)
        tops = [
            digest
            for digest in self._past_cursor(top_images(images))
            if not self._assessor.has_passed(rule, ImageRef(self._repository, digest))
        ]
        memory = self._memory
        unread = [each for each in tops if memory is None or not memory.parts(ImageRef(self._repository, each))]
        self._assessor.read_indexes(images, unread)
        expired: list[Digest] = []
        try:
            self._one_by_one(tops, partial(self._judge, rule, images, expired))
        finally:
            self._assessor.forget_findings()
            if memory is not None:
                memory.keep()
        if expired:
            remark = f"{len(expired)} of {len(tops)} images wait, such as {expired[0]}: their scans have expired"
            self._swept.outcomes.append(Outcome(str(self._repository), rule.name, rule.mode, remark=remark))

    def _judge(self, rule: Rule, images: RepositoryImages, expired: list[Digest], digest: Digest) -> None:
        """Judge one image; of those whose scans have expired, which may be most, only note the digest.

        A dry run shows each of them, and what a pass leaves out of account.
        """
        assessment, is_dry = self._assessor.assess(rule, digest, images), self._hands.is_dry
        self._assessor.forget_findings(beyond=SCANS_HELD)
        if self._memory is not None:
            parts = self._assessor.parts(ImageRef(images.repository, digest), images)
            self._memory.note(rule, digest, assessment.verdict, parts)
        if assessment.waits_for_expired and not is_dry:
            expired.append(digest)
        elif assessment.verdict is not Verdict.PASS or (is_dry and (assessment.waived or assessment.remarks)):
            image = ImageRef(images.repository, digest)
            self._swept.outcomes.append(Outcome(str(image), rule.name, rule.mode, assessment=assessment))
            if assessment.verdict is Verdict.FAIL and not is_dry:
                self._hands.notices.publish(verdict_notice(rule, image, assessment))

    def _request_replicas(self, governing: Governing) -> None:
        """The planning half of ``replicate_image``, for all tagged images; the other half is left to its queue."""
        if (rule := governing.replicate) is None:
            return
        for impossible in impossible_places(rule.replicate or (), self._repository):
            self._swept.failures.append(SweepFailure(str(self._repository), str(impossible)))
        images = self._copier.images(self._repository)
        refused = set(self._refused(rule))
        copies = {
            digest: [
                copy
                for copy in self._copier.copies(rule, ImageRef(self._repository, digest), images)
                if copy.to not in refused
            ]
            for digest in self._past_cursor(set(images.holders.values()))
        }
        ask_ahead = partial(self._copier.ask_ahead, (copy for each in copies.values() for copy in each), images)
        self._attempt(f"copies of {self._repository}", ask_ahead)
        self._one_by_one(copies, lambda digest: self._look_at_copies(rule, images, digest, copies[digest]))

    def _look_at_copies(self, rule: Rule, images: RepositoryImages, digest: Digest, wanted: Sequence[Copy]) -> None:
        image = ImageRef(self._repository, digest)
        missing: list[tuple[Copy, Plan]] = []
        for copy in wanted:
            if not self._is_silent(copy.to):
                self._attempt(copy, partial(self._look_at_copy, copy, missing))
        if missing and rule.mode is Mode.ENFORCE and not self._hands.is_dry:
            self._attempt(image, partial(self._request, image, missing[0][1].steps[0].why))
            if not all(copy.replication.when for copy, _ in missing):  # else a scan may have ended just now
                self._swept.events_missed += self._unanswered(OF_A_COPY).pushes([digest], images)
            if is_top_image(digest, images) and any(copy.replication.when for copy, _ in missing):
                self._attempt(image, partial(self._tell_pass, rule, image, images))

    def _refused(self, rule: Rule) -> Iterator[AnyRepository]:
        """The places that nothing may be copied to: reported once, and not for each image."""
        for replication in rule.replicate or ():
            for _, to in places(replication, self._repository):
                if isinstance(to, InvalidNameError) or to == self._repository:
                    continue
                if objection := self._copier.one_source.objection(rule, replication, self._repository, to):
                    subject = f"{self._repository} to {to}"
                    self._swept.outcomes.append(Outcome(subject, rule.name, rule.mode, remark=str(objection)))
                    yield to

    def _is_silent(self, to: AnyRepository) -> bool:
        """Whether a failure has said already that a registry does not answer: so many images are not waited for."""
        return isinstance(to, OtherRepository) and self._copier.answers.is_silent(to)

    def _check_native_copies(self, _governing: Governing) -> None:
        """Ask how far ECR's own replication is with what was pushed lately. Nobody else hears of a copy that failed."""
        entry = next((entry for entry, _ in native_rules(self._rules, self._repository)), None)
        copies = self._hands.native_copies
        if entry is None or copies is None:
            return
        for image, age in recent(self._copier.images(self._repository), self._hands.now()):
            try:
                found = copies.of(image.ref)
            except ImageNotFoundError:
                continue
            for copy in found:
                if copy.is_under_way:
                    self._swept.lags[copy.to] = max(self._swept.lags.get(copy.to, 0.0), age.total_seconds())
                if fault := copy.fault(age):
                    subject = f"{image.ref} to {self._repository.in_registry(copy.to)}"
                    if copy.has_failed and entry.mode is Mode.ENFORCE:
                        self._swept.failures.append(SweepFailure(subject, fault))
                    else:
                        self._swept.outcomes.append(Outcome(subject, entry.name, entry.mode, remark=fault))

    def _withdraw_replicas(self, governing: Governing) -> None:
        """Take from destinations what this repository has no longer, and what has failed its scan."""
        hands, rule = self._hands, governing.replicate
        if rule is None:
            return
        withdrawal = Withdrawal(
            self._rules,
            hands.homes,
            hands.missed,
            hands.now,
            hands.applier,
            hands.is_dry,
            hands.sweeps_every,
        )
        for replication in rule.replicate or ():
            looks = [self._look_for_gone] if replication.remove_after is not None and hands.missed else []
            looks += [self._look_for_failed] if replication.withdraws_failed else []
            for destination, to in places(replication, self._repository) if looks else ():
                if isinstance(destination, Destination) and isinstance(to, RepositoryRef):
                    for look in looks:
                        self._attempt(
                            f"{self._repository} to {to}", partial(look, withdrawal, rule, replication, destination)
                        )

    def _look_for_gone(
        self, withdrawal: Withdrawal, rule: Rule, replication: ReplicationRules, destination: Destination
    ) -> None:
        source, to = self._copier.images(self._repository), destination.of(self._repository)
        self._keep_withdrawal(withdrawal.look(self._copier.mirror(rule, replication, source, to), destination))

    def _look_for_failed(
        self, withdrawal: Withdrawal, rule: Rule, replication: ReplicationRules, destination: Destination
    ) -> None:
        source, to = self._copier.images(self._repository), destination.of(self._repository)
        mirror = self._copier.mirror(rule, replication, source, to)
        failed: dict[Digest, str] = {}
        for digest in top_images(source):
            if mirror.destination.tags_of(digest):
                note = partial(self._note_failed, rule, digest, source, failed)
                self._attempt(ImageRef(self._repository, digest), note)
        self._keep_withdrawal(withdrawal.withdraw_failed(mirror, destination, failed))

    def _note_failed(self, rule: Rule, digest: Digest, source: RepositoryImages, failed: dict[Digest, str]) -> None:
        if why := self._copier.failure(rule, digest, source):
            failed[digest] = why

    def _keep_withdrawal(self, outcome: Outcome) -> None:
        self._swept.keep(outcome)
        if outcome.plan.is_empty and (outcome.remark or outcome.plan.remarks):
            self._swept.outcomes.append(outcome)

    def _tell_pass(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> None:
        """Publish the verdict that a missing copy waited for; no event has told it, or nobody has heard."""
        assessment = self._assessor.assess(rule, image.digest, images)
        self._swept.outcomes.append(Outcome(str(image), rule.name, rule.mode, assessment=assessment))
        self._hands.notices.publish(verdict_notice(rule, image, assessment))

    def _look_at_copy(self, copy: Copy, missing: list[tuple[Copy, Plan]]) -> None:
        plan = self._copier.plan(copy, with_settings=self._hands.is_dry)
        if not plan.is_empty:
            missing.append((copy, plan))
            self._swept.keep(Outcome(str(copy), copy.rule.name, copy.rule.mode, plan, remark=LEFT_TO_QUEUE))

    def _request(self, image: ImageRef, why: str) -> None:
        self._hands.queue.request(ReplicationRequested(image, why, is_deep=self._hands.is_deep))
        self._swept.requested += 1
