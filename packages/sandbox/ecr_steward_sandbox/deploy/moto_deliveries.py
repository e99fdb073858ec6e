"""moto only stores: every delivery is the sandbox's own.

moto would deliver by itself, and wrongly: an event source mapping makes it take the message away inside SendMessage,
a rule with a Lambda target makes PutEvents fail, and a disabled rule delivers all the same.
"""

from typing import Any

from moto.events.models import Rule, events_backends
from moto.sqs.models import sqs_backends


class StoredRule(Rule):
    """A rule of moto that can be read and changed, and delivers nothing."""

    def send_to_targets(self, original_event: Any, transform_input: bool = True) -> None:
        """Nothing: the sandbox delivers."""

    def is_created(self) -> bool:
        return True


def stop_moto_deliveries(account: str, region: str) -> None:
    """Take moto's own deliveries away from every rule and queue that exists now.

    A rule or mapping that is made later by hand is moto's again until this is called again.
    """
    for queue in sqs_backends[account][region].queues.values():
        queue.lambda_event_source_mappings.clear()
    for bus in events_backends[account][region].event_buses.values():
        for name, rule in bus.rules.items():
            bus.rules[name] = _stored(rule)


def _stored(rule: Rule) -> StoredRule:
    return StoredRule(
        rule.name,
        rule.account_id,
        rule.region_name,
        rule.description,
        rule.event_pattern.dump(),
        rule.scheduled_expression,
        rule.role_arn,
        rule.event_bus_name,
        rule.state,
        rule.managed_by,
        targets=rule.targets,
    )
