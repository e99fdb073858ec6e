"""The rulebook: its models, its checks, and its compilation to the domain's rules."""
