"""What an account may have: GetAccountSettings of Lambda and GetServiceQuota for ECR, which moto does not know.

The sandbox enforces none of them. They stand here for those who ask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from moto.awslambda.models import lambda_backends

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.moto_gateway import HttpAnswer
from ecr_steward_sandbox.permissions import PARTITION
from local_ecr import Principal

REPOSITORIES: Final = "L-CFEB8E8D"
_CODE_SIZE: Final = {"TotalCodeSize": 80_530_636_800, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800}
"""Bytes ("Lambda quotas", Lambda developer guide)."""


@dataclass
class AccountQuotas:
    """The defaults of an account that is not new; a test may change them."""

    concurrent_executions: int = 1000
    """Of all functions of an account in a region. An account that is new may have 10 ("Lambda quotas")."""
    repositories: float = 100_000.0
    """Of a registry ("Amazon ECR service quotas", ECR user guide)."""

    def account_settings(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        """GetAccountSettings, Lambda API reference."""
        functions = lambda_backends[principal.account][call.region].list_functions()
        reserved = sum(int(one.reserved_concurrency or 0) for one in functions)
        limit = {
            **_CODE_SIZE,
            "ConcurrentExecutions": self.concurrent_executions,
            "UnreservedConcurrentExecutions": self.concurrent_executions - reserved,
        }
        usage = {"TotalCodeSize": sum(one.code_size for one in functions), "FunctionCount": len(list(functions))}
        return HttpAnswer.json(200, {"AccountLimit": limit, "AccountUsage": usage})

    def service_quota(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer | None:
        """GetServiceQuota, Service Quotas API reference; ``None`` for a service that is not ECR, which moto answers."""
        asked = json.loads(request.body)
        if asked.get("ServiceCode") != "ecr":
            return None
        if asked.get("QuotaCode") != REPOSITORIES:
            return HttpAnswer.error(
                400, "NoSuchResourceException", f"The sandbox knows of ECR the quota {REPOSITORIES}."
            )
        arn = f"arn:{PARTITION}:servicequotas:{call.region}:{principal.account}:ecr/{REPOSITORIES}"
        quota = {
            "ServiceCode": "ecr",
            "ServiceName": "Amazon Elastic Container Registry (Amazon ECR)",
            "QuotaArn": arn,
            "QuotaCode": REPOSITORIES,
            "QuotaName": "Registered repositories",
            "Value": self.repositories,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
        return HttpAnswer.json(200, {"Quota": quota})
