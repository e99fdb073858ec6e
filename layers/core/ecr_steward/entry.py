"""What every Lambda handler does around its job: correlation, one structured line, metrics, and the failure exits.

An event ends in one of three ways, and nothing else ends it:

* done: the outcome is logged, also where there was nothing to do;
* retryable error: raised, so that Lambda or the queue delivers the event again;
* permanent error: the event is put on the failure queue with its error, rule and function. Trying again cannot help,
  so it is not raised. Where the failure queue itself cannot be reached, it is, and the function's own failure
  destination keeps the event.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.adapters.counting import count
from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.brake import Hold
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.notices import FailedEvent
from ecr_steward.domain.outcome import CredentialOutcome, Lag, Outcome, SweepFailure, SweepOutcome
from ecr_steward.domain.plan import (
    AddImageTag,
    AddResourceTags,
    CopyBlob,
    CopyManifest,
    CreateRepository,
    DeleteAndRetag,
    DeleteImage,
    DeleteLifecyclePolicy,
    DeleteRepositoryPolicy,
    PublishCredential,
    PutImageTag,
    PutLifecyclePolicy,
    PutScanOnPush,
    PutTagMutability,
    RemoveImageTag,
    SetRepositoryPolicy,
    Step,
)
from ecr_steward.domain.registries import (
    DeleteRegistryPolicy,
    PutAccountSetting,
    PutCreationTemplate,
    PutRegistryPolicy,
    PutRegistryScanning,
    PutReplicationConfiguration,
)
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.verdict import bounded
from ecr_steward.errors import (
    OutOfTimeError,
    PermanentError,
    RetryableError,
    StewardError,
    SweepIncompleteError,
    gravest,
)
from ecr_steward.events.self_check import is_self_check

BEGIN_SECONDS = 60.0
"""That must be left to begin with another message of a batch."""
_RECEIVES = 3
"""After which a message that was never begun is sent anew: less than the queues' ``maxReceiveCount``."""

type Report = dict[str, Any]
"""What a handler answers: JSON, for people who invoke it by hand and for the local sandbox."""


def answer(event: Any, context: LambdaContext, job: Callable[[], Outcome | SweepOutcome | Sequence[Outcome]]) -> Report:
    """Do the job of one event that Lambda was invoked with, asynchronously or by hand."""

    def outcomes() -> Sequence[Outcome | SweepOutcome]:
        done = job()
        return done if isinstance(done, Sequence) else [done]

    try:
        return _attempt(event, context, outcomes)
    finally:
        _flush()


def deadline_of(context: LambdaContext) -> Deadline:
    """When Lambda ends this invocation."""
    return Deadline(lambda: context.get_remaining_time_in_millis() / 1000)


def answer_batch(
    event: dict[str, Any], context: LambdaContext, job: Callable[[str], Sequence[Outcome | SweepOutcome]]
) -> dict[str, Any]:
    """Do the job of each message of an SQS batch; only messages that met a retryable error come back.

    One that is not begun, or not done, since those before it took the time, comes back as it is.
    """
    begun: list[SQSRecord] = []

    def handle(record: SQSRecord) -> Report:
        is_first = not begun
        if not is_first and not deadline_of(context).has(BEGIN_SECONDS):
            return _leave_to_another(record)
        begun.append(record)
        event = _readable(record.body)
        try:
            return _attempt(event, context, lambda: () if is_self_check(event) else job(record.body))
        except RetryableError as error:
            if isinstance(error, OutOfTimeError) and not is_first:
                return _leave_to_another(record)
            _come_back_soon(record)
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        with processor(records=event["Records"], handler=handle, lambda_context=context):
            processor.process()
        return dict(processor.response())
    finally:
        _flush()


def is_batch(event: Any) -> bool:
    """Whether an event is a batch of messages, for a function that a queue and something else feed."""
    return isinstance(event, dict) and "Records" in event


def _leave_to_another(record: SQSRecord) -> Report:
    """Have another invocation take a message at once, which is no worse for having been in a batch with slow ones.

    A queue counts how often a message was received, and sets it aside after a few times. Before that the message is
    sent anew, whose count begins from nothing. Until then it is the same one, so that its age tells of a backlog.
    """
    source = bootstrap.source_queue()
    if int(record.attributes.approximate_receive_count) < _RECEIVES:
        source.postpone(record.receipt_handle, 0)
        raise OutOfTimeError("other messages of its batch took the time of this invocation")
    source.send_again(record.body)
    return {"sent_again": record.message_id}


