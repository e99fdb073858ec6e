"""The codes of everything that can be wrong with a rulebook, a case of its tests, or the use of a command.

A code never changes its meaning, and one that is out of use is not given again: people search for them, and
``docs/errors`` has a page for each, which ``ecr-steward explain CODE`` prints.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """One kind of error: its code, and its meaning in a few words."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        """A code with its meaning."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made

    # ES0: the file
    FILE_UNREADABLE = "ES001", "the file cannot be read"
    FILE_TOO_LARGE = "ES002", "the file is too large"
    NOT_UTF8 = "ES003", "the file is not UTF-8"
    NOT_YAML = "ES004", "the file is no YAML"
    TAB = "ES005", "a tab indents a line"
    NESTED_TOO_DEEPLY = "ES006", "values are nested too deeply"
    FILE_EMPTY = "ES007", "the file is empty"
    UNFOLDS_TOO_FAR = "ES008", "aliases unfold to too many values"
    ALIAS_IN_ITSELF = "ES009", "an alias contains itself"
    KEY_NOT_A_WORD = "ES010", "a key is a list or a mapping"
    MERGE_KEY = "ES011", "a merge key"
    DUPLICATE_KEY = "ES012", "a key stands twice"
    YAML_TAG = "ES013", "a YAML tag that is not understood"
    SEVERAL_DOCUMENTS = "ES014", "several documents in one file"

    # ES1: keys, and the form of values
    UNKNOWN_KEY = "ES101", "an unknown key"
    MISSING_KEY = "ES102", "a key is missing"
    NO_VALUE = "ES103", "a key without a value"
    UNKNOWN_VALUE = "ES104", "a value that is not one of the known words"
    NOT_A_LIST = "ES105", "a list is wanted"
    NOT_A_MAPPING = "ES106", "keys with values are wanted"
    NOT_TEXT = "ES107", "text is wanted"
    NOT_TRUE_OR_FALSE = "ES108", "true or false is wanted"
    NOT_A_NUMBER = "ES109", "a number is wanted"
    TOO_FEW_ENTRIES = "ES110", "too few entries"
    TOO_MANY_ENTRIES = "ES111", "too many entries"
    TEXT_TOO_LONG = "ES112", "a text is too long"
    NUMBER_OUT_OF_RANGE = "ES113", "a number is out of range"
    NAME_FORM = "ES114", "a name of the wrong form"
    OTHER_VALUE = "ES199", "a value that does not fit"

    # ES2: words with a grammar of their own
    ACCOUNT_ID = "ES201", "not an account id"
    REGION = "ES202", "not a region"
    REGION_PATTERN = "ES203", "not a pattern of regions"
    REPOSITORY_PATTERN = "ES204", "a pattern that matches no repository"
    DOUBLE_STAR = "ES205", "`**` that does not stand alone"
    REPOSITORY_PLACEHOLDER = "ES206", "an unknown placeholder in a repository name"
    REPOSITORY_TEMPLATE = "ES207", "a template that makes no repository name"
    TAG_PATTERN = "ES208", "a pattern that matches no image tag"
    SCHEME = "ES209", "an unknown scheme of image tags"
    REGEX = "ES210", "a regular expression that RE2 refuses"
    TAG_FILTER = "ES211", "a filter that ECR does not take"
    TOO_MANY_STARS = "ES212", "too many `*` in an exception"
    ALIAS_PLACEHOLDER = "ES213", "an unknown placeholder in an alias"
    ALIAS_NO_TAG = "ES214", "an alias that is no image tag"
    ALIAS_IS_A_VERSION = "ES215", "an alias that reads as a version"
    PUBLIC_ACCESS = "ES216", "access for everybody in a short word"
    PRINCIPAL = "ES217", "a principal that is nobody"
    DURATION = "ES218", "not a duration"
    RESOURCE_TAG_KEY = "ES219", "not the key of a resource tag"
    FINDING = "ES220", "not the name of a finding"
    DATE_FORM = "ES221", "not a date"
    DATE_NOT_IN_CALENDAR = "ES222", "a date that is not in the calendar"
    SAYS_NOTHING = "ES223", "a text that says nothing"
    ROLE_ARN = "ES224", "an ARN where the name of a role is wanted"
    OWN_ROLE = "ES225", "the role of the function itself"
    ROLE_NAME = "ES226", "not the name of a role"
    SECRET_ARN = "ES227", "an ARN where the name of a secret is wanted"
    SECRET_NAME = "ES228", "not the name of a secret"
    LABEL_KEY = "ES241", "not the key of a label or annotation"
    ARTIFACT_TYPE = "ES242", "not an artifact type"
    GRACE = "ES243", "not a time of minutes, hours or days"
    SCAN_FILTER = "ES251", "a filter of scans that ECR does not take"
    REPLICATION_PREFIX = "ES252", "not how the name of a repository begins"
    TEMPLATE_PREFIX = "ES253", "not the prefix of a creation template"

    # ES3: rules and image tags that contradict each other
    NAME_TWICE = "ES301", "two of the same name"
    RULE_NEVER_DECIDES = "ES302", "a rule that never decides anything"
    ALLOWED_AND_DENIED = "ES303", "an image tag that is allowed and denied"
    ALIAS_DENIED = "ES304", "an alias that is denied"
    ALIAS_IMMUTABLE = "ES305", "an alias that cannot move, since image tags are immutable"
    ALIAS_HELD = "ES306", "an alias that an exception makes immutable"
    EXCEPTION_COVERS_A_RELEASE = "ES307", "an exception that covers releases"
    SECTION_NEVER_DECIDES = "ES308", "a section that a rule above has said already"
    RULE_SAYS_NOTHING = "ES309", "a rule that says nothing"
    PROFILE_UNKNOWN = "ES310", "a profile that is not there"
    PROFILE_IN_A_CIRCLE = "ES311", "a profile that extends itself"
    NAME_RESERVED = "ES312", "a name that means something else"
    ALIAS_PROTECTED = "ES321", "an alias that is protected"
    PROTECTED_AND_DENIED = "ES322", "an image tag that is protected and denied"
    ALIAS_NEEDS_NO_DELETION = "ES323", "an alias that is deleted although it can move"
    EXPIRES_AND_PROTECTED = "ES331", "an image tag that expires and is protected"

    # ES4: settings of repositories and registries
    POLICY_EMPTY = "ES401", "an empty repository policy"
    POLICY_TOO_LONG = "ES402", "a repository policy that is too long"
    SID_TWICE = "ES403", "two statements with one Sid"
    LIFECYCLE_TOO_LONG = "ES404", "a lifecycle policy that is too long"
    LIFECYCLE_SAME_SELECTION = "ES405", "two lifecycle entries that select the same images"
    LIFECYCLE_SELECTS_ALL = "ES406", "a lifecycle entry that leaves nothing to those below it"
    LIFECYCLE_WILDCARDS = "ES407", "too many `*` in a lifecycle pattern"
    LIFECYCLE_SEVERAL_PATTERNS = "ES408", "several patterns in one lifecycle entry"
    LIFECYCLE_UNTAGGED_WITH_TAGS = "ES409", "a lifecycle entry that selects images in two ways"
    LIFECYCLE_ONE_OF_BOTH = "ES410", "a lifecycle entry that is not exactly one thing"
    LIFECYCLE_SAYS_NOTHING = "ES411", "a lifecycle entry that does not say what stays, or when"
    LIFECYCLE_SEVERAL_WAYS = "ES412", "a lifecycle entry that counts in two ways"
    LIFECYCLE_ARCHIVED_TOO_SHORT = "ES413", "less time in the archive than ECR takes"
    LIFECYCLE_ARCHIVES_KEPT = "ES414", "an archive that could take what a keep protects"
    LIFECYCLE_TOO_MANY_RULES = "ES415", "a lifecycle policy of too many rules"
    REGISTRY_SAYS_NOTHING = "ES451", "a setting of a registry that asks for nothing"
    REGISTRY_NEVER_DECIDES = "ES452", "a setting of a registry that an entry above always decides"
    SCAN_FREQUENCY = "ES453", "a frequency that the type of scans does not have"
    SCAN_FREQUENCY_TWICE = "ES454", "two scanning rules of one frequency"
    REPLICATION_PREFIXES_TWICE = "ES455", "two replication rules for the same prefixes"
    REPLICATION_DESTINATIONS = "ES456", "more destinations than ECR takes"
    REPLICATION_CHAIN = "ES457", "a chain of replication, which ECR does not follow"
    REGISTRY_POLICY_TOO_LONG = "ES458", "a registry policy that is too long"
    REGISTRY_POLICY_DENIES = "ES459", "a registry policy that shuts out what has to go on"
    REGISTRY_POLICY_SCOPE = "ES460", "an action that the scope of the registry policy does not know"
    TEMPLATE_TWICE = "ES461", "two creation templates for one prefix"
    TEMPLATE_RULE = "ES462", "a rule that a creation template cannot take its settings from"
    TEMPLATE_WITHOUT_ROLE = "ES463", "a creation template that needs a role"
    KEY_WITHOUT_KMS = "ES464", "a KMS key without KMS"

    # ES5: copies, waivers and credentials
    DESTINATION_IS_SOURCE = "ES501", "a destination that is the source"
    WAITS_FOR_NO_VERDICT = "ES502", "a copy that waits for a verdict that nobody gives"
    COPIED_ONTO_ITSELF = "ES503", "a repository that is copied onto itself"
    COPIES_WITHOUT_END = "ES504", "copies that are copied again without end"
    COPIES_COME_BACK = "ES505", "copies that come back"
    WAIVED_TWICE = "ES506", "a finding that is waived twice"
    WAIVER_EXPIRED = "ES507", "a waiver that has expired"
    SECRET_OF_ANOTHER = "ES508", "a secret that two credentials write"
    ENTRY_TWICE = "ES509", "an entry that stands twice"

    # ES6: what the deployment allows, and the compiled rulebook
    OUTSIDE_SECRET_PREFIX = "ES601", "a secret outside the prefix of the deployment"
    OUTSIDE_PULL_ONLY_ROLE = "ES602", "a role that the deployment may not become"
    OUTSIDE_SPOKE_ACCOUNTS = "ES603", "an account that is not connected"
    PARAMETER = "ES604", "a parameter that the template does not have or take"
    PARAMETERS_UNREADABLE = "ES605", "parameters that cannot be read"
    COMPILED_UNREADABLE = "ES611", "a compiled rulebook that cannot be read"
    COMPILED_NOT_JSON = "ES612", "a compiled rulebook that is no JSON"
    COMPILED_FORMAT = "ES613", "a compiled rulebook of another format"
    COMPILED_INVALID = "ES614", "a compiled rulebook that does not validate"

    # ES7: cases that test a rulebook
    NO_TESTS = "ES701", "no test was found"
    CASE_NAME_TWICE = "ES702", "two cases of the same name"
    CASE_EXPECTS_NOTHING = "ES703", "a case that expects nothing"
    CASE_EVENT = "ES704", "an event that a case cannot be made of"
    CASE_RULEBOOK = "ES705", "a rulebook that cases cannot be run with"

    # ES8: the use of commands
    WRONG_USE = "ES800", "a command is used wrongly"
    NO_RULEBOOK = "ES801", "no rulebook was found"
    UNKNOWN_SCHEMA = "ES802", "an unknown schema"
    UNKNOWN_CODE = "ES803", "an unknown error code"
    UNKNOWN_FORMAT = "ES804", "an unknown output format"
    FILE_EXISTS = "ES805", "a file that is there already"
    NO_BUILD = "ES811", "a sandbox without a build"
    ECR_ONLY = "ES812", "an option of the local ECR alone"
    IMAGE_NAME = "ES813", "not the name of an image"
    NO_ENDPOINT = "ES814", "which sandbox is not said"
    ENDPOINT = "ES815", "not the URL of a sandbox"
    SANDBOX = "ES816", "the sandbox refuses"
