"""The demo: an image travels through the whole house on this machine, told act by act (``ecr-steward demo``)."""
