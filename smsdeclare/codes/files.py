"""SMS0xx: files and YAML."""

from smsdeclare.codes.code import Code

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

TOO_MANY_VALUES = Code(
    "SMS022", "The YAML holds too many values", "A file holds some 250,000 at most; move receivers into a CSV file."
)
LAYOUT_REFUSED = Code(
    "SMS091",
    "The file can't be laid out as it is",
    "It is left as it was. Write the unusual part more plainly: a text over several lines in quotes or behind `|`, a "
    "comment on a line of its own.",
)
NOT_OF_PROJECT = Code(
    "SMS093",
    "The file is none of the project's",
    "Only the root file and what its `include` names are laid out; `-` lays out what comes on standard input.",
)
WOULD_OVERWRITE = Code("SMS020", "The file exists already", "Choose another folder, or remove the file.")
CANT_WRITE = Code("SMS021", "The file can't be written", "Check the folder's permissions and the disk's space.")
