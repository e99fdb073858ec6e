"""``ecr-steward copy``: images between registries and folders, by the steward's own copier."""
