"""Counts of what no outcome tells, as CloudWatch metrics. What is counted leaves with the function's other metrics."""

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


def count(name: str) -> None:
    """Count one of something."""
    Metrics().add_metric(name, MetricUnit.Count, 1)
