"""Deploys our own built template into the moto of this process. See ``deployment``."""

from ecr_steward_sandbox.deploy.deployment import Deployment, Resource, deploy, verify
from ecr_steward_sandbox.deploy.in_process import ACCOUNT_HEADER, Aws, moto_app, reset_moto
from ecr_steward_sandbox.deploy.moto_deliveries import stop_moto_deliveries

__all__ = [
    "ACCOUNT_HEADER",
    "Aws",
    "Deployment",
    "Resource",
    "deploy",
    "moto_app",
    "reset_moto",
    "stop_moto_deliveries",
    "verify",
]
