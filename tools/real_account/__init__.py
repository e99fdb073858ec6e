"""Try on a real account what the project believes about AWS; docs/real-account.md."""
