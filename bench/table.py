"""Tables of the benchmarks' figures, each beside its goal and the floor or peer of the same run that it is measured by.

A goal is met or MISSED; nothing fails. What tests gate are instruction counts (tests/codegen/meson.build).
"""

CLOCK = "floor: two clock reads"
COPY = "floor: copy of traceparent"
INSERTION = "floor: map insertion"
LOOK_UPS = "floor: map look-ups"

# Against two clock reads, or against the same case of the static tracer.
RATIOS = {"child": (1.20, CLOCK), "child + 4 schema attributes": (1.35, CLOCK)}
RATIOS |= {f"any_tracer: {case}": (1.05, case) for case in (
    "child", "child + 4 schema attributes", "child + 4 run-time attributes", "child + 1 event", "root",
    "root + 1 child", "root + 10 children")}
# Nanoseconds: the goal, if there is one, and the floor.
PROPAGATION = {
    "inject into memory": (40, COPY), "inject with tracestate into memory": (40, COPY),
    "extract from memory": (None, COPY), "extract with tracestate from memory": (100, COPY),
    "inject into a map": (None, INSERTION),
    "extract from a map": (None, LOOK_UPS), "extract with tracestate from a map": (100, LOOK_UPS),
}
# Spans a second in millions, or nanoseconds a span. Each case is shown beside a copy of the same bytes, `copy_of_CASE`.
ENCODING = {
    "otlp_protobuf/no_attributes": ("M/s", 50),
    "otlp_protobuf/four_of_a_schema": ("M/s", 30),
    "call_site_to_otlp": ("ns", 55),
}
COPIES = {"call_site_to_otlp": "copy_of_otlp_protobuf/four_of_a_schema"}  # of cases without one of their own


def verdict(good):
    return "met" if good else "MISSED"


def print_rows(rows):
    """Rows of `name`, `figure`, `unit`; where there are some `at_most` or `at_least`, `floor` and `floor_name`."""
    print(f"{'':44}{'figure':>10} {'':14}{'goal':>8}  {'':8}{'floor':>10}{'x floor':>9}")
    for row in rows:
        figure, at_most, at_least = row["figure"], row.get("at_most"), row.get("at_least")
        goal = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}" if at_least is not None else ""
        good = figure <= at_most if at_most is not None else figure >= at_least if at_least is not None else None
        floor = row.get("floor")
        against = f"{floor:10.4g}{figure / floor:9.2f}   {row['floor_name']}" if floor else ""
        print(f"{row['name']:44}{figure:10.4g} {row['unit']:14}{goal:>8}  "
              f"{'' if good is None else verdict(good):8}{against}".rstrip())


def hot_path(times):
    print(f"{'':44}{'ns':>8}{'x floor':>10}   goal")
    for name, time in times.items():
        goal = ""
        if name in RATIOS and RATIOS[name][1] in times:
            ratio, peer = RATIOS[name]
            got = time / times[peer]
            against = "x floor" if peer == CLOCK else f"x the static tracer, is {got:.2f}"
            goal = f"   <= {ratio:.2f} {against}  {verdict(got <= ratio)}"
        print(f"{name:44}{time:8.1f}{time / times[CLOCK]:10.2f}{goal}")


def propagation(times):
    print_rows([{"name": name, "figure": time, "unit": "ns"}
                | ({"at_most": PROPAGATION[name][0], "floor": times.get(PROPAGATION[name][1]),
                    "floor_name": PROPAGATION[name][1].removeprefix("floor: ")} if name in PROPAGATION else {})
                for name, time in times.items()])


def throughput(runs):
    print(f"{'':44}{'ns a span':>10}{'M spans/s':>11}{'MB/s':>9}{'x copy':>9}   goal")

    def per_span(run):
        spans = run.get("items_per_second", 0)
        return 1e9 / spans if spans else run["real_time"]

    for name, run in runs.items():
        spans = run.get("items_per_second", 0) / 1e6
        octets = run.get("bytes_per_second", 0) / 1e6
        ratio = goal = ""
        floor = COPIES.get(name, f"copy_of_{name}")
        if floor in runs:
            ratio = f"{per_span(run) / per_span(runs[floor]):.1f}"
        if name in ENCODING:
            unit, limit = ENCODING[name]
            if unit == "ns":
                goal = f"   <= {limit} ns  {verdict(per_span(run) <= limit)}"
            else:
                goal = f"   >= {limit} M spans/s  {verdict(spans >= limit)}"
        print(f"{name:44}{per_span(run):10.1f}{spans:11.1f}{octets:9.0f}{ratio:>9}{goal}".rstrip())


def case_of(run):
    """Its name without what Google Benchmark adds to it about how it was run."""
    name = run["run_name"]
    for added in ("/real_time", "/iterations:", "/min_time:", "/repeats:", "/manual_time"):
        name = name.split(added)[0]
    return name


def least_of(benchmarks):
    """A benchmark that is repeated shows its least run; one that is not, its only one."""
    least = {}
    for run in benchmarks:
        if run["run_type"] == "aggregate" and run["aggregate_name"] != "min":
            continue
        name = case_of(run)
        if name not in least or run["real_time"] < least[name]["real_time"]:
            least[name] = run
    return least


def show(results):
    """Google Benchmark's JSON, or {"rows": [...]} of `print_rows`."""
    if "rows" in results:
        print_rows(results["rows"])
        return
    runs = least_of(results["benchmarks"])
    times = {name: run["real_time"] for name, run in runs.items()}
    if CLOCK in times:
        hot_path(times)
    elif any(name in PROPAGATION for name in times):
        propagation(times)
    else:
        throughput(runs)
