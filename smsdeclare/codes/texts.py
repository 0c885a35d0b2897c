"""SMS3xx: texts and options."""

from smsdeclare.codes.code import Code

TEMPLATE_SYNTAX = Code("SMS301", "The text is not a valid template", "Check braces, names and filters.")
TEMPLATE_FORBIDDEN = Code(
    "SMS302",
    "The template uses what is switched off",
    "Only expressions, filters, tests and `if` are available.",
)
TEMPLATE_HOLE = Code(
    "SMS303",
    "The text has a hole for a receiver",
    "Fill the value in, or write what should stand there without it: {{ name | default('…') }}.",
)
TEMPLATE_FAILED = Code("SMS304", "The text can't be rendered for a receiver", "Correct the value or the template.")
TEXT_EMPTY = Code("SMS305", "The text renders empty", "An empty SMS is never sent; correct the value or the template.")
TEXT_CONTROL = Code(
    "SMS306", "The text holds a control character", "Only a new line is allowed; remove tabs and the like."
)
QUOTES_SHOWN = Code(
    "SMS308",
    "Typographic quotes are part of the text",
    "YAML knows straight quotes only. Write \"…\" or '…' around the text; these would be sent along.",
    "warning",
)
UNICODE_FORCED = Code(
    "SMS307",
    "Some characters force the text into Unicode",
    "A part then holds 70 characters instead of 160, which can double the bill. Replace them where that matters; "
    "`smsdeclare preview` says where they stand.",
    "warning",
)
PARTS_UNSURE = Code(
    "SMS350",
    "How many parts OVHcloud will count is not sure",
    "Its rules leave open whether short and numeric senders get the STOP clause, how the clause counts in long texts, "
    "and whether what counts two (`€`, an emoji) may be torn at the end of a part; the larger figure stands. The right "
    "to POST /sms/estimate ends the doubt.",
    "warning",
)
ROW_DEAR = Code(
    "SMS351",
    "A row costs more",
    "Than it has to, or than most. Change the value, or replace such characters by `normalize: gsm7`; `smsdeclare "
    "preview` shows the text.",
    "warning",
)
SHORT_NUMBER_CONTACT = Code(
    "SMS360",
    "The text holds contact information, which the short number does not carry",
    "OVHcloud refuses URLs, e-mail addresses and phone numbers with `senderForResponse`. Remove them, or choose a "
    "`sender`.",
)
SHORT_NUMBER_DOUBT = Code(
    "SMS361",
    "OVHcloud may refuse contact information without a sender",
    "Without `sender` it takes the short number, by its guides, and that carries no URL, e-mail address or phone "
    "number. Choose a `sender`, or remove them.",
    "warning",
)
