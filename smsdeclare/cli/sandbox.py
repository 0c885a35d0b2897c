"""`smsdeclare sandbox`."""

from __future__ import annotations

from contextlib import suppress

import click

from smsdeclare import codes
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

_PORT = 8800


@click.command(
    cls=Explained,
    examples="""
        smsdeclare sandbox
        # Another port, and a sender that the account is to have
        smsdeclare sandbox --port 8801 --sender ACME
    """,
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=_PORT,
    help=f"Port on 127.0.0.1; 0 takes a free one [default: {_PORT}].",
)
@click.option("--sender", "senders", multiple=True, metavar="NAME", help="One more sender of the account.")
@shared_options
def command(session: Session, *, port: int, senders: tuple[str, ...]) -> None:
    """Run a local OVHcloud-compatible SMS API with an inbox for the browser, until Ctrl-C.

    It takes SMS from any client, sends none, and forgets them when it ends. What it prints says how to send to it: with
    three keys, and with `smsdeclare apply -f trials.yaml` in a project that `smsdeclare init` wrote.
    """
    from smsdeclare.simulator.api import Simulator  # noqa: PLC0415 - only for this command
    from smsdeclare.simulator.faults import Faults  # noqa: PLC0415 - as above
    from smsdeclare.simulator.inbox import Inbox  # noqa: PLC0415 - as above
    from smsdeclare.simulator.server import Server  # noqa: PLC0415 - as above
    from smsdeclare.simulator.settings import Credential, Sender, Service, Settings  # noqa: PLC0415 - as above

    known = Service().senders
    account = Service(senders=(*known, *(Sender(name=name) for name in dict.fromkeys(senders))))
    keys = Credential()
    faults = Faults()
    inbox = Inbox(Simulator(Settings(services=(account,), credentials=(keys,))), faults)
    try:
        server = Server(inbox, port=port, script=faults)
    except OSError as error:
        detail = f"127.0.0.1:{port}: {error.strerror}"
        raise InputError(Diagnostic(code=codes.PORT_TAKEN, detail=detail)) from error
    with server, suppress(KeyboardInterrupt):
        session.out(_told(server.url, keys.application_key, keys.application_secret, keys.consumer_key, account.name))
        session.note("Ctrl-C ends it.")
        server.wait()
    session.note("\nEnded. The SMS are forgotten; trials.state is not: remove it before you begin anew.")


def _told(url: str, key: str, secret: str, consumer: str, service: str) -> str:
    """Where it is, and how a project or another client gets there. The keys open nothing else."""
    return f"""Inbox     {url.removesuffix("1.0")}
Endpoint  {url}

In another terminal, set its keys; they are good for nothing else:

  export OVH_APPLICATION_KEY={key}
  export OVH_APPLICATION_SECRET={secret}
  export OVH_CONSUMER_KEY={consumer}

There, in the folder of your project: smsdeclare apply -f trials.yaml
`smsdeclare init` writes that file. Where there is none, this is all of it,
beside the `variables` of your root file:

  version: 1
  project: trials
  provider:
    name: ovh
    endpoint: {url}
    service: {service}
  settle:
    after: 1s

"""
