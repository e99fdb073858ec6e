"""Who may do what at ECR: the permission of each request, what policies of callers and registries say, and one gate."""
