"""The organizations of accounts, as condition keys. Source: IAM user guide, "AWS global condition context keys"."""

from collections.abc import Mapping


def organization_keys(organizations: Mapping[str, str], principal: str, resource: str) -> dict[str, str]:
    """The keys of a call by an account upon another; an account that is in none has no key."""
    return {
        key: organizations[account]
        for key, account in (("aws:PrincipalOrgID", principal), ("aws:ResourceOrgID", resource))
        if account in organizations
    }
