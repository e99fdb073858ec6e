"""Counts of what no outcome tells, as CloudWatch metrics: in the embedded format, which CloudWatch reads from logs.

Powertools gives each metric the function's name as a dimension, and an alarm watches one dimension at a time. What is
counted here has none, since it is about the whole deployment.
"""

import json
import sys
import time


def count(namespace: str, name: str) -> None:
    """Count one of something."""
    about = {"Namespace": namespace, "Dimensions": [[]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [about]}, name: 1}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
