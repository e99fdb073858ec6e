"""Act 2: versions are pushed, aliases follow the highest one, and a version cannot be overwritten."""

from ecr_steward.errors import ImageTagIsImmutableError
from ecr_steward_sandbox.demo.stage import REPOSITORY, Stage

TITLE = "Versions are pushed and their aliases follow"
ABOUT = (
    "1.4-latest and 1-latest always name the highest version; 1.4.2 itself is immutable. Functions run at the same "
    "time: two may find the same thing missing, and doing it twice changes nothing."
)


def play(stage: Stage) -> None:
    """Push 1.4.2, then 1.4.3, then try to overwrite 1.4.2."""
    first = str(stage.push("1.4.2", REPOSITORY, "1.4.2").index.digest)
    stage.settle()
    stage.tell("enforce_image_tags")
    stage.check_equal(
        "1.4.2, 1.4-latest and 1-latest are the same image",
        stage.home.tags(REPOSITORY),
        {"1.4.2": first, "1.4-latest": first, "1-latest": first},
    )
    stage.close()

    second = str(stage.push("1.4.3", REPOSITORY, "1.4.3").index.digest)
    stage.settle()
    stage.tell("enforce_image_tags")
    stage.check_equal(
        "both aliases moved to 1.4.3, and 1.4.2 stayed where it was",
        stage.home.tags(REPOSITORY),
        {"1.4.2": first, "1.4.3": second, "1.4-latest": second, "1-latest": second},
    )

    stage.narrator.did("try to push another image as 1.4.2")
    try:
        stage.home.put_index(stage.release("1.4.3"), REPOSITORY, "1.4.2")
        refusal = None
    except ImageTagIsImmutableError as error:
        refusal = str(error)
    stage.check("the registry refuses it: the tag is immutable", refusal)
    stage.settle()
    stage.check_equal("1.4.2 is still the first image", stage.home.tags(REPOSITORY)["1.4.2"], first)
