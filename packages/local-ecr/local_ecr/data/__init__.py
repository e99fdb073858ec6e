"""The data plane: the /v2/ API of OCI distribution, as ECR speaks it."""
