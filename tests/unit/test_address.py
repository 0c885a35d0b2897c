import pytest

from smsdeclare.address import Address, parse
from smsdeclare.errors import InputError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("message.hello", Address(message="hello")),
        ("message.order-shipped@12", Address(message="order-shipped", revision=12)),
        ("message.a@1/+33639980001", Address(message="a", revision=1, number="+33639980001")),
        ("message.a@1#7k3q9f2m", Address(message="a", revision=1, ref="7k3q9f2m")),
    ],
)
def test_an_address_names_a_message_a_revision_or_one_send(text, address):
    assert address == parse(text)
    assert (address.number or address.ref) is None or address.is_send


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "message.",
        "message.Hello",
        "message.a@0",
        "message.a#7k3q9f2m",
        "message.a@1#short",
        "message.a@1/06",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InputError, match="is no address"):
        parse(text)


@pytest.mark.parametrize(("text", "meant"), [("order-shipped", "message.order-shipped"), ("a@2", "message.a@2")])
def test_a_bare_name_is_told_how_it_is_written(text, meant):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert f"Did you mean `{meant}`?" == caught.value.diagnostics[0].suggestion


def test_what_would_be_refused_again_is_not_suggested():
    with pytest.raises(InputError) as caught:
        parse("hello/+33639980001")
    assert caught.value.diagnostics[0].suggestion.startswith("Write message.NAME")
