"""Rules, roles and resource policies as they are now: what somebody changed by API after the deployment counts too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from moto.events.models import events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ecr_steward_sandbox.delivery.deployed import target_of
from ecr_steward_sandbox.delivery.patterns import Pattern
from ecr_steward_sandbox.delivery.stores import MOTO_LOCK
from ecr_steward_sandbox.delivery.wiring import HEARS_READS, Rule, Wiring
from ecr_steward_sandbox.identity import iam
from local_ecr.iam import Document


def refreshed(wiring: Wiring) -> Wiring:
    """The same wiring with the buses, rules, roles and the policies of buses, queues and topics that moto holds now.

    Permissions of functions, event source mappings and schedules stay as deployed: moto drops parts of them.
    """
    with MOTO_LOCK:
        policies = {
            arn: documents
            for arn, documents in wiring.resource_policies.items()
            if arn.split(":")[2] not in ("sqs", "sns", "events")
        }
        policies |= {arn: (document,) for arn, document in _store_policies()}
        return replace(
            wiring,
            rules=tuple(_rules()),
            roles={role.arn: role for role in iam.all_roles()},
            resource_policies=policies,
            bus_arns=frozenset(bus.arn for bus in _buses()),
        )


def _buses() -> Iterator[Any]:
    for account in list(events_backends):
        for region in list(events_backends[account].keys()):
            yield from events_backends[account][region].event_buses.values()


def _rules() -> Iterator[Rule]:
    for bus in _buses():
        for rule in bus.rules.values():
            pattern = rule.event_pattern.dump()
            yield Rule(
                arn=rule.arn,
                bus_arn=bus.arn,
                pattern=Pattern.parse(json.loads(pattern)) if pattern else None,
                targets=tuple(target_of(target) for target in rule.targets),
                is_enabled=rule.state != "DISABLED",
                hears_reads=rule.state == HEARS_READS,
            )


def _store_policies() -> Iterator[tuple[str, Document]]:
    for bus in _buses():
        if bus.policy is not None:
            yield bus.arn, json.loads(bus.policy)
    for account in list(sqs_backends):
        for region in list(sqs_backends[account].keys()):
            for queue in sqs_backends[account][region].queues.values():
                yield queue.queue_arn, queue._policy_json
    for account in list(sns_backends):
        for region in list(sns_backends[account].keys()):
            for topic in sns_backends[account][region].topics.values():
                yield topic.arn, topic._policy_json