def _come_back_soon(record: SQSRecord) -> None:
    """Let a message come again after minutes; its visibility timeout, made for the longest job, may be hours."""
    received = int(record.attributes.approximate_receive_count)
    try:
        bootstrap.source_queue().postpone(record.receipt_handle, min(60 * 2**received, _LONGEST_WAIT_SECONDS))
    except StewardError as error:
        _logger().warning("the message keeps its visibility timeout", extra={"reason": str(error)})


def _attempt(event: Any, context: LambdaContext, job: Callable[[], Sequence[Outcome | SweepOutcome]]) -> Report:
    logger = _logger()
    logger.append_keys(function_request_id=context.aws_request_id)
    logger.set_correlation_id(event.get("id") if isinstance(event, dict) else None)
    try:
        outcomes = job()
        lines = [_report(outcome) for outcome in outcomes]
        _raise_what_failed(outcomes)
    except PermanentError as error:
        kind = type(error).__name__
        logger.error("permanent error", extra={"error": kind, "reason": str(error), "rule": error.rule})
        _metrics().add_metric("EventsFailed", MetricUnit.Count, 1)
        failed = FailedEvent(context.function_name, event, kind, _with_notes(error), error.rule)
        _keep(failed)
        return {"failed": kind, "why": str(error)}
    except Exception as error:
        logger.warning("to be tried again", extra={"error": type(error).__name__, "reason": str(error)})
        raise
    return {"outcomes": lines}


def _keep(failed: FailedEvent) -> None:
    """Put an event on the failure queue; where that refuses, the log names both errors before the event comes again."""
    try:
        bootstrap.failure_queue().put(failed)
    except StewardError as error:
        _logger().error(
            "the failure queue did not take the event", extra={"error": type(error).__name__, "reason": str(error)}
        )
        raise


def _raise_what_failed(outcomes: Sequence[Outcome | SweepOutcome]) -> None:
    errors: list[StewardError] = []
    for outcome in outcomes:
        if isinstance(outcome, Outcome):
            errors += [outcome.error] if outcome.error else []
        elif failures := outcome.failures:
            told = _spelled_out(_by_reason(failures))
            errors.append(SweepIncompleteError(f"the sweep went on, but failed {len(failures)} times: {told}"))
    if errors:
        raise gravest(errors)


def _report(outcome: Outcome | SweepOutcome) -> Report:
    """Log an outcome and count its steps. What a sweep found is only logged: its answer would grow too large."""
    if isinstance(outcome, Outcome):
        return _line(outcome)
    for each in outcome.outcomes:
        _line(each)
    for lag in outcome.lags:
        _measure(lag)
    summary: Report = {
        "repositories": outcome.repositories,
        "parts": outcome.parts,
        "planned": sum(len(each.plan.steps) for each in outcome.outcomes),
        "copies_requested": outcome.requested,
        "verdicts_failed": sum(_has_failed(each) for each in outcome.outcomes),
        "left_to_earlier_sweep": outcome.joined,
        "failures": len(outcome.failures),
        "events_missed": len(outcome.missed),
    }
    _logger().info("sweep", extra=summary)
    if missed := outcome.missed:
        _metrics().add_metric("EventsMissed", MetricUnit.Count, len(missed))
        named = bounded([str(each) for each in missed])
        _logger().warning("no event started what the sweep did", extra={"missed": named})
    for failure in outcome.later:
        _logger().warning("is looked at again soon", extra={"reason": str(failure)})
    for failure in outcome.failures:
        _logger().error("could not be mended", extra={"reason": str(failure)})
    return summary


def _has_failed(outcome: Outcome) -> bool:
    return outcome.assessment is not None and outcome.assessment.verdict is Verdict.FAIL


def _line(outcome: Outcome) -> Report:
    plan = outcome.plan
    line: Report = {
        "subject": outcome.subject,
        "rule": outcome.rule,
        "mode": str(outcome.mode),
        "steps": [{"step": type(step).__name__, "what": str(step), "why": step.why} for step in plan.steps],
        "violations": [violation.why for violation in plan.violations],
        "applied": outcome.applied,
    }
    if outcome.changed_by:
        line["changed_by"] = outcome.changed_by
    if remarks := [*plan.remarks, *_said_of(outcome)]:
        line["remarks"] = remarks
    if assessment := outcome.assessment:
        line["verdict"] = str(assessment.verdict)
        line["reasons"] = list(bounded(assessment.reasons))
        line["waived"] = list(bounded(assessment.waived))
        _metrics().add_metric(_VERDICT_METRICS[assessment.verdict], MetricUnit.Count, 1)
    if isinstance(outcome.halt, Hold):
        _count_for_alarm("BrakesHeld")
    if outcome.error:
        line["error"] = f"{type(outcome.error).__name__}: {_with_notes(outcome.error)}"
        if isinstance(outcome, CredentialOutcome):
            _count_for_alarm("CredentialsFailed")
    if any(isinstance(step, PublishCredential) and step.replaces_dead for step in plan.steps):
        _count_for_alarm("CredentialsDied")
    _logger().info("outcome", extra=line)
    for step in plan.steps if outcome.applied else ():
        _metrics().add_metric(_METRICS[type(step)], MetricUnit.Count, 1)
    if plan.violations:
        _metrics().add_metric("ViolationsFound", MetricUnit.Count, len(plan.violations))
    if outcome.lag:
        _measure(outcome.lag)
    return line


