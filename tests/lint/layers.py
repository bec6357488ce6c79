"""Includes go only to a lower layer.

The table is the one of the architecture document. A header may include its own folder and every layer below; folders
of one layer do not include each other, but for the pairs in ALSO. Headers directly in include/fulgurite/ are ordered
one by one.
"""

import re
import sys

from common import INCLUDE, finish, headers

# One line a layer, lowest first.
LAYERS = [
    ["text"],
    ["platform"],
    ["diagnostics"],
    ["context"],
    ["record", "semconv"],
    ["sampler", "propagator", "encoder", "transport", "engine"],
    ["delivery"],
    ["processor", "exporter"],
    ["pipeline"],
    ["span", "tracer.hpp", "noop.hpp", "fulgurite.hpp", "any_tracer.hpp", "reflect.hpp"],
    ["config", "runtime.hpp", "backends.hpp", "select.hpp", "fmt.hpp"],
    ["agent", "instrument", "monitor"],
]

# (who, whom) within one layer; whom may be a single header.
ALSO = {
    ("semconv", "record"),
    ("tracer.hpp", "span"), ("noop.hpp", "span"), ("reflect.hpp", "span"),
    ("fulgurite.hpp", "span"), ("fulgurite.hpp", "tracer.hpp"), ("fulgurite.hpp", "noop.hpp"),
    ("any_tracer.hpp", "span"), ("any_tracer.hpp", "tracer.hpp"), ("any_tracer.hpp", "noop.hpp"),
    ("any_tracer.hpp", "fulgurite.hpp"),
    ("runtime.hpp", "config"),
    ("backends.hpp", "config"), ("backends.hpp", "runtime.hpp"),
    ("select.hpp", "config"), ("select.hpp", "runtime.hpp"), ("select.hpp", "backends.hpp"),
    ("fmt.hpp", "config"), ("fmt.hpp", "runtime.hpp"),
}

LAYER_OF = {part: number for number, parts in enumerate(LAYERS) for part in parts}
INCLUDE_LINE = re.compile(r'^\s*#\s*include\s*(<fulgurite/([^>]+)>|"([^"]+)")')


def part_of(path):
    """`context/ids.hpp` belongs to `context`, `tracer.hpp` to itself."""
    return path.split("/")[0]


def check(name, text):
    """The problems of one header; `name` is its path below fulgurite/."""
    part = part_of(name)
    if part not in LAYER_OF:
        return [f"{name}: {part} is not in the layer table"]
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE_LINE.match(line)
        if not found:
            continue
        where = f"include/fulgurite/{name}:{number}: {line.strip()}"
        if found.group(3):
            problems.append(f"{where}: write <fulgurite/...>")
            continue
        target = part_of(found.group(2))
        if target not in LAYER_OF:
            problems.append(f"{where}: {target} is not in the layer table")
        elif target != part and LAYER_OF[target] >= LAYER_OF[part] and not (
                {(part, target), (part, found.group(2))} & ALSO):
            problems.append(f"{where}: {part} (layer {LAYER_OF[part]}) may not include "
                            f"{target} (layer {LAYER_OF[target]})")
    return problems


def self_test():
    """The check itself must be able to fail, and to pass."""
    assert check("context/x.hpp", "#include <fulgurite/record/y.hpp>")
    assert check("text/x.hpp", "#include <fulgurite/platform/y.hpp>")
    assert check("pipeline/x.hpp", "#include <fulgurite/span/y.hpp>")
    assert check("sampler/x.hpp", "#include <fulgurite/propagator/y.hpp>")
    assert check("delivery/x.hpp", "  # include <fulgurite/exporter/y.hpp>")
    assert check("noop.hpp", "#include <fulgurite/tracer.hpp>")
    assert check("processor/x.hpp", "#include <fulgurite/exporter/memory.hpp>")
    assert check("unheard_of/x.hpp", "")
    assert check("record/x.hpp", '#include "span_data.hpp"')
    assert not check("exporter/x.hpp", "#include <fulgurite/delivery/y.hpp>\n#include <vector>")
    assert not check("record/x.hpp", "#include <fulgurite/record/y.hpp>\n#include <fulgurite/context/ids.hpp>")


self_test()
all_problems = []
all_headers = headers()
for header in all_headers:
    all_problems += check(header.relative_to("fulgurite").as_posix(), (INCLUDE / header).read_text())
if not all_headers:
    sys.exit("no headers found")
finish(all_problems, f"{len(all_headers)} headers")
