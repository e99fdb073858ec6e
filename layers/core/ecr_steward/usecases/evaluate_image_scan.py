"""Scan, finding or push → one verdict on each tagged image that it is about."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.observations import Push, ScanEnded
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.errors import AccountNotConnectedError, RepositoryNotFoundError, StewardError
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.verdicts import Verdicts
from ecr_steward.usecases.assessor import Assessor, verdict_notice
from ecr_steward.usecases.governing import governing_rules
from ecr_steward.usecases.reading import once


class ScanBatch:
    """The messages of one batch. Facts are read, and images are judged, once for all of them.

    All messages were received before any fact is read, so what is read for the first one is new enough for the last.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        registry: Registry,
        scans: Scans,
        notices: Notices,
        now: Clock,
        verdicts: Verdicts | None = None,
    ) -> None:
        """``verdicts`` are those that sweeps remember: an event speaks against them."""
        self._verdicts = verdicts
        self._now = now
        self._heard: set[ImageRef] = set()
        self._notices = notices
        self._governing = once(partial(governing_rules, rules=rules, registry=registry))
        self._images = once(registry.images)
        self._assessor = Assessor(rules, registry, scans, now)
        self._judged: dict[ImageRef, Outcome] = {}

    def evaluate(self, hints: Sequence[ScanEnded | Push]) -> tuple[Outcome, ...]:
        """Judge the images that a message is about: one outcome for each, or one that says why there is none.

        An image that another message of the batch was about is not judged again, and fails this one, too, where it
        failed. A verdict is published if it is a pass or a fail; what is pending waits for the next scan to end.
        Nothing is read of a repository whose rule does not speak of scans: every tagged push comes by here.
        """
        if not hints:
            return (Outcome("the event", remark="it is about no image of ECR: nothing to do"),)
        return tuple(outcome for each in hints for outcome in self._evaluate(each.image, isinstance(each, ScanEnded)))

    def _evaluate(self, image: ImageRef, is_scan: bool) -> list[Outcome]:
        nothing = Outcome(str(image))
        try:
            governing = self._governing(image.repository)
            rule = governing.scan
            if rule is None:
                remark = "its rules do not speak of scans" if governing.names else "no rule covers this repository"
                return [Outcome(str(image), next(iter(governing.names), None), remark=remark)]
            nothing = Outcome(str(image), rule.name, rule.mode)
            images = self._images(image.repository)
            if image.digest not in images.digests:
                return [nothing.remarking("the image is gone")]
            tops = self._assessor.top_images_over(image.digest, images)
            if is_scan:
                self._hear(image.repository, tops)
        except RepositoryNotFoundError:
            return [nothing.remarking("the repository is gone")]
        except AccountNotConnectedError as error:
            # Inspector sends its delegated administrator the events of all accounts of the organization.
            return [nothing.remarking(str(error))]
        if not tops:
            return [nothing.remarking("no tagged image consists of it: there is nothing to judge yet")]
        return [self._judge_once(rule, ImageRef(image.repository, digest), images) for digest in tops]

    def _hear(self, repository: RepositoryRef, tops: Sequence[Digest]) -> None:
        """Have the next sweep judge these images anew. Before they are judged here, so that a crash loses nothing."""
        new = [digest for digest in tops if ImageRef(repository, digest) not in self._heard]
        if self._verdicts is not None and new:
            self._verdicts.hear(repository, new, self._now())
            self._heard |= {ImageRef(repository, digest) for digest in new}

    def _judge_once(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> Outcome:
        if (judged := self._judged.get(image)) is not None:
            remark = "judged already, with another message of this batch"
            return replace(judged, assessment=None, remark=remark)
        self._judged[image] = outcome = self._judge(rule, image, images)
        return outcome

    def _judge(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> Outcome:
        outcome = Outcome(str(image), rule.name, rule.mode)
        try:
            assessment = self._assessor.assess(rule, image.digest, images)
            outcome = replace(outcome, assessment=assessment)
            if assessment.verdict is not Verdict.WAIT:
                self._notices.publish(verdict_notice(rule, image, assessment))
        except RepositoryNotFoundError:
            return outcome.remarking("the repository is gone")
        except StewardError as error:
            error.rule = error.rule or rule.name
            return replace(outcome, error=error)
        return outcome
