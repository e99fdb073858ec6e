"""Quotas of an account in a region: requests a second, and repositories. None is enforced unless asked for."""
