#!/usr/bin/env python3
"""The W3C propagator reads what OpenTelemetry's Python API reads, and that API reads what it writes.

    w3c_reference.py PROGRAM [--seed N] [--count N]

PROGRAM is tests/integration/w3c_cli.cpp compiled. Headers are generated from a fixed seed: well-formed ones with a few
characters changed. Exit status: 0 equal, 1 different, 77 package missing (PyPI: opentelemetry-api).

Where the two differ on purpose, the reference is corrected here, and each correction must have been needed at least
once:

* Flags: the reference keeps all eight bits, we keep the two that are defined.
* traceparent given twice: the reference takes the first, we ignore both (it is a single header).
* traceparent over 512 characters, or with a line feed at its end: the reference refuses the first (a later version may
  be long) and takes the second.
* tracestate keys: the reference knows level 1's, where a key with an at sign or a digit in front has two parts. We go
  by level 2.
* tracestate over 8192 characters: the reference refuses it. We read it, and write at most 4096 of it.
* tracestate with a key twice: the reference drops all of it, we keep the first.
* baggage: the reference reads one header of several, turns `+` into a space (as in forms), decodes keys, strips decoded
  values, refuses a member for a malformed property, and carries other numbers of members.
"""
import argparse
import collections
import logging
import random
import re
import subprocess
import sys
from urllib.parse import quote, unquote

try:
    from opentelemetry import baggage, trace
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package opentelemetry-api is needed")
    sys.exit(77)

import proofs

logging.disable(logging.CRITICAL)
parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--seed", type=int, default=20211123)
parser.add_argument("--count", type=int, default=6000)
arguments = parser.parse_args()
chance = random.Random(arguments.seed)
corrected = collections.Counter()

LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKEN = "!#$&'*-.^_`|~" + LOWER + LOWER.upper()
# For changed characters: all that the grammars treat in some way of their own.
ANY = "\t !\"%',-./09:;<=>@AFGZ[\\]_`afgz{|}~\x00\x1f\x7f\u00e9"


def text(alphabet, most, least=1):
    return "".join(chance.choice(alphabet) for _ in range(chance.randint(least, most)))


def changed(value, odds):
    """With a character or a few replaced, taken out or put in."""
    while value and chance.random() < odds:
        at = chance.randrange(len(value))
        value = value[:at] + chance.choice(["", chance.choice(ANY), chance.choice(ANY) + value[at]]) + value[at + 1:]
    return value


def make_traceparent():
    version = chance.choice(["00"] * 6 + ["01", "cc", "fe", "ff"])
    trace_id = text("0123456789abcdef", 32, 32) if chance.random() < 0.95 else "0" * 32
    span_id = text("0123456789abcdef", 16, 16) if chance.random() < 0.95 else "0" * 16
    value = f"{version}-{trace_id}-{span_id}-{chance.randrange(256):02x}"
    extended = chance.random() < 0.15
    if extended:
        value += "-" + text(LOWER + "-.", chance.choice([12, 600]), 0)
    if chance.random() < 0.1:
        value = value.upper()
    if chance.random() < 0.1:
        value = chance.choice(["", " ", "\t "]) + value + chance.choice(["", " ", "\t", "" if extended else "\n"])
    return changed(value, 0.15)


def make_key():
    if chance.random() < 0.02:
        return chance.choice("abc") + "z" * chance.choice([254, 255, 256])
    if chance.random() < 0.1:
        return text(LOWER, 12) + "@" + chance.choice("abc") + text(LOWER, 5, 0)
    key = chance.choice(LOWER if chance.random() < 0.05 else LOWER[:26]) + text(LOWER + "_-*/", 8, 0)
    return key + "@" if chance.random() < 0.01 else key


def make_tracestate():
    def member():
        value = text(" " + "".join(chr(c) for c in range(0x21, 0x7f) if chr(c) not in ",="), 20)
        if chance.random() < 0.02:
            value = "v" * chance.choice([255, 256, 257])
        if value.endswith(" ") and chance.random() < 0.9:
            value += "x"
        return chance.choice(["", "", " ", "\t"]) + make_key() + "=" + value + chance.choice(["", "", " ", "\t "])

    count = chance.choice([1, 2, 3, 5, 31, 32, 33])
    members = [member() for _ in range(count)]
    if count == 32 and chance.random() < 0.2:
        members = [f"{'k' * 200}{i}=" + "v" * chance.randint(1, 120) for i in range(32)]
    if chance.random() < 0.1:
        members.insert(chance.randrange(count), chance.choice(["", " ", "\t"]))
    if chance.random() < 0.05:
        members.append(chance.choice(members))
    return changed(",".join(members), 0.1)


