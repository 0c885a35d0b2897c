"""Every diagnostic code, its fixed summary, and what to do about it.

SMS0xx files and YAML · SMS1xx definitions · SMS2xx receivers · SMS3xx texts and options · SMS4xx plans ·
SMS5xx the state · SMS6xx the provider · SMS9xx the command line
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `summary` never varies, so that it can be searched for."""

    id: str
    summary: str
    #: What the reader should do; a paragraph of the reference.
    help: str
    severity: Literal["error", "warning"] = "error"


# SMS0xx files and YAML
FILE_UNREADABLE = Code(
    "SMS001",
    "The file can't be read",
    "Check that it exists, that it is a plain file and that you may read it.",
)
FILE_TOO_LARGE = Code(
    "SMS002", "The file is too large", "YAML files hold at most 5 MB; move receivers into a CSV file."
)
FILE_OUTSIDE = Code(
    "SMS003",
    "The file lies outside the project",
    "Files are named relative to the file that names them and must lie, links resolved, inside the project's folder.",
)
NOT_UTF8 = Code("SMS004", "The file is not UTF-8", "Save it as UTF-8; a byte order mark is allowed.")
CONTROL_CHARACTER = Code(
    "SMS005",
    "The file holds a control character",
    "Remove it; in a double-quoted YAML text write `\\n` for a new line.",
)
NO_PROJECT = Code(
    "SMS006",
    "There is no project here",
    "A project is a folder with a file smsdeclare.yaml. `smsdeclare init` writes one; `-C DIR` looks elsewhere; "
    "`-f FILE` names another root file.",
)
YAML_SYNTAX = Code("SMS010", "This is not valid YAML", "The parser stopped here; the mistake is often a line above.")
DUPLICATE_KEY = Code(
    "SMS011", "The key stands twice", "Keep one of the two; the later one would silently win elsewhere."
)
YAML_TAG = Code("SMS012", "YAML tags are not allowed", "Remove the tag; types follow from how a value is written.")
YAML_TAB = Code("SMS013", "A tab is used for indentation", "Indent with spaces.")
SECOND_DOCUMENT = Code(
    "SMS014", "A second YAML document follows", "Put it into a file of its own; one file is one document."
)
TOO_DEEP = Code("SMS015", "The YAML is nested too deeply", "At most 32 levels are read.")
ALIASES_TOO_LARGE = Code(
    "SMS016", "The YAML aliases expand too far", "Repeat less; aliases may add at most 10,000 values."
)
BAD_ALIAS = Code(
    "SMS017", "The YAML alias can't be resolved", "An alias names an anchor that stands, finished, before it."
)
KEY_NOT_TEXT = Code("SMS018", "A key must be text", "Write the key as one word or in quotes.")
NUMBER_OUT_OF_RANGE = Code("SMS019", "The figure is out of range", "Write a smaller figure, or quote it if it is text.")

WOULD_OVERWRITE = Code("SMS020", "The file exists already", "Choose another folder, or remove the file.")
CANT_WRITE = Code("SMS021", "The file can't be written", "Check the folder's permissions and the disk's space.")

