"""``ecr-steward test``: cases that say what a rulebook makes of a repository, run offline."""
