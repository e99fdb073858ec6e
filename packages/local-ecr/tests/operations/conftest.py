"""The accounts that the tests of operations work in."""

from lab.ecr_accounts import _aws_account, _local_ecr_account, account, real_account, remove_repositories

__all__ = ["_aws_account", "_local_ecr_account", "account", "real_account", "remove_repositories"]
