"""SMS9xx: the command line."""

from smsdeclare.codes.code import Code

USAGE = Code("SMS901", "The command was not understood", "`smsdeclare COMMAND --help` shows what it takes.")
INTERRUPTED = Code("SMS902", "The run was interrupted", "What was done is recorded; run again to go on.")
OUTPUT_LOST = Code(
    "SMS930",
    "The output can't be written",
    "Make room, or write it elsewhere. What was done is recorded; `smsdeclare status` shows it.",
)
INTERNAL = Code("SMS999", "This is a fault of smsdeclare itself", "Please report it with the command and its output.")
