import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.redaction import mask_number, mask_passwords, mask_text, visible


def test_a_masked_number_keeps_its_country_and_its_end():
    assert "+336•••••01" == mask_number("+33639980001")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("to +33639980001.", "to +336••••••01.", id="E.164"),
        pytest.param("06 39 98 00 01", "06 3• •• •• 01", id="with spaces"),
        pytest.param("0033639980001", "0033•••••••01", id="with 00"),
        pytest.param("+33 (0)6-39.98.00.01", "+33 (•)•-••.••.••.01", id="with everything"),
        pytest.param("2026-12-01 09:00", "2026-12-01 09:00", id="a date"),
        pytest.param("2026-12-01 0639980001", "2026-12-01 0639••••01", id="a date before a number"),
        pytest.param("0639-98-00-01", "0639-••-••-01", id="grouped like a date"),
        pytest.param("tel33639980001x5", "tel3363•••••01x5", id="among letters"),
        pytest.param("revision 12345", "revision 12345", id="too short"),
        pytest.param("sha256:0123456789abcdef", "sha256:0123456789abcdef", id="a digest"),
        pytest.param("message.hello@1#01234567", "message.hello@1#01234567", id="a ref"),
        pytest.param("@1#0639980001", "@1#0639••••01", id="no ref"),
        pytest.param("GET http://127.0.0.1:33639/1.0/sms", "GET http://127.0.0.1:33639/1.0/sms", id="an address"),
        pytest.param("http://[::1]:33639/1.0/sms", "http://[::1]:33639/1.0/sms", id="an address of IPv6"),
        pytest.param("http://localhost:33639 98 00 01", "http://localhost:3363• •• •• 01", id="no port"),
        pytest.param("http://127.0.0.1:33639/1.0639980001", "http://127.0.0.1:3363•/•.••••••••01", id="no version"),
        pytest.param("http://06.39.98.0.01", "http://06.3•.••.•.01", id="no address"),
        pytest.param("until 24/12/2026 19:00", "until 24/12/2026 19:00", id="a day first"),
        pytest.param("24.12.2026 19h, ok", "24.12.2026 19h, ok", id="a day with dots"),
        pytest.param("24.12.2026 06 39 98 00 01", "24.1•.•••• •• •• •• •• 01", id="a day before a number"),
        pytest.param("06.12.2034.56", "06.1•.••••.56", id="no day"),
    ],
)
def test_numbers_in_texts_are_masked_and_columns_stay(text, masked):
    assert masked == mask_text(text)
    assert len(text) == len(masked)


@given(st.text(), st.integers(0, 9999), st.text())
def test_no_number_of_the_fiction_range_survives_among_words(before, index, after):
    number = f"+3363998{index:04d}"
    assert number not in mask_text(f"{before} {number} {after}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[2J", "\\x1b[2J", id="ANSI"),
        pytest.param("a\u202eb", "a\\u202eb", id="bidi"),
        pytest.param("a\u2028b", "a\\u2028b", id="line separator"),
        pytest.param("a\rb", "a\\x0db", id="carriage return"),
        pytest.param("é ‹name› 👋", "é ‹name› 👋", id="harmless"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text, shown):
    assert shown == visible(text)


def test_a_line_break_can_be_written_out_too():
    assert ("a\nb", "a\\nb") == (visible("a\nb"), visible("a\nb", newline="\\n"))


@given(st.text())
def test_nothing_shown_holds_a_control_character(text):
    assert not [one for one in visible(text, newline=" ") if ord(one) < 32 or 0x7F <= ord(one) < 0xA0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://app:s3cret@db/acme", "postgresql://app:••••••@db/acme"),
        ("'postgresql://app:p@ss/x@db/acme' # here", "'postgresql://app:••••••@db/acme' # here"),
        ("https://:key@host", "https://:•••@host"),
        ("postgresql://app@db:5432/acme", "postgresql://app@db:5432/acme"),
        (
            "see https://example.org:8800/1.0 and ana@example.org",
            "see https://example.org:8800/1.0 and ana@example.org",
        ),
    ],
)
def test_the_password_of_a_url_is_masked(text, shown):
    assert shown == mask_passwords(text) == mask_text(text)
