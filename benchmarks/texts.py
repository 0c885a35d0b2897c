"""Microseconds for each text: measuring and rendering, beside what Python needs to encode it and MiniJinja to render.

python benchmarks/texts.py
"""

import time

from minijinja import Environment

from smsdeclare.encoding import measure
from smsdeclare.template import compile_text

ROUNDS, TEXTS = 5, 20_000
SOURCE = "Bonjour {{ firstName }}, votre colis {{ shop }} arrive demain."


def microseconds(work):
    """The best of some rounds, for one text."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best / TEXTS * 1e6


def main():
    plain = [f"Bonjour Ana, votre colis Acme arrive demain vers 9 h: {number:06}" for number in range(TEXTS)]
    unicode = [text.replace("Ana", "Zoë") for text in plain]
    bare = Environment(undefined_behavior="strict")
    bare.add_template("text", SOURCE)
    template = compile_text(SOURCE)
    own, variables = {"firstName": "Ana"}, {"shop": "Acme"}
    rows = [
        ("measure, GSM", lambda: [measure(text) for text in plain], lambda: [text.encode() for text in plain]),
        ("measure, Unicode", lambda: [measure(text) for text in unicode], lambda: [text.encode() for text in unicode]),
        (
            "render",
            lambda: [template.render(own, variables) for _ in plain],
            lambda: [bare.render_template("text", firstName="Ana", shop="Acme") for _ in plain],
        ),
    ]
    print(f"{'':20}{'µs':>8}{'floor µs':>10}{'ratio':>8}")
    for name, ours, floor in rows:
        mine, least = microseconds(ours), microseconds(floor)
        print(f"{name:20}{mine:8.2f}{least:10.2f}{mine / least:8.1f}")


if __name__ == "__main__":
    main()
