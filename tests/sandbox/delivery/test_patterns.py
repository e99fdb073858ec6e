"""The pattern matcher against answers from the EventBridge guide and the event-ruler README, and properties."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward_sandbox.delivery.patterns import InvalidPatternError, Pattern

# The sample event of the event-ruler README.
INSTANCE = {
    "version": "0",
    "id": "ddddd4-aaaa-7777-4444-345dd43cc333",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "012345679012",
    "time": "2017-10-02T16:24:49Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
    "detail": {
        "c-count": 5,
        "d-count": 3,
        "x-limit": 301.8,
        "source-ip": "10.0.0.33",
        "instance-id": "i-000000aaaaaa00000",
        "state": "running",
    },
}
EMPLOYEES = {
    "employees": [
        {"firstName": "John", "lastName": "Doe"},
        {"firstName": "Anna", "lastName": "Smith"},
        {"firstName": "Peter", "lastName": "Jones"},
    ]
}
# What Inspector sends: findings with arrays of objects inside arrays of objects.
FINDING = {
    "source": "aws.inspector2",
    "detail-type": "Inspector2 Finding",
    "detail": {
        "severity": "HIGH",
        "resources": [
            {"type": "AWS_LAMBDA_FUNCTION", "details": {"awsLambdaFunction": {"functionName": "api"}}},
            {
                "type": "AWS_ECR_CONTAINER_IMAGE",
                "details": {
                    "awsEcrContainerImage": {"repositoryName": "team-a/api", "imageTags": ["1.4.2", "1-latest"]}
                },
            },
        ],
        "packageVulnerabilityDetails": {"vulnerablePackages": [{"name": "zlib"}, {"name": "openssl"}]},
    },
}

ANSWERS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("exact values, any of them", {"detail": {"state": ["initializing", "running"]}}, INSTANCE, True),
    ("exact value, none", {"detail": {"state": ["stopped"]}}, INSTANCE, False),
    ("array in the event: intersection", {"resources": [INSTANCE["resources"][0]]}, INSTANCE, True),  # type: ignore[index]
    ("all fields must match", {"source": ["aws.ec2"], "region": ["eu-west-1"]}, INSTANCE, False),
    ("prefix", {"time": [{"prefix": "2017-10-02"}]}, INSTANCE, True),
    ("prefix, other", {"time": [{"prefix": "2018"}]}, INSTANCE, False),
    ("prefix, of numbers never", {"detail": {"c-count": [{"prefix": "5"}]}}, INSTANCE, False),
    ("prefix ignoring case", {"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}, INSTANCE, True),
    ("suffix", {"source": [{"suffix": "ec2"}]}, INSTANCE, True),
    ("suffix ignoring case", {"source": [{"suffix": {"equals-ignore-case": "EC2"}}]}, INSTANCE, True),
    ("equals ignoring case", {"source": [{"equals-ignore-case": "AWS.EC2"}]}, INSTANCE, True),
    ("wildcard", {"source": [{"wildcard": "a*e*2"}]}, INSTANCE, True),
    ("wildcard over everything", {"source": [{"wildcard": "*"}]}, INSTANCE, True),
    ("wildcard, anchored", {"source": [{"wildcard": "ws*"}]}, INSTANCE, False),
    ("wildcard, escaped star", {"k": [{"wildcard": r"a\*b"}]}, {"k": "a*b"}, True),
    ("wildcard, escaped star is no star", {"k": [{"wildcard": r"a\*b"}]}, {"k": "axb"}, False),
    ("wildcard, escaped backslash", {"k": [{"wildcard": r"a\\*"}]}, {"k": "a\\b"}, True),
    ("wildcard over a line break", {"k": [{"wildcard": "a*b"}]}, {"k": "a\nb"}, True),
    ("wildcard, dot is a dot", {"k": [{"wildcard": "a.b"}]}, {"k": "axb"}, False),
    ("anything-but", {"detail": {"state": [{"anything-but": "initializing"}]}}, INSTANCE, True),
    ("anything-but, that", {"detail": {"state": [{"anything-but": "running"}]}}, INSTANCE, False),
    ("anything-but a number", {"detail": {"x-limit": [{"anything-but": 123}]}}, INSTANCE, True),
    ("anything-but numbers", {"detail": {"c-count": [{"anything-but": [5, 6]}]}}, INSTANCE, False),
    ("anything-but strings", {"detail": {"state": [{"anything-but": ["stopped", "running"]}]}}, INSTANCE, False),
    ("anything-but prefix", {"detail": {"state": [{"anything-but": {"prefix": "init"}}]}}, INSTANCE, True),
    ("anything-but prefixes", {"detail": {"state": [{"anything-but": {"prefix": ["init", "run"]}}]}}, INSTANCE, False),
    ("anything-but suffix", {"k": [{"anything-but": {"suffix": ".png"}}]}, {"k": "a.png"}, False),
    ("anything-but wildcard", {"k": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"k": "usr/lib/x"}, False),
    ("anything-but wildcard, other", {"k": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"k": "usr/bin/x"}, True),
    ("anything-but ignoring case", {"k": [{"anything-but": {"equals-ignore-case": "Init"}}]}, {"k": "INIT"}, False),
    ("anything-but on an array: one other is enough", {"k": [{"anything-but": "a"}]}, {"k": ["a", "b"]}, True),
    ("anything-but, only that in the array", {"k": [{"anything-but": "a"}]}, {"k": ["a"]}, False),
    ("anything-but, field absent", {"k": [{"anything-but": "a"}]}, {"j": "b"}, False),
    ("anything-but a string: null is something else", {"k": [{"anything-but": "a"}]}, {"k": None}, True),
    ("numeric range", {"detail": {"c-count": [{"numeric": [">", 0, "<=", 5]}]}}, INSTANCE, True),
    ("numeric below", {"detail": {"d-count": [{"numeric": ["<", 10]}]}}, INSTANCE, True),
    ("numeric equality", {"detail": {"x-limit": [{"numeric": ["=", 3.018e2]}]}}, INSTANCE, True),
    ("numeric, of strings never", {"k": [{"numeric": ["<", 10]}]}, {"k": "3"}, False),
    ("numeric, of booleans never", {"k": [{"numeric": ["<", 10]}]}, {"k": True}, False),
    ("cidr", {"detail": {"source-ip": [{"cidr": "10.0.0.0/24"}]}}, INSTANCE, True),
    ("cidr, outside", {"detail": {"source-ip": [{"cidr": "10.0.1.0/24"}]}}, INSTANCE, False),
    ("cidr, version 6", {"k": [{"cidr": "2001:db8::/32"}]}, {"k": "2001:db8::1"}, True),
    ("cidr, no address", {"k": [{"cidr": "10.0.0.0/8"}]}, {"k": "host"}, False),
    ("exists", {"detail": {"c-count": [{"exists": True}]}}, INSTANCE, True),
    ("exists, null is there", {"k": [{"exists": True}]}, {"k": None}, True),
    ("exists, not on an object", {"detail": [{"exists": True}]}, INSTANCE, False),
    ("exists, not on an empty array", {"k": [{"exists": True}]}, {"k": []}, False),
    ("absent", {"detail": {"e-count": [{"exists": False}]}}, INSTANCE, True),
    ("absent, but it is there", {"detail": {"c-count": [{"exists": False}]}}, INSTANCE, False),
    ("absent, an object is no leaf", {"k": [{"exists": False}]}, {"k": {"c1": 100}}, True),
    ("absent or a value", {"k": [{"exists": False}, "a"]}, {"k": "a"}, True),
    ("absent or a value, another", {"k": [{"exists": False}, "a"]}, {"k": "b"}, False),
    ("null", {"k": [None]}, {"k": None}, True),
    ("null is not the text null", {"k": [None]}, {"k": "null"}, False),
    ("null is not absence", {"k": [None]}, {}, False),
    ("empty text", {"k": [""]}, {"k": ""}, True),
    ("1 is not true", {"k": [1]}, {"k": True}, False),
    ("true is not 1", {"k": [True]}, {"k": 1}, False),
    ("0 is not false", {"k": [False]}, {"k": 0}, False),
    ("1 is not the text 1", {"k": [1]}, {"k": "1"}, False),
    ("300 is 300.0", {"k": [300]}, {"k": 300.0}, True),
    ("account ids are text", {"k": ["012345679012"]}, {"k": 12345679012}, False),
    ("a dotted key is a path", {"detail": {"state.status": ["x"]}}, {"detail": {"state": {"status": "x"}}}, True),
    ("object in an array", {"employees": {"firstName": ["Anna"]}}, EMPLOYEES, True),
    ("one element", {"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}}, EMPLOYEES, True),
    ("two elements never", {"employees": {"firstName": ["Anna"], "lastName": ["Jones"]}}, EMPLOYEES, False),
    ("scalar beside an object in one array", {"a": [1], "a.b": [2]}, {"a": [1, {"b": 2}]}, True),
    (
        "arrays of arrays",
        {"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}},
        {"employees": [EMPLOYEES["employees"][:2], EMPLOYEES["employees"][2:]]},
        True,
    ),
    (
        "inspector: the image of a finding",
        {
            "source": ["aws.inspector2"],
            "detail": {
                "severity": ["HIGH", "CRITICAL"],
                "resources": {
                    "type": ["AWS_ECR_CONTAINER_IMAGE"],
                    "details": {"awsEcrContainerImage": {"repositoryName": [{"prefix": "team-a/"}]}},
                },
            },
        },
        FINDING,
        True,
    ),
    (
        "inspector: type and details of one resource only",
        {
            "detail": {
                "resources": {
                    "type": ["AWS_LAMBDA_FUNCTION"],
                    "details": {"awsEcrContainerImage": {"repositoryName": ["team-a/api"]}},
                }
            }
        },
        FINDING,
        False,
    ),
    (
        "inspector: two arrays are independent",
        {
            "detail": {
                "resources": {"details": {"awsEcrContainerImage": {"imageTags": ["1-latest"]}}},
                "packageVulnerabilityDetails": {"vulnerablePackages": {"name": ["zlib"]}},
            }
        },
        FINDING,
        True,
    ),
    ("$or, first", {"source": ["aws.ec2"], "$or": [{"region": ["us-east-1"]}, {"region": ["x"]}]}, INSTANCE, True),
    ("$or, neither", {"source": ["aws.ec2"], "$or": [{"region": ["y"]}, {"region": ["x"]}]}, INSTANCE, False),
    (
        "$or within detail, with and inside",
        {"detail": {"$or": [{"state": ["x"]}, {"c-count": [5], "d-count": [{"numeric": ["<", 10]}]}]}},
        INSTANCE,
        True,
    ),
    (
        "$or nested",
        {"$or": [{"a": ["1"]}, {"b": ["1"], "$or": [{"c": ["1"]}, {"d": ["1"]}]}]},
        {"b": "1", "d": "1"},
        True,
    ),
]

INVALID: list[tuple[str, Any, str]] = [
    ("no object", ["a"], "not a JSON object"),
    ("empty", {}, "empty objects"),
    ("empty inside", {"detail": {}}, "empty objects"),
    ("empty array", {"source": []}, "empty arrays"),
    ("value outside an array", {"source": "aws.ecr"}, "must be an object or an array"),
    ("nested array", {"source": [["a"]]}, "a match value must be"),
    ("unknown operator", {"source": [{"contains": "a"}]}, "unrecognized match type contains"),
    ("two operators", {"source": [{"prefix": "a", "suffix": "b"}]}, "only one key"),
    ("prefix of a number", {"k": [{"prefix": 1}]}, "prefix takes a string"),
    ("exists of text", {"k": [{"exists": "yes"}]}, "exists takes true or false"),
    ("anything-but of mixed values", {"k": [{"anything-but": ["a", 1]}]}, "strings only or numbers only"),
    ("anything-but of nothing", {"k": [{"anything-but": []}]}, "strings only or numbers only"),
    ("anything-but of a range", {"k": [{"anything-but": {"numeric": ["<", 1]}}]}, "does not take numeric"),
    ("consecutive stars", {"k": [{"wildcard": "a**"}]}, "consecutive"),
    ("unknown escape", {"k": [{"wildcard": r"a\b"}]}, "may be escaped"),
    ("escape at the end", {"k": [{"wildcard": "a\\"}]}, "may be escaped"),
    ("numeric without number", {"k": [{"numeric": ["<"]}]}, "one or two comparisons"),
    ("numeric operator", {"k": [{"numeric": ["!=", 1]}]}, "does not know"),
    ("numeric out of range", {"k": [{"numeric": ["<", 6e9]}]}, "5.0e9"),
    ("numeric boolean", {"k": [{"numeric": ["<", True]}]}, "takes numbers"),
    ("numeric range upside down", {"k": [{"numeric": ["<", 1, ">", 0]}]}, "lower bound followed by"),
    ("numeric range empty", {"k": [{"numeric": [">", 5, "<", 1]}]}, "is empty"),
    ("cidr of a host name", {"k": [{"cidr": "host/8"}]}, "malformed CIDR"),
    ("$or of one", {"$or": [{"a": ["1"]}]}, "at least two objects"),
    ("$or of values", {"$or": ["a", "b"]}, "at least two objects"),
    ("$or with an operator as field", {"$or": [{"numeric": [1]}, {"prefix": ["a"]}]}, "is an operator"),
]


@pytest.mark.parametrize(
    ("pattern", "event", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_pattern_answers_as_eventbridge_when(pattern: dict[str, Any], event: dict[str, Any], expected: bool) -> None:
    assert Pattern.parse(pattern).matches(event) is expected


@pytest.mark.parametrize(("pattern", "message"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_pattern_is_refused_with_a_reason_when(pattern: Any, message: str) -> None:
    with pytest.raises(InvalidPatternError, match=message.replace("$", r"\$")):
        Pattern.parse(pattern)


def test_pattern_is_refused_when_its_alternatives_explode() -> None:
    alternatives = [{f"k{n}": ["1"]} for n in range(11)]
    pattern = {f"p{level}": {"$or": alternatives} for level in range(3)}

    with pytest.raises(InvalidPatternError, match="more than 1000"):
        Pattern.parse(pattern)


scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5)
keys = st.sampled_from(["a", "b", "c"])
events = st.dictionaries(
    keys,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    ),
    max_size=3,
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every scalar of an event with its path, arrays crushed out."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, path)]
    return [(path, value)]


def nested(path: tuple[str, ...], values: list[Any]) -> dict[str, Any]:
    """The pattern of one path."""
    for key in reversed(path[1:]):
        values = {key: values}  # type: ignore[assignment]
    return {path[0]: values}


@given(events)
def test_pattern_of_any_one_leaf_matches_when_the_event_has_it(event: dict[str, Any]) -> None:
    for path, value in leaves(event):
        assert Pattern.parse(nested(path, [value])).matches(event)
        assert Pattern.parse(nested(path, [{"exists": True}])).matches(event)


@given(events, keys)
def test_exists_true_and_false_are_opposites_when_asked_of_any_path(event: dict[str, Any], key: str) -> None:
    present = Pattern.parse({key: [{"exists": True}]}).matches(event)
    absent = Pattern.parse({key: [{"exists": False}]}).matches(event)

    assert present is not absent


@given(events, keys, st.text(max_size=5))
def test_anything_but_is_the_opposite_of_equality_when_the_leaf_is_single(
    event: dict[str, Any], key: str, text: str
) -> None:
    event = {**event, key: text}

    assert Pattern.parse({key: [text]}).matches(event)
    assert not Pattern.parse({key: [{"anything-but": text}]}).matches(event)


@given(events, keys, scalars, scalars)
def test_or_is_either_of_its_alternatives_when_evaluated_apart(
    event: dict[str, Any], key: str, one: Any, other: Any
) -> None:
    first, second = {key: [one]}, {"b": [other]}

    both = Pattern.parse({"$or": [first, second]}).matches(event)

    assert both is (Pattern.parse(first).matches(event) or Pattern.parse(second).matches(event))