def make_baggage():
    def member():
        key = text(TOKEN + ("+%" if chance.random() < 0.05 else ""), 8)
        value = text("!#$&'()*-./:<=>?@[]^_`{|}~" + LOWER + LOWER.upper(), 12, 0)
        if chance.random() < 0.01:
            value += "l" * chance.randint(2500, 3900)
        for _ in range(chance.choice([0, 0, 1, 4])):
            at = chance.randrange(len(value) + 1)
            octets = chance.choice([b" ", b",", b"%", "\u20ac".encode(), "\U0001f600".encode(), b"\xff", b"\xe2\x82",
                                    b"\xed\xa0\x80", b"\xc0\xaf", b"\x00"])
            value = value[:at] + "".join(f"%{o:02X}" for o in octets) + value[at:]
        if chance.random() < 0.03:
            value += chance.choice(["+", "%", "%4", "%zz"])
        if chance.random() < 0.1:
            value += chance.choice(["", " "]) + ";" + chance.choice(["p", "p=q", " p = q ", "p;q=r", "p q", ""])
        return chance.choice(["", " "]) + key + chance.choice(["=", " = "]) + value + chance.choice(["", " ", "\t"])

    return changed(",".join(member() for _ in range(chance.choice([1, 2, 4, 64]))), 0.1)


def make_fields():
    fields = []
    if chance.random() < 0.97:
        fields.append(("traceparent", make_traceparent()))
    if chance.random() < 0.03:
        fields.append(("traceparent", make_traceparent()))
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        fields.append(("tracestate", make_tracestate()))
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        fields.append(("baggage", make_baggage()))
    chance.shuffle(fields)
    return fields


UNCODED = "!#$&'()*+-./:<=>?@[]^_`{|}~"  # letters and digits never are


def carrier_of(fields):
    carrier = {}
    for name, value in fields:
        carrier.setdefault(name, []).append(value)
    return carrier


def needed(name, condition):
    corrected[name] += bool(condition)
    return condition


LEVEL_2_KEY = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}")
LEVEL_2_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")


def corrected_tracestate(values, reference):
    """The reference's answer, or ours by the two rules in which it differs."""
    members = [member.strip(" \t") for value in values for member in value.split(",")]
    pairs = [member.partition("=") for member in members if member]
    well_formed = all(LEVEL_2_KEY.fullmatch(key) and LEVEL_2_VALUE.fullmatch(value) for key, _, value in pairs)
    if len(pairs) > 32 or not well_formed:
        assert reference == "", (values, reference)
        return ""
    level_1 = re.compile(r"[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13}")
    first = {}
    for key, _, value in pairs:
        first.setdefault(key, value)
    keys = [key for key, _, _ in pairs]
    twice = needed("tracestate key twice", len(first) != len(pairs))
    level_2 = needed("tracestate level 2 key", not all(level_1.fullmatch(key) for key in keys))
    too_long = needed("tracestate over 8192", sum(map(len, values)) + len(values) - 1 > 8192)
    if twice or level_2 or too_long:
        assert reference == "", (values, reference)
        return ",".join(key + "=" + value for key, value in first.items())
    return reference


def reference_span(carrier):
    values = carrier.get("traceparent", [])
    if needed("traceparent twice", len(values) > 1):
        return "-", ""
    if values and needed("traceparent with a comma or a line feed", re.search("[,\n]", values[0])):
        return "-", ""
    if values and needed("traceparent over 512", len(values[0]) > 512):
        carrier = {**carrier, "traceparent": [values[0].strip(" \t")[:56]]}
    span = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
    if not span.is_valid:
        return "-", ""
    assert span.is_remote
    needed("undefined flags", span.trace_flags & ~3)
    state = corrected_tracestate(carrier.get("tracestate", []), span.trace_state.to_header())
    return f"{span.trace_id:032x} {span.span_id:016x} {span.trace_flags & 3}", state


