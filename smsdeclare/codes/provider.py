"""SMS6xx: the provider."""

from smsdeclare.codes.code import Code

NO_CREDENTIALS = Code(
    "SMS601",
    "There are no credentials",
    "Set OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET and OVH_CONSUMER_KEY, or let `smsdeclare login` write them to an "
    "ovh.conf; `smsdeclare login --url` prints where they are made. Or plan with `--offline`.",
)
CREDENTIALS_MIXED = Code("SMS602", "The credentials contradict each other", "Set one complete kind of credentials.")
ENDPOINT_CONFLICT = Code(
    "SMS603",
    "The endpoint is named twice, differently",
    "Make them agree, or remove one. OVH_ENDPOINT is stronger than the `endpoint` of ovh.conf.",
)
ENDPOINT_REFUSED = Code(
    "SMS604",
    "The endpoint is not allowed",
    "YAML names ovh-eu, ovh-ca, ovh-us or a loopback URL; others come from OVH_ENDPOINT, by https.",
)
PROVIDER_UNREACHABLE = Code(
    "SMS605",
    "The provider is out of reach",
    "Check the network, then run again; nothing was sent twice. `smsdeclare doctor` says what stands between.",
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
    "They are recorded and never posted blindly again. A later apply or `smsdeclare settle --wait 45m` asks the "
    "provider; `smsdeclare resolve` takes your word.",
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
CANT_LOOK = Code(
    "SMS622",
    "The credentials may not read what was sent",
    "POSTs that are never answered will stay unknown until somebody says what became of them (`smsdeclare resolve`), "
    "and an old copy of the state goes unnoticed. Make credentials that may also read `outgoing`.",
    "warning",
)
CANT_TAKE_BACK = Code(
    "SMS623",
    "It is not clear which SMS to take back",
    "The provider holds SMS for these receivers, but under other ids than it reported when it took them, and a wrong "
    "one must not be taken back. They are left to go out: take them back in the Control Panel if they must not.",
)
LOGIN_NEEDS_PERSON = Code(
    "SMS691",
    "Nobody is there to log in",
    "Run it in a terminal. Where somebody else opens the page, say how long to wait for that: `--wait 10m`. "
    "`smsdeclare login --url` prints a link that makes all keys in the browser.",
)
NOT_GRANTED = Code(
    "SMS692",
    "The key was not granted",
    "Run it again, open the page, log in to the account that owns the SMS service, and grant the key. Nothing was "
    "written.",
)
OTHER_CREDENTIALS = Code(
    "SMS693",
    "Other credentials stand there already",
    "With `--replace` the new ones take their place; the others are lost. `--home` writes ~/.ovh.conf instead of "
    "./ovh.conf.",
)
CREDENTIALS_END = Code(
    "SMS694",
    "The credentials end soon",
    "`smsdeclare login` gets new ones for the same application; what was sent stays on record.",
    "warning",
)
CONF_SHADOWED = Code(
    "SMS695",
    "The environment wins over ovh.conf",
    "Unset the variable, or nothing reads what stands in the file.",
    "warning",
)
CONF_NOT_IGNORED = Code(
    "SMS696",
    "Git does not ignore a file that must not be committed",
    "Put its name into .gitignore; where it is tracked already, `git rm --cached` it, and make new keys.",
    "warning",
)
RIGHTS_LACKING = Code(
    "SMS697",
    "The credentials lack rights",
    "`smsdeclare login` asks for all that are needed, as does the link of `smsdeclare login --url`.",
    "warning",
)
LOGIN_NOT_NEEDED = Code(
    "SMS698",
    "The sandbox needs no credentials",
    "For real SMS name the provider first: `provider: {name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}`. "
    "For keys beforehand, `smsdeclare login --url` prints the link.",
)
CREDITS_UNKNOWN = Code(
    "SMS624",
    "The credits left are not known",
    "The plan can't say whether they suffice. Grant the credentials the right to read the account, if you want to see.",
    "warning",
)
CREDITS_BEYOND_PLAN = Code(
    "SMS650",
    "The provider took more credits than the plan said",
    "The account may be billed in a country whose rates are others: set `provider.billingCountry`. `smsdeclare status` "
    "says what each message took.",
    "warning",
)
SENDER_UNKNOWN = Code(
    "SMS660",
    "The account has no such sender",
    "Declare it in OVHcloud's control panel and wait until it is validated, or correct its spelling; "
    "`smsdeclare service` lists the account's senders.",
)
SENDER_NOT_READY = Code(
    "SMS661",
    "The sender may not be used",
    "OVHcloud takes validated senders only; `smsdeclare service` shows where each stands.",
)
SENDERS_UNCHECKED = Code(
    "SMS662",
    "The senders could not be checked",
    "An unknown or unvalidated one is refused when its first SMS is posted. Grant the credentials the right to read "
    "`senders`.",
    "warning",
)
BLACKLIST_UNCHECKED = Code(
    "SMS663",
    "The blacklist could not be read",
    "Nobody is left out for it here; OVHcloud blocks these SMS itself. Grant the credentials the right to read "
    "`blacklists`.",
    "warning",
)
