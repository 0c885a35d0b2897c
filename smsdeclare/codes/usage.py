"""SMS9xx: the command line."""

from smsdeclare.codes.code import Code

USAGE = Code("SMS901", "The command was not understood", "`smsdeclare COMMAND --help` shows what it takes.")
INTERRUPTED = Code("SMS902", "The run was interrupted", "What was done is recorded; run again to go on.")
INTERNAL = Code("SMS999", "This is a fault of smsdeclare itself", "Please report it with the command and its output.")