def reference_baggage(carrier):
    """One member at a time, so that a member in which the two differ can be told."""
    values = carrier.get("baggage", [])
    needed("baggage in several headers", len(values) > 1)
    entries, members, size = {}, 0, 0
    for member in ",".join(values).split(","):
        member = member.strip(" \t")
        pair, _, properties = member.partition(";")
        key, _, value = pair.partition("=")
        key, value = key.strip(" \t"), value.strip(" \t")
        read = baggage.get_all(W3CBaggagePropagator().extract({"baggage": [pair]}, Context()))
        if not read:
            continue
        if needed("65th member", members == 64) or needed("over 8192", size + (members > 0) + len(member) > 8192):
            continue
        size += (members > 0) + len(member)
        members += 1
        (read_key, read_value), = read.items()
        if needed("baggage +, key with % or blank at an end", re.search(r"[+%]", key) or "+" in value or
                  unquote(value).strip() != unquote(value)):
            read_key, read_value = key, unquote(value)
        entries[read_key] = (read_value, properties.strip(" \t"))
    return entries


cases = [make_fields() for _ in range(arguments.count)]


def encoded(value):
    # Characters above 7f are one octet in no header that the grammars allow; any encoding will do.
    return value.encode("utf-8").hex()


lines = [" ".join(f"{name}={encoded(value)}" for name, value in fields) for fields in cases]
answer = subprocess.run([arguments.program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
answers = answer.stdout.split("\n")[:-1]
assert len(answers) == len(cases), (len(answers), len(cases))

problems, valid, states, entries_seen = 0, 0, 0, 0
for fields, line in zip(cases, answers):
    span, state, entries, injected = line.split("\t")
    state = bytes.fromhex(state).decode()
    ours = {}
    for entry in entries.split():
        key, value, metadata = (bytes.fromhex(part).decode("utf-8") for part in entry.split(":"))
        ours[key] = (value, metadata)
    carrier = carrier_of(fields)
    want_span, want_state = reference_span(carrier)
    want_baggage = reference_baggage(carrier)
    # What we write, the reference reads as what we had read.
    written = {name: [bytes.fromhex(value).decode()] for name, _, value in
               (word.partition("=") for word in injected.split())}
    again, again_state = reference_span(written) if written else ("-", "")
    again_baggage = {key: value for key, (value, _) in reference_baggage(written).items()}
    valid += span != "-"
    states += state != ""
    entries_seen += len(ours)
    # A very long trace state is written in part: whole members, in their order.
    if len(state) > 4096 and needed("tracestate over 4096 written", again_state != state):
        rest = iter(state.split(","))
        assert 3500 < len(again_state) <= 4096 and all(member in rest for member in again_state.split(",")), again_state
        again_state = state
    # An entry that grows when it is written (an octet became U+FFFD) may not fit any more; then it is left out whole.
    for key in ours.keys() - again_baggage.keys():
        member = f"{key}={quote(ours[key][0], safe=UNCODED)};{ours[key][1]}"
        assert needed("baggage over 8192 written", len(written["baggage"][0]) + 1 + len(member) > 8192), (key, ours)
        again_baggage[key] = ours[key][0]
    for what, is_, want in (("span", span, want_span), ("tracestate", state, want_state),
                            ("baggage", ours, want_baggage), ("span written", again, span),
                            ("tracestate written", again_state, state),
                            ("baggage written", again_baggage, {key: value for key, (value, _) in ours.items()})):
        if is_ != want:
            problems += 1
            if problems <= 5:
                print(f"{what}: {repr(is_)[:2000]}\nexpected: {repr(want)[:2000]}\nfrom: {repr(fields)[:4000]}\n")

print(f"{len(cases)} carriers: {valid} valid spans, {states} trace states, {entries_seen} baggage entries")
print("corrections of the reference: " + ", ".join(f"{name} {count}" for name, count in sorted(corrected.items())))
if arguments.count >= 6000 and (unused := [name for name, count in corrected.items() if count == 0]):
    print(f"corrections that were never needed: {unused}")
    problems += 1
print(f"{problems} problem(s)")
if problems or arguments.count < 6000:
    sys.exit(1 if problems else 0)
compared = {"traceparent": valid, "tracestate": states, "baggage": entries_seen}
sys.exit(proofs.reference("w3c_propagator", ["opentelemetry-api"], [what for what, count in compared.items() if count]))
