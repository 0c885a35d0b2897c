"""SMS5xx: the state."""

from smsdeclare.codes.code import Code

STATE_CORRUPT = Code(
    "SMS501",
    "The state is damaged",
    "Do not delete it: it is what keeps an SMS from going out twice. Restore a backup (move what is there aside, then "
    "`smsdeclare state push BACKUP`) or ask for help.",
)
STATE_FOREIGN = Code(
    "SMS502",
    "The state belongs elsewhere",
    "It is bound to another project, provider, endpoint or service. Use a state of its own for each.",
)
STATE_NEWER = Code("SMS503", "The state was written by a newer version", "Use that version of smsdeclare.")
STATE_UNWRITABLE = Code(
    "SMS504",
    "The state can't be read or written",
    "Nothing more was sent. Mend the disk or the permissions and run again.",
)
STATE_LOCAL_IN_CI = Code(
    "SMS505",
    "A local state in CI would be lost",
    "A runner's disk is thrown away, and with it the record of what was sent. Use a state that is kept, or set "
    "`state.allowLocalInCI: true`.",
)
STATE_BUSY = Code(
    "SMS506",
    "Another run holds the state",
    "Run again when it has finished; `smsdeclare apply --lock-timeout 10m` waits for it. If its machine is gone, the "
    "state is free again two minutes after its last sign of life (seven with `backend: git`), or at once with "
    "`smsdeclare state unlock`.",
)
ADDRESS_UNKNOWN = Code("SMS507", "The address is not known", "`smsdeclare state list` shows the addresses.")
STATE_MOVED_ON = Code("SMS508", "The state has changed meanwhile", "Plan again.")
STATE_STOPPED = Code("SMS511", "Sending is stopped", "Nothing more is posted until somebody runs `smsdeclare resume`.")
NOT_ENDED = Code(
    "SMS512",
    "This send can't be freed",
    "Only what was accepted, delivered, failed, rejected or missed, or was taken back by `smsdeclare stop --cancel`, "
    "can be sent once more. What is unknown must be settled first; what the provider holds follows an edit of the "
    "files. What is free already goes out with the next apply.",
)
NONE_OF_STATUS = Code(
    "SMS530",
    "No send of this has that status",
    "`smsdeclare state list ADDRESS` shows where each of them stands.",
)
NOTHING_UNKNOWN = Code(
    "SMS515",
    "Nothing of this is unknown",
    "Only what is unknown, or being taken back, can be resolved: `smsdeclare state list --status unknown` shows it.",
)
TOO_EARLY = Code(
    "SMS516",
    "It is too early to say that nothing was sent",
    "Until then the request may still arrive, whatever the provider lists now. Nothing was changed; say it again "
    "then, or let `smsdeclare settle` find out.",
)
RENAME_IN_DOUBT = Code(
    "SMS510",
    "The message can't be renamed yet",
    "Find out first what became of its unknown sends, with `smsdeclare settle` or `smsdeclare resolve`; their traces "
    "at the provider go by the old name.",
)
STATE_ABSENT = Code("SMS509", "There is no state yet", "The first `smsdeclare apply` makes it.")
LISTED_LATE = Code(
    "SMS513",
    "The provider lists what was given back as not sent",
    "If an apply has posted it again since, somebody had it twice. Absence at this provider proves nothing, so from "
    "now on this state waits for a person to say what became of unknown sends: `smsdeclare resolve`. Nothing more was "
    "posted; raise `settle.after` for states to come, and tell OVHcloud.",
)
STATE_OLD = Code(
    "SMS514",
    "This state is old, or not the only one",
    "The provider has SMS of this project that this state did not send. Nothing more was posted. Find the newest state "
    "and use it. If it is lost, raise `revision` only with an `except` of everybody who has had it. In the sandbox, "
    "remove the outbox as well as the state.",
)
COPY_UNRELATED = Code(
    "SMS520",
    "The copy is of another state",
    "The two have no history in common, so what the state remembers would be forgotten, and sent again. Look whether "
    "this is the right file, and the right folder.",
)
COPY_OLDER = Code(
    "SMS521",
    "The copy is older than the state",
    "What was sent since the copy was made would be forgotten, and sent again. The state stays as it is.",
)
COPY_FORKED = Code(
    "SMS522",
    "The copy and the state have gone different ways",
    "Something is on record in the state that the copy does not know, so it would be forgotten, and sent again. Keep "
    "both files, stop both (`smsdeclare stop`), and compare them before anything else is sent.",
)
PUSH_IN_DOUBT = Code(
    "SMS523",
    "There are unknown sends, so the state stays as it is",
    "Find out what became of them where they are unknown (`smsdeclare settle`), then pull and push again.",
)
RESTORED = Code(
    "SMS524",
    "What was sent after the copy was made is not on record",
    "The next apply looks for it at the provider and stops where it finds some, but it can't see everything. Find out "
    "who has it, and take them off the lists first.",
    "warning",
)
STATE_KEY_WRONG = Code(
    "SMS540",
    "The key does not open the state",
    "Set the key or the passphrase that encrypted it. If it was just replaced, set the one before as "
    "SMSDECLARE_STATE_KEY_OLD or SMSDECLARE_STATE_PASSPHRASE_OLD. Never start with an empty state instead: it would "
    "send everything again.",
)
STATE_SEAL_BROKEN = Code(
    "SMS541",
    "The encrypted state is damaged, or somebody has changed it",
    "Nothing in it can be trusted, so nothing was sent. Restore the version before it, or a backup; "
    "docs/how-to/move-or-restore-a-state.md says what to look at then.",
)
STATE_IN_CLEAR = Code(
    "SMS542",
    "The state is not encrypted, though it should be",
    "Somebody may have put it there. If it is yours, encrypt it on purpose; only `state.encryption: none` reads it as "
    "it is.",
)
NUMBERS_KEY_WRONG = Code(
    "SMS543",
    "The key of the numbers is not this state's",
    "With another key everybody would look new, and get everything again. Set SMSDECLARE_NUMBERS_KEY to the key that "
    "made the hashes in the state.",
)
NUMBERS_DIFFER = Code(
    "SMS544",
    "The state keeps numbers in another way than the files say",
    "Numbers are turned into hashes once and on purpose, by `smsdeclare state hash-numbers`, and never back. Do that, "
    "or let `state.numbers` say what the state has.",
)
ERASE_OPEN = Code(
    "SMS545",
    "Not everything of this can be erased yet",
    "Whether it went out, or will, is still open, and its number is needed to find out. Settle what is unknown "
    "(`smsdeclare settle`), take back or wait for what is scheduled, and say it again. Nothing was changed.",
)
STATE_MOVED = Code(
    "SMS546",
    "The state was moved",
    "This is what is left where it was; nothing is read from it or written to it. Let `state` in the files name the "
    "new place.",
)
MOVE_UNFINISHED = Code(
    "SMS547",
    "The state is being moved",
    "The move was broken off, and the state may have arrived. Run the same `smsdeclare state migrate` again: it goes "
    "on where it was. To have it elsewhere, move it on from there.",
)
MOVE_TAKEN = Code(
    "SMS548",
    "There is a state already where this one is to go",
    "Two histories are never mixed. Choose another place, or make sure that the other state is not needed and remove "
    "it yourself.",
)
STATE_UNREACHABLE = Code(
    "SMS570",
    "The state is out of reach",
    "Without it nothing is sent. Look whether the server runs and can be reached from here, then run again: what went "
    "out is on record or will be asked for.",
)
STATE_FORBIDDEN = Code(
    "SMS571",
    "The database refuses access to the state",
    "Look at the role, its password and what it may do; docs/how-to/state-in-postgresql.md names exactly what it "
    "needs.",
)
STATE_UNFIT = Code(
    "SMS572",
    "This database can't be trusted with the state",
    "What it confirms could be lost, and an SMS go out twice. Name the primary (with several hosts in the URL, "
    "`target_session_attrs=read-write` finds it), and leave durable commits on.",
)
STATE_FULL = Code(
    "SMS573",
    "There is no room left for the state",
    "Nothing more was sent. Make room on the database's disk and run again.",
)
STATE_COMMIT_UNKNOWN = Code(
    "SMS574",
    "It is not known whether the state was written",
    "What may have been claimed then was not posted. Run again: sends that stay unknown are asked for at the provider.",
)
STATE_URL = Code(
    "SMS575",
    "It is not known which database holds the state",
    "Set SMSDECLARE_POSTGRESQL_URL to `postgresql://ROLE:PASSWORD@HOST/DATABASE`, with everything but letters and "
    "digits of the password percent-encoded (`@` is `%40`), or PGHOST, PGDATABASE, PGUSER, PGPASSWORD.",
)
STATE_DRIVER = Code(
    "SMS576",
    "The driver for PostgreSQL is not installed",
    "Run `pip install 'smsdeclare[postgresql]'`.",
)
STATE_NOT_READ = Code(
    "SMS577",
    "The state was not looked at",
    "It is elsewhere, and `--offline` uses no network. Plan without it to see who is left.",
    "warning",
)
GIT_UNFIT = Code(
    "SMS580",
    "The git command is missing, or too old",
    "Install git 2.31 or newer where smsdeclare runs, and see that it is on PATH.",
)
STATE_REMOTE = Code(
    "SMS581",
    "It is not known which remote holds the state",
    "`state.remote` names a remote of the Git repository that the project is in (`git remote -v`), or is a URL.",
)
STATE_REPOSITORY = Code(
    "SMS582",
    "There is no repository for the state",
    "Look at `state.remote`. A host also says so where the credentials may not know that the repository exists.",
)
STATE_REPOSITORY_FORBIDDEN = Code(
    "SMS583",
    "The repository of the state refuses access",
    "The run needs the right to read and to push, by the credentials that git itself finds; "
    "docs/how-to/state-in-git.md names exactly what each host calls it.",
)
STATE_PUSH_REFUSED = Code(
    "SMS584",
    "The server does not take the state",
    "A rule of the repository stands against it: let whoever runs smsdeclare push to the branch of the state, and to "
    "it alone. Nothing was posted for what could not be stored.",
)
STATE_TOO_LARGE = Code(
    "SMS585",
    "The state is too large for its repository",
    "Make room there, or raise the limit for one file. A state of very many receivers is better kept in PostgreSQL. "
    "Nothing was posted for what could not be stored.",
)
STATE_BRANCH_FOREIGN = Code(
    "SMS586",
    "The branch holds no state",
    "Something else stands on it, and stays as it is. Name another branch in `state.branch`. If the state was there, "
    "its history still has it: do not start anew, which would send everything again.",
)
STATE_PUT_BACK = Code(
    "SMS587",
    "Somebody has put another file on the branch of the state",
    "It may be an older one, and what was sent since would be sent again. Take the last commits back that smsdeclare "
    "did not make; to restore a copy use `smsdeclare state push`, which looks whether anything would be forgotten.",
)
STATE_REWRITTEN = Code(
    "SMS588",
    "The history of the state was rewritten while a run was at work",
    "Nothing more was posted. Find out who pushed to the branch by force or deleted it, and put the latest version "
    "back there before anything else is sent.",
)
STATE_UNCOMPARED = Code(
    "SMS589",
    "This repository can't be trusted with the state",
    "It took a version that was made for another one, so two runs could not see one another, and an SMS would go out "
    "twice. Nothing was posted. Keep the state elsewhere.",
)
STATE_CROWDED = Code(
    "SMS590",
    "Other runs store the state all the time",
    "Nothing was changed. Run again when they have finished; in CI let one run wait for the other.",
)
OUTCOMES_UNSTORED = Code(
    "SMS591",
    "What came of these POSTs could not be stored",
    "They are on record as unknown, and nothing more was posted. Mend what stands in the way, then run again: the "
    "provider is asked what became of them, and nobody gets a second SMS.",
)
