"""Acts 8 and 9 of the demo, an image waits for its scan and a finding is waived: broken on purpose, they must fail.

Each is played after the acts that it builds on, without those in between. Which claim fails is asserted, too: where
nothing works at all every act would fail.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.demo.stage import Stage

pytestmark = pytest.mark.slow

PAYMENTS = "payments"


def send_scans_to_the_queue_of_copies(house: Any) -> None:
    rule = "ImageScannedToEvaluateImageScanRule"
    house.hub.set(rule, *("Targets", 0, "Arn"), {"Fn::GetAtt": ["ReplicateImageQueue", "Arn"]})
    senders = ("PolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:SourceArn")
    names = ("ImagePushedToReplicateImageRule", "ImageVerdictToReplicateImageRule", rule)
    house.hub.set("ReplicateImageQueuePolicy", *senders, [{"Fn::GetAtt": [name, "Arn"]} for name in names])


def believe_the_event(house: Any) -> None:
    house.code(
        "events/copy_job.py",
        "verdict = parse(ImageVerdictEvent, event).detail.to_notice()",
        "verdict = parse(ImageVerdictEvent, event).detail.to_notice()\n"
        "            ReplicationRequested.believed = verdict.image.digest",
    )
    house.code(
        "usecases/copier.py",
        "assessment = self.assessor.assess(rule, digest, source)",
        "from ecr_steward.domain.notices import ReplicationRequested\n"
        "        if getattr(ReplicationRequested, 'believed', None) == digest:\n"
        "            return None\n"
        "        assessment = self.assessor.assess(rule, digest, source)",
    )


def keep_the_workers_with_their_rulebook(stage: Stage) -> None:
    stage.sandbox.engine.invocations.restart = lambda config: None  # type: ignore[method-assign]


BREAKS: list[tuple[int, str, Callable[[Any], None], str]] = [
    (
        8,
        "condition on copies",
        lambda house: house.rule(PAYMENTS, lambda rule: rule["replicate"][0].pop("when")),
        "eu-west-1 has no payments/api",
    ),
    (
        8,
        "destination",
        lambda house: house.rule(PAYMENTS, lambda rule: rule.pop("replicate")),
        "eu-west-1 has payments/api",
    ),
    (
        8,
        "severity from which a finding fails",
        lambda house: house.rule(PAYMENTS, lambda rule: rule["scan"]["fail_on"].update(severity="MEDIUM")),
        "no verdict is told while a scan is missing",
    ),
    (
        8,
        "EventBridge rule for basic scans",
        lambda house: house.hub.disable("ImageScannedToEvaluateImageScanRule"),
        "one verdict was told",
    ),
    (8, "target of the rule for basic scans", send_scans_to_the_queue_of_copies, "one verdict was told"),
    (
        8,
        "EventBridge rule for verdicts",
        lambda house: house.hub.disable("ImageVerdictToReplicateImageRule"),
        "replicate_image was asked",
    ),
    (
        8,
        "permission to read scans, to judge",
        lambda house: house.hub.take("EvaluateImageScanFunction", "ecr:DescribeImageScanFindings"),
        "one verdict was told",
    ),
    (
        8,
        "permission to read scans, to judge again",
        lambda house: house.hub.take("ReplicateImageFunction", "ecr:DescribeImageScanFindings"),
        "eu-west-1 has payments/api",
    ),
    (
        8,
        "permission to tell the verdict",
        lambda house: house.hub.take("EvaluateImageScanFunction", "events:PutEvents"),
        "one verdict was told",
    ),
    (
        8,
        "look at every platform",
        lambda house: house.code(
            "usecases/assessor.py", "in self._parts(image, images)]", "in self._parts(image, images)][:1]"
        ),
        "no verdict is told while a scan is missing",
    ),
    (
        8,
        "wait for scans under way",
        lambda house: house.code("domain/verdict.py", "if self._waiting:", "if False:"),
        "eu-west-1 has no payments/api",
    ),
    (8, "verdict from the facts", believe_the_event, "eu-west-1 still has no payments/api"),
    (
        8,
        "word on what nobody has rated",
        lambda house: house.code("domain/verdict.py", "elif finding.severity is Severity.UNDEFINED:", "elif False:"),
        "which nobody has rated",
    ),
    (
        9,
        "forwarding of Inspector's events",
        lambda house: house.hub.set("ForwardToStewardRule", "EventPattern", "source", ["aws.ecr"]),
        "the verdict on the index is fail",
    ),
    (
        9,
        "EventBridge rule for enhanced scans",
        lambda house: house.hub.disable("InspectorScannedToEvaluateImageScanRule"),
        "the verdict on the index is fail",
    ),
    (
        9,
        "severity from which a finding fails",
        lambda house: house.rule(PAYMENTS, lambda rule: rule["scan"]["fail_on"].update(severity="CRITICAL")),
        "the verdict on the index is fail",
    ),
    (
        9,
        "findings of Inspector",
        lambda house: house.code("adapters/ecr_scans.py", 'found.get("enhancedFindings", [])', "()"),
        "the verdict on the index is fail",
    ),
    (
        9,
        "worst of the platforms",
        lambda house: house.code("domain/verdict.py", "in _findings(parts)", "in _findings(parts[:1])"),
        "the verdict on the index is fail",
    ),
    (
        9,
        "reasons",
        lambda house: house.code("usecases/assessor.py", "reasons=bounded(assessment.reasons)", "reasons=()"),
        "and says why",
    ),
    (
        9,
        "refusal to copy what failed",
        lambda house: house.code(
            "usecases/copier.py",
            'case Verdict.FAIL:\n                return f"',
            'case Verdict.FAIL:\n                return None and f"',
        ),
        "eu-west-1 still has no payments/web",
    ),
    (
        9,
        "deployment of the rulebook",
        lambda house: house.before(9, keep_the_workers_with_their_rulebook),
        "the verdict is pass",
    ),
    (9, "waiver", lambda house: house.code("domain/verdict.py", "if holding:", "if False:"), "the verdict is pass"),
    (
        9,
        "permission of the sweep to read scans",
        lambda house: house.hub.take("ReconcileRegistryFunction", "ecr:DescribeImageScanFindings"),
        "the verdict is pass",
    ),
    (
        9,
        "verdict of the sweep, pass",
        lambda house: house.code(
            "usecases/sweep_repository.py", "any(copy.replication.when for copy, _ in missing)", "False"
        ),
        "the verdict is pass",
    ),
    (
        9,
        "schedule of the sweep",
        lambda house: house.hub.default("SweepSchedule", "rate(30 days)"),
        "the sweep's verdict is fail again",
    ),
    (
        9,
        "end of the waiver",
        lambda house: house.code("domain/rules.py", "return day <= self.until", "return True"),
        "the sweep's verdict is fail again",
    ),
    (
        9,
        "clock of the functions",
        lambda house: house.keep_workers_in_the_past(9),
        "the sweep's verdict is fail again",
    ),
    (
        9,
        "verdict of the sweep, fail",
        lambda house: house.code(
            "usecases/sweep_repository.py", "if assessment.verdict is Verdict.FAIL and", "if False and"
        ),
        "the sweep's verdict is fail again",
    ),
]


@pytest.mark.parametrize(
    ("act", "take_away", "claim"), [pytest.param(a, take, claim, id=f"act {a}: {id}") for a, id, take, claim in BREAKS]
)
def test_act_notices_when_a_part_is_missing(act: int, take_away: Callable[[Any], None], claim: str, house: Any) -> None:
    take_away(house)

    ending, account = house.tell(act=act)

    assert ending.failed_act == act, account
    assert claim in ending.why, account


@pytest.mark.parametrize("act", [8, 9])
def test_act_holds_without_those_in_between_when_nothing_is_missing(act: int, house: Any) -> None:
    ending, account = house.tell(act=act)

    assert ending.failed_act is None, account
