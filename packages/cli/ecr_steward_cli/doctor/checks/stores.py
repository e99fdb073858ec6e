"""Tables, notices, alarms, logs, and the pulls that ECR does not count."""

from collections.abc import Iterator, Mapping

from ecr_steward_cli.doctor.checks.check import Asks, AsTemplate, Check, Exists, problem
from ecr_steward_cli.doctor.checks.rules import RECREATE
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding
from ecr_steward_cli.doctor.policies import normal_policy

_ALARM, _TABLE, _TOPIC = "AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table", "AWS::SNS::Topic"
_SUBSCRIPTION = "AWS::SNS::Subscription"
_PULLS = "AWS::ECR::PullTimeUpdateExclusion"


def _active(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_TABLE):
        if isinstance(part.found, Mapping) and part.found["status"] not in {"ACTIVE", "UPDATING"}:
            yield problem(check, part, f"the table is {part.found['status']}")


def _confirmed(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_SUBSCRIPTION):
        if isinstance(part.found, Mapping) and not part.found["is_confirmed"]:
            yield problem(check, part, "the address has not confirmed its subscription")


def _quiet(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_ALARM):
        if isinstance(part.found, Mapping) and part.found.get("StateValue") == "ALARM":
            yield problem(check, part, f"it is on: {part.found.get('StateReason') or 'CloudWatch gives no reason'}")


CHECKS: tuple[Check, ...] = (
    Exists("table-exists", (_TABLE,), "each table exists", f"{RECREATE}. What the table held is lost without a backup"),
    Asks(
        "table-active",
        "each table can be read and written",
        "`aws dynamodb describe-table --table-name {name}` says what is under way",
        _active,
        lambda facts: list(facts.of_types(_TABLE)),
    ),
    AsTemplate(
        "table-expiry",
        (_TABLE,),
        ("TimeToLiveSpecification",),
        "items of each table that are over are deleted",
        "`aws dynamodb update-time-to-live --table-name {name}`, as the template has it",
    ),
    Exists("topic-exists", (_TOPIC,), "the topic of the notices exists", RECREATE),
    AsTemplate(
        "topic-policy",
        ("AWS::SNS::TopicPolicy",),
        ("PolicyDocument",),
        "the policy of the topic: alarms of this account may publish",
        "put it back with `aws sns set-topic-attributes --attribute-name Policy`, as the template has it",
        normal=normal_policy,
        is_whole=True,
    ),
    Exists(
        "subscription-exists",
        (_SUBSCRIPTION,),
        "the address of the parameter NotificationEmail is subscribed to the notices",
        "`aws sns subscribe --topic-arn TOPIC --protocol email --notification-endpoint ADDRESS`; it has to confirm",
    ),
    Asks(
        "subscription-confirmed",
        "the address has confirmed its subscription: until then it receives nothing",
        "open the link in the mail of *AWS Notifications* to the address",
        _confirmed,
        lambda facts: list(facts.of_types(_SUBSCRIPTION)),
    ),
    Exists("alarm-exists", (_ALARM,), "each alarm exists", RECREATE),
    AsTemplate(
        "alarm-actions",
        (_ALARM,),
        ("ActionsEnabled", "AlarmActions"),
        "each alarm reports to the topic of the notices",
        "`aws cloudwatch enable-alarm-actions --alarm-names {name}`, or put the actions back with put-metric-alarm",
        usual={"ActionsEnabled": True},
    ),
    AsTemplate(
        "alarm-settings",
        (_ALARM,),
        (
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "MetricName",
            "Namespace",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
        ),
        "what each alarm watches, and when it is on",
        "put it back with `aws cloudwatch put-metric-alarm`, as the template has it",
    ),
    Asks(
        "alarm-quiet",
        "no alarm is on",
        "the description of {name} says what to read and what to mend",
        _quiet,
        lambda facts: list(facts.of_types(_ALARM)),
    ),
    AsTemplate(
        "log-retention",
        ("AWS::Logs::LogGroup",),
        ("RetentionInDays",),
        "each log group of a function exists, and how many days it keeps",
        "`aws logs put-retention-policy --log-group-name {name}`, or deploy with the parameter LogRetentionDays",
    ),
    Exists("log-exists", ("AWS::Logs::LogGroup",), "each log group exists", RECREATE),
    Exists(
        "pull-exclusion",
        (_PULLS,),
        "ECR does not count what a function reads of an image as a pull, so that retention by last pull works",
        "`aws ecr register-pull-time-update-exclusion --principal-arn {name}`",
    ),
)
