"""Messages as Lambda hands them to a function."""

from typing import Any


def batch_of(*bodies: str) -> dict[str, Any]:
    """The messages of a queue as Lambda hands them over."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:q",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
