"""SMS9xx: the command line."""

from smsdeclare.codes.code import Code

USAGE = Code("SMS901", "The command was not understood", "`smsdeclare COMMAND --help` shows what it takes.")
INTERRUPTED = Code("SMS902", "The run was interrupted", "What was done is recorded; run again to go on.")
OUTPUT_LOST = Code(
    "SMS930",
    "The output can't be written",
    "Make room, or write it elsewhere. What was done is recorded; `smsdeclare status` shows it.",
)
STATE_KEY_MISSING = Code(
    "SMS940",
    "The state's key is not set",
    "Set SMSDECLARE_STATE_PASSPHRASE to at least 16 characters, or SMSDECLARE_STATE_KEY to 32 random bytes in base64 "
    "(`openssl rand -base64 32` makes them), and keep it where you keep passwords: without it the state can't be read.",
)
STATE_KEY_UNFIT = Code(
    "SMS941",
    "The state's key can't be used",
    "A passphrase has at least 16 characters; a key is 32 random bytes in base64 or hexadecimal "
    "(`openssl rand -base64 32`). Set one of the two.",
)
ENCRYPTION_MISSING = Code(
    "SMS942",
    "The library for encryption is not installed",
    "Run `pip install 'smsdeclare[encryption]'`.",
)
NUMBERS_KEY_MISSING = Code(
    "SMS943",
    "The key of the numbers is not set",
    "The state holds hashes in place of phone numbers, or is to. Set SMSDECLARE_NUMBERS_KEY to the key that made them; "
    "for a new state, to 32 random bytes in base64 (`openssl rand -base64 32` makes them). Keep it where you keep "
    "passwords: without it nobody can tell who was sent what.",
)
NUMBERS_KEY_UNFIT = Code(
    "SMS944",
    "The key of the numbers can't be used",
    "SMSDECLARE_NUMBERS_KEY is 32 random bytes in base64 or hexadecimal (`openssl rand -base64 32`).",
)
NOT_SEALED_HERE = Code(
    "SMS945",
    "This backend does not encrypt the state itself",
    "It makes each send durable before it is posted, which no file that is encrypted as a whole can do at that pace. "
    "Use an encrypted disk, and `state.numbers: hashed` so that no phone number is in it.",
)
UNASKED = Code(
    "SMS946",
    "Nobody said yes",
    "Say `--auto-approve` where there is no terminal to ask on. Nothing was changed.",
)
UNCHANGED = Code("SMS947", "It was declined", "Nothing was changed.")
PORT_TAKEN = Code(
    "SMS980",
    "The sandbox can't listen on this port",
    "Another sandbox may run there: use it, or name another port with `--port`; 0 takes a free one.",
)
INTERNAL = Code("SMS999", "This is a fault of smsdeclare itself", "Please report it with the command and its output.")
