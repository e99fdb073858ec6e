"""How findings are printed."""

import io
import json

from ecr_steward_cli.doctor.findings import Finding, Status
from ecr_steward_cli.doctor.output import Looked, as_json, show

LOOKED = Looked(
    "ecr-steward",
    "us-east-1",
    "111122223333",
    (
        Finding("stack-exists", Status.OK, "", "the stack"),
        Finding("rule-enabled", Status.PROBLEM, "ForwardToStewardRule", "State is DISABLED", "enable it"),
        Finding("queue-age", Status.NOT_LOOKED_AT, "Queue", "denied", "allow it"),
    ),
)


def test_each_finding_has_a_line_and_what_to_do_a_line_below_it():
    stream = io.StringIO()
    show(LOOKED, stream)
    assert stream.getvalue().splitlines() == [
        "stack ecr-steward in us-east-1 of 111122223333",
        "  ok            stack-exists  the stack",
        "rules and schedules",
        "  problem       rule-enabled  ForwardToStewardRule: State is DISABLED",
        "                              enable it",
        "queues",
        "  not looked at queue-age     Queue: denied",
        "                              allow it",
        "1 ok, 1 wrong, 1 not looked at",
    ]


def test_the_document_counts_and_lists_the_findings():
    document = json.loads(as_json(LOOKED))
    findings = document.pop("findings")
    assert document == {
        "schema_version": 1,
        "stack": "ecr-steward",
        "region": "us-east-1",
        "account": "111122223333",
        "ok": 1,
        "problems": 1,
        "not_looked_at": 1,
    }
    assert findings[1] == {
        "check": "rule-enabled",
        "status": "problem",
        "subject": "ForwardToStewardRule",
        "message": "State is DISABLED",
        "do": "enable it",
    }