def _measure(lag: Lag) -> None:
    """Measure a lag by destination and function: the sweep's is of copies under way, the copier's of those done."""
    with single_metric("ReplicationLagSeconds", MetricUnit.Seconds, lag.seconds) as metric:
        metric.add_dimension("destination", str(lag.destination))


def _count_for_alarm(name: str) -> None:
    """Count one of something that an alarm is about: without the dimension of the function, which the alarm lacks."""
    count(_metrics().namespace, name)


def _said_of(outcome: Outcome) -> list[str]:
    of_verdict = bounded(outcome.assessment.remarks) if outcome.assessment else ()
    return [*of_verdict, *([outcome.remark] if outcome.remark else []), *([str(outcome.halt)] if outcome.halt else [])]


_LONGEST_WAIT_SECONDS = 15 * 60
_FAILURES_TOLD = 10
"""How many failures of one event its message on the failure queue spells out: SQS limits what a message holds."""

_METRICS: dict[type[Step], str] = {
    AddImageTag: "ImageTagsAdded",
    RemoveImageTag: "ImageTagsRemoved",
    DeleteAndRetag: "ImageTagsAdded",
    DeleteImage: "ImagesDeleted",
    CreateRepository: "RepositoriesCreated",
    SetRepositoryPolicy: "RepositorySettingsChanged",
    DeleteRepositoryPolicy: "RepositorySettingsChanged",
    PutLifecyclePolicy: "RepositorySettingsChanged",
    DeleteLifecyclePolicy: "RepositorySettingsChanged",
    PutTagMutability: "RepositorySettingsChanged",
    PutScanOnPush: "RepositorySettingsChanged",
    AddResourceTags: "RepositorySettingsChanged",
    CopyBlob: "BlobsCopied",
    CopyManifest: "ManifestsCopied",
    PutImageTag: "ImageTagsAdded",
    PublishCredential: "CredentialsRefreshed",
    PutAccountSetting: "RegistrySettingsChanged",
    PutRegistryPolicy: "RegistrySettingsChanged",
    DeleteRegistryPolicy: "RegistrySettingsChanged",
    PutRegistryScanning: "RegistrySettingsChanged",
    PutCreationTemplate: "RegistrySettingsChanged",
    PutReplicationConfiguration: "RegistrySettingsChanged",
    StartReplicationBackfill: "BackfillsStarted",
}


_VERDICT_METRICS: dict[Verdict, str] = {
    Verdict.PASS: "VerdictsPassed",
    Verdict.FAIL: "VerdictsFailed",
    Verdict.WAIT: "VerdictsWaiting",
}


def _with_notes(error: StewardError) -> str:
    """What went wrong, and beside it: one event of several parts may have met several errors."""
    return _spelled_out([str(error), *getattr(error, "__notes__", [])])


def _by_reason(failures: Sequence[SweepFailure]) -> list[str]:
    """Each reason once, with where it was met first: a destination that is closed fails every image that goes there."""
    met: dict[str, list[str]] = {}
    for failure in failures:
        met.setdefault(failure.why, []).append(failure.subject)
    return [
        f"{subjects[0]}{f' and {len(subjects) - 1} more' if len(subjects) > 1 else ''}: {why}"
        for why, subjects in met.items()
    ]


def _spelled_out(failures: Sequence[str]) -> str:
    more = len(failures) - _FAILURES_TOLD
    return "; ".join([*failures[:_FAILURES_TOLD], *([f"and {more} more, in the log"] if more > 0 else [])])


def _readable(body: str) -> Any:
    """A message as the failure queue and the log want it: as the event it holds, where it holds one."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _flush() -> None:
    metrics = _metrics()
    if metrics.metric_set:
        metrics.flush_metrics()


@cache
def _logger() -> Logger:
    return Logger()


@cache
def _metrics() -> Metrics:
    return Metrics()