# SMS1xx definitions
UNKNOWN_KEY = Code("SMS101", "The key is not known", "Check its spelling and where it stands; keys are camelCase.")
MISSING_KEY = Code("SMS102", "A required key is missing", "Add it.")
WRONG_TYPE = Code(
    "SMS103",
    "The value has the wrong type",
    "Write a value of the expected type; quote a text that looks like a figure.",
)
WRONG_VALUE = Code("SMS104", "The value is not allowed here", "Take one of the allowed values.")
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
SETTLE_NOT_YET = Code(
    "SMS113",
    "This version settles nothing by itself",
    "Sends whose answer was lost stay unknown, whatever `settle` says, and are never posted again.",
    "warning",
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

# SMS2xx receivers
NOT_A_NUMBER = Code("SMS201", "This is not a phone number", 'Write it in international form: "+33639980001".')
NO_COUNTRY = Code(
    "SMS202",
    "The number has no country",
    "Write it in international form, or set `defaultCountry` on the receivers list.",
)
NO_SMS_LINE = Code(
    "SMS203",
    "The number can't receive SMS",
    "It is a fixed, free or premium line by its range. Use a mobile number.",
)
CSV_NO_ROWS = Code("SMS204", "The CSV file has no rows", "It needs a header line and at least one row.")
CSV_MISSING_COLUMN = Code(
    "SMS205",
    "The CSV file lacks the column",
    "Correct `numberColumn`, `where`, the delimiter or the header line.",
)
CSV_SYNTAX = Code("SMS206", "This is not valid CSV", "Check the quotes and the delimiter of this row.")
CSV_RAGGED = Code(
    "SMS207",
    "The row has more cells than the header",
    "Quote the cell that contains the delimiter; otherwise values slip into the wrong column.",
)
CSV_DUPLICATE_COLUMN = Code("SMS208", "The column stands twice in the header", "Rename one of the two.")
RECEIVER_TWICE = Code(
    "SMS209",
    "The number stands twice with different values",
    "The first one is used. Remove the other.",
    "warning",
)
NO_RECEIVERS = Code("SMS210", "The message has no receivers", "Every row was filtered, skipped or excluded.", "warning")
ROW_SKIPPED = Code(
    "SMS211", "The row was skipped", "Its number is none, or has no country. Correct the row.", "warning"
)

COUNTRY_NOT_ALLOWED = Code(
    "SMS212", "The receiver's country is not allowed", "The policy's `allowedCountries` leaves it out.", "warning"
)
NOT_AMONG_ONLY = Code(
    "SMS213", "The receiver is not among the only ones", "The policy's `onlyReceivers` leaves it out.", "warning"
)

# SMS3xx texts and options
TEMPLATE_SYNTAX = Code("SMS301", "The text is not a valid template", "Check braces, names and filters.")
TEMPLATE_FORBIDDEN = Code(
    "SMS302",
    "The template uses what is switched off",
    "Only expressions, filters, tests and `if` are available.",
)
TEMPLATE_HOLE = Code(
    "SMS303",
    "The text has a hole for a receiver",
    'Fill the value in, or write what should stand there without it: {{ name | default("…") }}.',
)
TEMPLATE_FAILED = Code("SMS304", "The text can't be rendered for a receiver", "Correct the value or the template.")
TEXT_EMPTY = Code("SMS305", "The text renders empty", "An empty SMS is never sent; correct the value or the template.")
TEXT_CONTROL = Code(
    "SMS306", "The text holds a control character", "Only a new line is allowed; remove tabs and the like."
)

# SMS4xx plans
PLAN_UNREADABLE = Code("SMS401", "The plan can't be read", "Write it anew with `smsdeclare plan --out FILE`.")
PLAN_STALE = Code("SMS402", "The plan is not the approved one", "Look at the new plan, then approve that one.")
PLAN_FOREIGN = Code(
    "SMS403", "The plan belongs elsewhere", "It was made for another project, provider, endpoint or service."
)
NO_APPROVAL = Code(
    "SMS404",
    "Nobody approved the plan",
    "Without a terminal to ask on, approve with `--auto-approve`, `--expect-digest` or a saved plan.",
)
DECLINED = Code("SMS405", "The plan was declined", "Nothing was sent.")
CANT_SAVE = Code(
    "SMS406", "The plan can't be saved", "Choose a file that can be written, and plan without `--offline`."
)

REVISION_LOWERED = Code(
    "SMS407",
    "The revision was lowered",
    "Who had the higher revision gets nothing. Raise `revision` above it to send again.",
    "warning",
)

STILL_HELD = Code(
    "SMS409",
    "A lower revision is still scheduled",
    "This version can't take back what the provider holds, so these receivers get nothing of the new revision.",
    "warning",
)
POLICY_BROKEN = Code("SMS408", "The policy refuses the plan", "Change what is sent, or have the rule changed.")

# SMS5xx the state
STATE_CORRUPT = Code(
    "SMS501",
    "The state is damaged",
    "Do not delete it: it is what keeps an SMS from going out twice. Restore a backup or ask for help.",
)
STATE_FOREIGN = Code(
    "SMS502",
    "The state belongs elsewhere",
    "It is bound to another project, provider, endpoint or service. Use a state of its own for each.",
)
STATE_NEWER = Code("SMS503", "The state was written by a newer version", "Use that version of smsdeclare.")
STATE_UNWRITABLE = Code(
    "SMS504",
    "The state can't be written",
    "Nothing more was sent. Mend the disk or the permissions and run again.",
)
STATE_LOCAL_IN_CI = Code(
    "SMS505",
    "A local state in CI would be lost",
    "A runner's disk is thrown away, and with it the record of what was sent. Use a state that is kept, or set "
    "`state.allowLocalInCI: true`.",
)
STATE_BUSY = Code("SMS506", "Another run holds the state", "Wait until it has finished.")
ADDRESS_UNKNOWN = Code("SMS507", "The address is not known", "`smsdeclare state list` shows the addresses.")
STATE_MOVED_ON = Code("SMS508", "The state has changed meanwhile", "Plan again.")
STATE_ABSENT = Code("SMS509", "There is no state yet", "The first `smsdeclare apply` makes it.")

# SMS6xx the provider
NO_CREDENTIALS = Code(
    "SMS601",
    "There are no credentials",
    "Set OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET and OVH_CONSUMER_KEY, or plan with `--offline`.",
)
CREDENTIALS_MIXED = Code("SMS602", "The credentials contradict each other", "Set one complete kind of credentials.")
ENDPOINT_CONFLICT = Code(
    "SMS603",
    "The endpoint is named twice, differently",
    "Make `provider.endpoint` and OVH_ENDPOINT agree, or remove one.",
)
ENDPOINT_REFUSED = Code(
    "SMS604",
    "The endpoint is not allowed",
    "YAML names ovh-eu, ovh-ca, ovh-us or a loopback URL; others come from OVH_ENDPOINT, by https.",
)
PROVIDER_UNREACHABLE = Code(
    "SMS605", "The provider is out of reach", "Check the network, then run again; nothing was sent twice."
)
PROVIDER_REFUSED = Code(
    "SMS606",
    "The provider refused the request",
    "The provider's own words say why. What was not sent stays to be sent.",
)
SERVICE_AMBIGUOUS = Code("SMS607", "The SMS service must be named", "Set `provider.service` to one of them.")
OUTCOME_UNKNOWN = Code(
    "SMS608",
    "It is not known whether these were sent",
    "They are recorded and never posted blindly again. Look at the provider's list of sent SMS.",
)
ANSWER_UNREADABLE = Code(
    "SMS609",
    "The provider's answer can't be read",
    "Something between here and the provider may have answered instead.",
)

CREDENTIALS_UNREADABLE = Code(
    "SMS621",
    "The credentials can't be read",
    "ovh.conf has a section [default] and one for each endpoint, as INI files do.",
)
SANDBOX_UNUSABLE = Code(
    "SMS610", "The sandbox can't keep its SMS", "Mend or remove the file; it holds nothing but pretended SMS."
)

RIGHT_MISSING = Code("SMS611", "The credentials lack a right", "Make credentials with the right that is named.")
KEY_INVALID = Code(
    "SMS612",
    "The provider does not know the application key",
    "Keys work only at the endpoint where they were made: check OVH_ENDPOINT or `provider.endpoint`, then the key.",
)
CONSUMER_KEY_INVALID = Code(
    "SMS613",
    "The consumer key is not valid",
    "It is unknown, expired, revoked or not yet confirmed in the browser. Make new credentials.",
)
CLOCK_REFUSED = Code(
    "SMS614",
    "The provider refused the time of the signature",
    "This machine's clock jumped or a proxy held the request back. Set the clock, then run again.",
)
SIGNATURE_REFUSED = Code(
    "SMS615",
    "The provider refused the signature",
    "The application secret does not fit the application key, or the consumer key is not confirmed yet.",
)
SERVICE_UNKNOWN = Code(
    "SMS616",
    "The provider does not know the SMS service",
    "Correct `provider.service`; its name looks like sms-ab12345-1.",
)
TOO_FAST = Code(
    "SMS617", "The provider asks for a slower pace", "Set `provider.requestsPerMinute` lower; run again to go on."
)
CREDITS_SHORT = Code(
    "SMS618", "The account has too few credits", "Buy credits, then run again: what was not sent stays to be sent."
)
SENDER_REFUSED = Code(
    "SMS619",
    "The provider refused the sender",
    "Declare the sender in OVHcloud's control panel and wait until it is validated, or correct its spelling.",
)
CONTACT_REFUSED = Code(
    "SMS620",
    "The short number carries no contact information",
    "Remove URLs, e-mail addresses and phone numbers from the text, or send from an alphanumeric sender.",
)

# SMS9xx the command line
USAGE = Code("SMS901", "The command was not understood", "`smsdeclare COMMAND --help` shows what it takes.")
INTERRUPTED = Code("SMS902", "The run was interrupted", "What was done is recorded; run again to go on.")
INTERNAL = Code("SMS999", "This is a fault of smsdeclare itself", "Please report it with the command and its output.")


def all_codes() -> list[Code]:
    """Every code of this module, by its id."""
    return sorted((value for value in globals().values() if isinstance(value, Code)), key=lambda code: code.id)
