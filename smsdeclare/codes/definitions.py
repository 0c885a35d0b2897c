"""SMS1xx: definitions."""

from smsdeclare.codes.code import Code

UNKNOWN_KEY = Code("SMS101", "The key is not known", "Check its spelling and where it stands; keys are camelCase.")
MISSING_KEY = Code("SMS102", "A required key is missing", "Add it.")
WRONG_TYPE = Code(
    "SMS103",
    "The value has the wrong type",
    "Write a value of the expected type; quote a text that looks like a figure.",
)
WRONG_VALUE = Code(
    "SMS104", "The value is not allowed here", "Write a value that is allowed here; the reference says which."
)
BAD_NAME = Code(
    "SMS105",
    "The name is not allowed",
    "Names begin with a lower-case letter and go on with letters, digits, `_` or `-`.",
)
NAME_TWICE = Code(
    "SMS106", "The name is given twice", "Rename one of the two; names are shared by all files of a project."
)
ROOT_ONLY = Code(
    "SMS107",
    "The key belongs in the root file",
    "Other files hold `receivers`, `options` and `messages` only.",
)
UNKNOWN_NAME = Code("SMS108", "The name is not defined", "Define it, or correct its spelling.")
CIRCULAR = Code("SMS109", "The receivers list contains itself", "Break the circle of `union` and `except`.")
NOT_TOGETHER = Code("SMS110", "These keys exclude each other", "Keep one of them.")
TAG_RESERVED = Code(
    "SMS111",
    "`tag` can't be set",
    "The tool needs the tag to find out what became of a send whose answer was lost.",
)
NOT_YET = Code(
    "SMS112",
    "This version does not support the key yet",
    "The key is part of the language but nothing acts on it yet, so it is refused instead of ignored. Remove it.",
)
SETTLE_TOO_SOON = Code(
    "SMS113",
    "`settle.after` is too short",
    "Away from loopback it takes at least 20m until a request that nobody answered can't arrive any more.",
)
ABSENCE_UNPROVED = Code(
    "SMS119",
    "`settle.absence` can't be `notSent` here",
    "Requests with OAuth2 carry no time of their own, so one that is late is not refused. Set it to `ask`, or use an "
    "application key.",
)
UNKNOWN_VARIABLE = Code(
    "SMS114",
    "The variable is not declared",
    "Declare it under `variables` in the root file, or correct its name.",
)
BOTH_SENDERS = Code(
    "SMS115",
    "The short number wins over the sender",
    "OVHcloud ignores `sender` where `senderForResponse` is true. Remove one of the two.",
    "warning",
)
DIFFERED_PERIOD = Code(
    "SMS116",
    "`sendAt` says the time more clearly",
    "`differedPeriod` counts minutes from the moment the POST arrives; `sendAt` names the moment itself.",
    "warning",
)

NO_SUCH_TIME = Code(
    "SMS117",
    "There is no such time on that day",
    "Summer time begins then. Write the time with an offset, such as +01:00.",
)
TIME_TWICE = Code(
    "SMS118", "The time stands twice on that day", "Write it with an offset, such as +01:00, to say which.", "warning"
)
RULE_LOOSER = Code(
    "SMS160",
    "The rule from outside is looser than the project's own",
    "A policy from SMSDECLARE_POLICY can only tighten: of both the stricter counts, so this one changes nothing.",
    "warning",
)
POLICY_UNNAMED = Code(
    "SMS161",
    "SMSDECLARE_POLICY names no file",
    "Set it to the path of a YAML file with rules, or unset it. An empty value is refused, so that no rule is lost "
    "because a variable was not set.",
)
POLICY_EMPTY = Code(
    "SMS162",
    "The file that SMSDECLARE_POLICY names is empty",
    "Write its rules, or `policy: {}` where there are to be none. An empty file is refused, so that no rule is lost "
    "because a file was cut off.",
)
