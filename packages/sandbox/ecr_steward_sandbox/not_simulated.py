"""How the running sandbox differs from AWS, each with its reason; deploy/not_simulated.py does so for the template."""

from collections.abc import Mapping

RUNNING: Mapping[str, str] = {
    "/opt": (
        "A process without root cannot mount there: environment values that begin with /opt/ point to a folder with "
        "the merged Lambda layers, and code that names /opt itself finds nothing."
    ),
    "temporary files": "A worker shares /tmp with this machine; TMPDIR, which tempfile uses, is its own.",
    "memory": "A worker may use more than MemorySize; the context tells the configured size.",
    "concurrency": (
        "A function has as many workers as this machine has processors, at least two; "
        "more invocations wait instead of being throttled."
    ),
    "init": "A slow start may take ten seconds plus the function's timeout, once; Lambda starts it again after ten.",
    "logs": "A function's log is part of its invocation; CloudWatch Logs holds the log groups only, and no events.",
    "retry delays": (
        "Milliseconds instead of minutes between the tries of a delivery or of a function, in the same number. Ages "
        "(MaximumEventAgeInSeconds) are not reached for that reason and not counted."
    ),
    "visibility timeout": (
        "A message that a function failed on is received again after a fraction of a second, not after the queue's "
        "visibility timeout nor when the function asked for it by ChangeMessageVisibility, so that maxReceiveCount is "
        "used up within seconds; Sandbox(redelivery_seconds=None) waits as AWS does, in the sandbox's time. "
        "maxReceiveCount and redrive are as deployed."
    ),
    "batching window": (
        "A batch is collected for a fraction of a second, not for MaximumBatchingWindowInSeconds; it ends when "
        "BatchSize is reached, never because it is larger than 6 MB."
    ),
    "schedules": (
        "They fire when asked, and when the clock is moved beyond their time; `sandbox up` fires them as time passes, "
        "too. rate() is counted from the deployment. A cron() of LW, or of years with a step, is refused."
    ),
    "clock": (
        "Moving it is like a machine that sleeps: all that is under way ends before, and what came due meanwhile "
        "happens once, at the new time. A schedule that would have fired thirteen times fires once. It only moves "
        "forward, and for all functions and services at once. Times of files stay real, and so do clocks of clients."
    ),
    "time to live": "Items that are over are deleted when the clock is moved, at once; at AWS it takes up to days.",
    "IAM": (
        "Every call is decided by the policies of its principal and of its resource, those to ECR, SQS, SNS, "
        "DynamoDB, EventBridge, Lambda, Secrets Manager and STS on the resource that they name. Of any other service "
        "no resource is known: only a statement on `*` allows a call. Permission boundaries and "
        "policies of an organisation are not evaluated. Of condition keys there are those that tell of the "
        "caller, time, region, account and tags of the resource, and for ECR the request and where it came from; "
        "others (sqs:..., kms:...) are absent, as from a request that has none. Whoever gives a role to a function, a "
        "rule or a schedule is not asked for iam:PassRole. Signatures are not verified."
    ),
    "identities made again": (
        "The keys, sessions and registry logins of a user or role end with it, whoever gets its name. A policy of a "
        "resource names by ARN: it lets in the new one, too, where AWS keeps the id of the old one."
    ),
    "STS": (
        "AssumeRole and GetCallerIdentity. Managed session policies, session tags, source identities and MFA are "
        "refused. A session policy has AWS's limit of 2,048 characters; what AWS packs it into has another one, which "
        "is not known here. The session that Lambda makes for a function's role lives twelve hours."
    ),
    "scans": (
        "Nobody scans: POST /_sandbox/scans says what was found. A scan that was started, by a push or by "
        "StartImageScan, is IN_PROGRESS until then. The first result of an enhanced scan is one Inspector2 Scan event, "
        "without the Inspector2 Finding events that Inspector sends beside it; those tell of every later change."
    ),
    "changes by API": (
        "Users, roles and their policies, rules, buses, the policies of buses, queues, topics and secrets, and "
        "functions' code, Lambda layers and configuration count as they are now; permissions of functions, event "
        "source mappings and schedules count as deployed. A function that is created by API is stored and not run, "
        "one that is deleted goes on."
    ),
    "accounts": (
        "Twelve digits as an access key are the root of that account, whatever the digits are: a mistyped one is not "
        "refused. An account that the sandbox does not name at its start has no stack, no address of a registry to "
        "push to, and nothing but what its root makes there."
    ),
    "message move tasks": (
        "StartMessageMoveTask of SQS is not there, nor are its list and its cancellation (moto has none): the redrive "
        "of a dead-letter queue is a person who receives, sends and deletes."
    ),
    "topic subscriptions": "moto hands messages of a topic to its queues, without asking the queue's policy.",
    "quotas": (
        "GetAccountSettings of Lambda and GetServiceQuota of ECR answer the usual ones; none is enforced but ECR's, "
        "where the sandbox is made with them (`ecr_quotas`)."
    ),
    "trails": (
        "CloudTrail shows one trail in each account, which records every region. Events of API calls come even if it "
        "is stopped, and there is no history of them."
    ),
    "drift": "It is never detected: a stack says NOT_CHECKED.",
    "alarms": "They exist; no metric is recorded and none ever fires.",
}
"""By what differs."""
