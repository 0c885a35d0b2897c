"""SMS4xx: plans."""

from smsdeclare.codes.code import Code

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

RENAMED = Code(
    "SMS411",
    "The message seems to be renamed",
    "As a new message it would go to everybody again. Write `renamedFrom: OLD-NAME` to keep its history, or "
    "`renamedFrom: none` if it is new. Where the files are older than the state, take the newer ones.",
)
RENAME_UNCLEAR = Code(
    "SMS412",
    "It is not clear whose history this is",
    "`renamedFrom` names a message that has left the files, and only one message takes its history. Correct it, or "
    "remove it where the renaming is done.",
)
RENAME_PENDING = Code(
    "SMS413", "The history is taken along", "The next apply writes the new name into the state.", "warning"
)
REVISION_CLOSED = Code(
    "SMS410",
    "The revision is closed",
    "It takes new receivers until `expiresAt`, or for 30 days after its first send; `expiresAt: never` keeps it open.",
    "warning",
)
TOO_CLOSE = Code(
    "SMS409",
    "It is too late to take these back, so they go out as they are",
    "What goes out within ten minutes may be on its way already. To send something else as well, use another message.",
    "warning",
)
TAKEN_BACK = Code(
    "SMS414",
    "These were taken back by `smsdeclare stop --cancel`; only `smsdeclare resend` lets them go out again",
    "`smsdeclare resend ADDRESS --status cancelled --reason TEXT`, then plan again.",
    "warning",
)
POLICY_BROKEN = Code("SMS408", "The policy refuses the plan", "Change what is sent, or have the rule changed.")
RATE_UNKNOWN = Code(
    "SMS450",
    "The rate of a destination is not sure, so a cautious one counts",
    "OVHcloud says it where it can be asked: plan without `--offline`.",
    "warning",
)
CREDITS_INSUFFICIENT = Code(
    "SMS451",
    "The credits do not suffice",
    "OVHcloud will refuse what they do not pay for. Buy some, or send to fewer.",
    "warning",
)
QUIET_NOW = Code(
    "SMS460",
    "Quiet hours have begun",
    "`policy.quietHours` refuses SMS now. What was not posted stays to be sent: apply again when they have ended.",
)
HELD_TOO_LONG = Code(
    "SMS461",
    "OVHcloud may hold this advertising beyond its end",
    "It goes out when advertising is allowed again, or operators drop it first. Send it earlier, set `expiresAt` "
    "later, or correct `provider.advertisingHold`.",
    "warning",
)
OPTED_OUT_HELD = Code(
    "SMS462",
    "OVHcloud holds SMS for receivers who opted out or are blacklisted",
    "They go out as scheduled: leaving somebody out takes nothing back. To take them back, add the list to the "
    "message's `except`.",
    "warning",
)
