"""A faithful local Amazon ECR: the JSON API and the /v2/ API over one state, for boto3, docker, skopeo and oras."""

from local_ecr.access.decision import Identity
from local_ecr.access.log import AccessDecision, DecisionLog, UnknownRequestError
from local_ecr.access.policies import Policy
from local_ecr.app import is_for_ecr
from local_ecr.ecr import LocalEcr, RecordedScan
from local_ecr.ending import Ending
from local_ecr.errors import EcrError
from local_ecr.names import Registry
from local_ecr.principals import Credential, Principal, account_principal
from local_ecr.quirks import Quirks
from local_ecr.requests import ForgottenRequestsError, Request, RequestLog
from local_ecr.server import LocalEcrServer

__all__ = [
    "AccessDecision",
    "Credential",
    "DecisionLog",
    "EcrError",
    "Ending",
    "ForgottenRequestsError",
    "Identity",
    "LocalEcr",
    "LocalEcrServer",
    "Policy",
    "Principal",
    "Quirks",
    "RecordedScan",
    "Registry",
    "Request",
    "RequestLog",
    "UnknownRequestError",
    "account_principal",
    "is_for_ecr",
]
