"""Act 6: things go missing and no event says so; the sweep brings them back, and a second one plans nothing."""

from ecr_steward_sandbox.demo.acts.governance import check_settings
from ecr_steward_sandbox.demo.acts.replication import check_replica
from ecr_steward_sandbox.demo.stage import AWAY, REPOSITORY, Stage
from ecr_steward_sandbox.function_logs import log_lines

TITLE = "What no event announced is found by the sweep"
ABOUT = "ECR's events are best effort. reconcile_registry runs on a schedule and plans the same jobs over everything."


def play(stage: Stage) -> None:
    """Delete a lifecycle policy and a replica unseen, and sweep twice."""
    lost = stage.release("1.4.3")
    stage.sandbox.local_ecr.trail = False
    stage.narrator.did(f"delete the lifecycle policy of {REPOSITORY} by hand", "no trail logs it")
    stage.home.ecr.delete_lifecycle_policy(repositoryName=REPOSITORY)
    stage.narrator.did(
        f"delete the replica of 1.4.3 in {AWAY} by hand", "index, SBOM and tags; 1.4.2 needs the platforms"
    )
    gone = [lost.sbom, lost.index]
    reply = stage.away.ecr.batch_delete_image(
        repositoryName=REPOSITORY, imageIds=[{"imageDigest": str(manifest.digest)} for manifest in gone]
    )
    stage.settle()
    left = stage.away.digests(REPOSITORY) & {str(manifest.digest) for manifest in gone}
    stage.check_equal("index and SBOM of 1.4.3 are gone from eu-west-1", (reply["failures"], left), ([], set()))
    stage.sandbox.local_ecr.trail = True
    stage.close()

    stage.sweep()
    stage.tell("reconcile_registry", "replicate_image")
    check_settings(stage, stage.home, REPOSITORY)
    check_replica(stage, stage.away, REPOSITORY, [stage.release("1.4.2"), lost])
    stage.close()

    mark = stage.mark()
    stage.sweep()
    stage.tell("reconcile_registry")
    summaries = [
        line
        for each in stage.sandbox.invocations[stage.told :]
        for line in log_lines(each.log)
        if line.get("message") == "sweep"
    ]
    cuts, parts = [s for s in summaries if s["parts"]], [s for s in summaries if not s["parts"]]
    cut_into = sum(cut["parts"] for cut in cuts)
    stage.require(
        f"the second sweep was cut into {cut_into} parts", (len(cuts), len(parts)) == (1, cut_into), summaries
    )
    looked_at = sum(part["repositories"] for part in parts)
    stage.check_equal(
        f"it looked at {looked_at} repositories and planned nothing",
        [sum(each[key] for each in summaries) for key in ("planned", "copies_requested", "failures")],
        [0, 0, 0],
    )
    stage.check_equal("nor changed anything", stage.mutating_calls_since(mark, ("ecr", "sns")), [])
    stage.check_equal("nothing that the template wires together is undeliverable", stage.sandbox.engine.problems(), [])
    stage.check_nothing_is_left()
