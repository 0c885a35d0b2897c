"""SMS9xx: the command line."""

from smsdeclare.codes.code import Code

USAGE = Code("SMS901", "The command was not understood", "`smsdeclare COMMAND --help` shows what it takes.")
INTERRUPTED = Code("SMS902", "The run was interrupted", "What was done is recorded; run again to go on.")
OUTPUT_LOST = Code(
    "SMS930",
    "The output can't be written",
    "Make room, or write it elsewhere. What was done is recorded; `smsdeclare status` shows it.",
)
PORT_TAKEN = Code(
    "SMS980",
    "The sandbox can't listen on this port",
    "Another sandbox may run there: use it, or name another port with `--port`; 0 takes a free one.",
)
INTERNAL = Code("SMS999", "This is a fault of smsdeclare itself", "Please report it with the command and its output.")
