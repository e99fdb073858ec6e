"""The control plane: ECR's JSON API, driven by botocore's own model of it."""
