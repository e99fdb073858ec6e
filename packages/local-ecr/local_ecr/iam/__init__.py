"""AWS's policy evaluation, for any service: may this principal do this, which statement says so, and why not?

    from local_ecr.iam import Call, Identity, Policy, Principal, judge

    jo = Principal("AWS", "arn:aws:iam::111122223333:user/jo")
    call = Call("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:jobs", jo)
    judgement = judge(call, Identity([Policy("Send", document)]), resource=[Policy("queue policy", other_document)])
    judgement.is_allowed, judgement.by, judgement.why

Evaluated are identity policies, permission boundaries, session policies and resource policies, within an account and
across accounts. Not evaluated: the service control and resource control policies of an organization. Whatever is not
understood is refused, never skipped. These names are what other packages may import; the modules are not.
"""

from local_ecr.iam.calls import UNKNOWN, Call, Context, Permission, Principal, UnsupportedPolicyError
from local_ecr.iam.decision import Identity, Judgement, judge, sentence
from local_ecr.iam.explain import Evidence, explain
from local_ecr.iam.keys import call_keys, principal_keys, source_keys
from local_ecr.iam.log import (
    API,
    BACKGROUND,
    DISTRIBUTION,
    AccessDecision,
    DecisionLog,
    UnknownRequestError,
    tell_nobody,
)
from local_ecr.iam.policies import Decision, Document, Policy, allows, check, decide, read_policy

__all__ = [
    "API",
    "BACKGROUND",
    "DISTRIBUTION",
    "UNKNOWN",
    "AccessDecision",
    "Call",
    "Context",
    "Decision",
    "DecisionLog",
    "Document",
    "Evidence",
    "Identity",
    "Judgement",
    "Permission",
    "Policy",
    "Principal",
    "UnknownRequestError",
    "UnsupportedPolicyError",
    "allows",
    "call_keys",
    "check",
    "decide",
    "explain",
    "judge",
    "principal_keys",
    "read_policy",
    "sentence",
    "source_keys",
    "tell_nobody",
]
