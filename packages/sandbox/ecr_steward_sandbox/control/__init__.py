"""The HTTP API below /_sandbox/: of ECR alone (`ecr`), and of the whole sandbox (`whole`)."""
