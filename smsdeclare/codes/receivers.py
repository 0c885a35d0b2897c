"""SMS2xx: receivers."""

from smsdeclare.codes.code import Code

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
    "SMS211", "The row was skipped", "Its number is none or has no country, or the policy leaves it out.", "warning"
)

COUNTRY_NOT_ALLOWED = Code(
    "SMS212", "The receiver's country is not allowed", "The policy's `allowedCountries` leaves it out.", "warning"
)
NOT_AMONG_ONLY = Code(
    "SMS213", "The receiver is not among the only ones", "The policy's `onlyReceivers` leaves it out.", "warning"
)
BLACKLISTED = Code(
    "SMS260",
    "The number is on the account's blacklist",
    "Its owner answered STOP; OVHcloud blocks what is sent there. It is left out, and looked up anew by each apply.",
    "warning",
)
OPTED_OUT = Code(
    "SMS261",
    "The receiver opted out",
    "The number is in the list that `policy.optOut` names. It is left out, whatever the message.",
    "warning",
)
SHORT_NUMBER_ABROAD = Code(
    "SMS262",
    "The short number does not reach this receiver",
    "With `senderForResponse` SMS go to French numbers only, without the overseas departments. Choose a `sender`, or "
    "leave these receivers out, say with `policy.allowedCountries: [FR]`.",
)
