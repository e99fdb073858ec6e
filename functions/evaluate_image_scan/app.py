"""Scans, findings and pushes → one verdict per image. Wired in template.yaml as EvaluateImageScanFunction."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import answer_batch, deadline_of
from ecr_steward.events.scan_event import read_scan_event
from ecr_steward.usecases.evaluate_image_scan import ScanBatch


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a batch of the scan queue: an image is evaluated once, however many messages are about it."""

    @cache
    def batch() -> ScanBatch:
        return bootstrap.app(deadline_of(context)).scan_batch()

    def job(body: str) -> Sequence[Outcome]:
        return batch().evaluate(read_scan_event(body))

    return answer_batch(event, context, job)
