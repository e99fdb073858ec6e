"""ECR's lifecycle policies: their grammar as types, what they do to images, and when two of them do the same."""
