"""What of the spans came through, feature by feature, told from the values that were made and those that were received.

Says nothing of right or wrong, which `differences` does. Each value that was made is looked for in the span that was
received: `whole` where it belongs and of its type, as a `tag` of a well-known name, as `text`, or it is `lost`.
"""

import collections

from .jaeger import as_go_writes
from .otlp import KIND_NAMES, text_attribute
from .values import Annotation, JsonText, text_of

CODES = {1: "OK", 2: "ERROR"}
REMOTE = 0x200
# Of each there must be something to compare.
PARTS = {
    "names": {"span", "service"}, "kind": {"internal", *KIND_NAMES.values()},
    "parent": {"local", "remote", "that it is remote"}, "times": {"start", "duration", "event"},
    "attributes": {"bool", "int", "double", "string", "bytes", "array", "map", "empty"}, "events": {"name", "attributes"},
    "links": {"ids", "attributes", "trace state"}, "status": {"OK", "ERROR", "description"}, "trace state": {""},
    "resource": {""}, "scope": {"name", "version", "attributes"}, "dropped counts": {"attributes", "events", "links"},
}
# How a value came, the best first.
OUTCOMES = ("whole", "ns", "tag", "event", "text", "lower case", "µs", "µs, at least 1", "without the sign of zero", "lost",
            "changed")


class Seen:
    """A received span, whatever form it has: OTLP's, Jaeger's or Zipkin's."""

    def __init__(self, span):
        self.trace_state, self.dropped, self.flags, self.scope = "", [0, 0, 0], 0, ("", "", [])
        self.status, self.description, self.links = 0, "", []
        self.name, self.start = span["name"], span["start"]
        if "references" in span:
            self.of_jaeger(span)
        elif "annotations" in span:
            self.of_zipkin(span)
        else:
            self.of_otlp(span)

    def of_otlp(self, span):
        for name in ("trace_state", "dropped", "flags", "scope", "status", "description", "parent", "kind"):
            setattr(self, name, span[name])
        self.duration = span["end"] - span["start"]
        self.attributes, self.resource = dict(span["attributes"]), dict(span["resource"])
        self.service = text_attribute(span["resource"], "service.name")
        self.events = [(event["time"], event["name"], dict(event["attributes"])) for event in span["events"]]
        self.links = [{**link, "attributes": dict(link["attributes"])} for link in span["links"]]

    def of_jaeger(self, span):
        self.start, self.duration = span["start"] * 1000, span["duration"] * 1000
        self.attributes, self.resource, self.service = dict(span["tags"]), dict(span["process"]), span["service"]
        self.events = [(time * 1000, dict(fields).get("event", ("", ""))[1], dict(fields)) for time, fields in span["logs"]]
        self.links = [{"trace_id": trace, "span_id": of, "attributes": {}, "trace_state": "", "flags": 0}
                      for _, trace, of in span["references"]]
        parents = [of for _, trace, of in span["references"] if trace == span["trace_id"]]
        self.parent = lambda made: made in parents
        self.kind = number_of_kind(self.attributes.get("span.kind", ("", ""))[1])

    def of_zipkin(self, span):
        self.start, self.duration = span["start"] * 1000, span["duration"] * 1000
        self.attributes = {key: ("string", text) for key, text in span["tags"]}
        self.resource, self.service, self.parent = {}, span["service"], span["parent"]
        self.events = [(time * 1000, text, {}) for time, text in span["annotations"]]
        self.kind = number_of_kind(span["kind"].lower())

    def has_parent(self, made):
        return self.parent(made) if callable(self.parent) else self.parent == made

    def tag(self, *keys):
        """The text of the first of these tags, or None."""
        return next((str(self.attributes[key][1]) for key in keys if key in self.attributes), None)


def number_of_kind(name):
    return {"internal": 1, **{text: number for number, text in KIND_NAMES.items()}}.get(name, 0)


def came(value, found):
    """How a value with a type came."""
    if found is None:
        return "lost"
    if found == value:
        return "whole"
    if value[0] == found[0] == "double" and float.fromhex(value[1]) == float.fromhex(found[1]) == 0:
        return "without the sign of zero"
    if found[0] == "string":
        as_text = text_of(value)
        if as_text == found[1] or (value[0] in ("array", "map") and JsonText(as_go_writes(value)) == found[1]):
            return "text"
    return "changed"


def in_place_or_tag(value, held, tag):
    if held == value:
        return "whole"
    return "tag" if tag == str(value) else "lost"


def best(alike, made, attributes_of):
    """The one with the attributes that were made: several may have the same time and name, or the same ids."""
    return min(alike, key=lambda one: sum(came(value, attributes_of(one).get(key)) in ("lost", "changed")
                                          for key, value in made["attributes"]))


def event_of(made, seen):
    """The event that was received for this one, and whether its attributes are in its name; or None."""
    at = [event for event in seen.events if event[0] // 1000 == made["time"] // 1000]
    if named := [event for event in at if event[1] == made["name"]]:
        return best(named, made, lambda event: event[2]), False
    whole = Annotation(made["name"], made["attributes"])
    return next(((event, True) for event in at if whole == event[1]), None)


def link_attribute(link, found, key, value, seen):
    """Jaeger's references have none: there an event says them."""
    if key in found["attributes"]:
        return came(value, found["attributes"][key])
    for _, name, fields in seen.events:
        if (name == "link" and fields.get("span_id") == ("string", link["span_id"]) and key in fields
                and came(value, fields[key]) in ("whole", "text", "without the sign of zero")):
            return "event"
    return "lost"


def features(made, received):
    """{feature: {part: {outcome: how many values}}}"""
    table = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    by_id = {(span["trace_id"], span["span_id"]): Seen(span) for span in received}
    exact = collections.Counter()

    def count(feature, part, outcome):
        table[feature][part][outcome] += 1

    def time(part, at, held):
        count("times", part, "µs" if held // 1000 == at // 1000 else "changed")
        exact[part] += held == at

    for span in made:
        seen = by_id[span["trace_id"], span["span_id"]]
        count("names", "span", "whole" if seen.name == span["name"] else
              "lower case" if seen.name == span["name"].lower() else "changed")
        service = text_attribute(span["resource"], "service.name")
        count("names", "service", "whole" if seen.service == service else
              "lower case" if seen.service == service.lower() else "changed")
        for key, value in span["attributes"]:
            if key != "error":  # which means something of its own to Jaeger and Zipkin
                count("attributes", "empty" if value[0] == "null" else value[0], came(value, seen.attributes.get(key)))
        for event in span["events"]:
            found = event_of(event, seen)
            count("events", "name", "whole" if found else "lost")
            if not found:
                continue
            time("event", event["time"], found[0][0])
            for key, value in event["attributes"]:
                count("events", "attributes", "text" if found[1] else came(value, found[0][2].get(key)))
        for link in span["links"]:
            alike = [one for one in seen.links
                     if (one["trace_id"], one["span_id"]) == (link["trace_id"], link["span_id"])]
            found = best(alike, link, lambda one: one["attributes"]) if alike else None
            count("links", "ids", "whole" if found else "lost")
            if link["trace_state"]:
                count("links", "trace state", "whole" if found and found["trace_state"] == link["trace_state"] else "lost")
            for key, value in link["attributes"]:
                count("links", "attributes", link_attribute(link, found, key, value, seen) if found else "lost")
        if span["status"]:
            word = CODES[span["status"]]
            count("status", word, "whole" if seen.status == span["status"] else
                  "tag" if seen.tag("otel.status_code") == word else "lost")
        if span["description"]:
            count("status", "description", in_place_or_tag(span["description"], seen.description,
                                                           seen.tag("otel.status_description", "error")))
        if span["trace_state"]:
            count("trace state", "", in_place_or_tag(span["trace_state"], seen.trace_state, seen.tag("w3c.tracestate")))
        time("start", span["start"], seen.start)
        length = span["end"] - span["start"]
        count("times", "duration", "µs" if seen.duration // 1000 == length // 1000 else
              "µs, at least 1" if seen.duration == 1000 and length < 1000 else "changed")
        exact["duration"] += seen.duration == length
        for key, value in span["resource"]:
            if key != "service.name":
                held = came(value, seen.resource.get(key))
                count("resource", "", "tag" if held == "lost" and seen.attributes.get(key) == value else held)
        for number, what in enumerate(("name", "version")):
            count("scope", what, in_place_or_tag(span["scope"][number], seen.scope[number], seen.tag(f"otel.scope.{what}")))
        for key, value in span["scope"][2]:
            held = came(value, dict(seen.scope[2]).get(key))
            count("scope", "attributes", "tag" if held == "lost" and seen.attributes.get(key) == value else held)
        for number, what in enumerate(("attributes", "events", "links")):
            if span["dropped"][number]:
                count("dropped counts", what, in_place_or_tag(span["dropped"][number], seen.dropped[number],
                                                              seen.tag(f"otel.dropped_{what}_count")))
        if span["parent"]:
            is_remote = span["flags"] & REMOTE != 0
            count("parent", "remote" if is_remote else "local", "whole" if seen.has_parent(span["parent"]) else "lost")
            if is_remote:
                count("parent", "that it is remote", "whole" if seen.flags & REMOTE else "lost")
        count("kind", KIND_NAMES.get(span["kind"], "internal"), "whole" if seen.kind == span["kind"] else "lost")
    for part, outcomes in table["times"].items():
        if exact[part] == sum(outcomes.values()):
            table["times"][part] = collections.Counter(ns=exact[part])
        elif outcomes["µs, at least 1"]:
            table["times"][part] = collections.Counter({"µs, at least 1": sum(outcomes.values()) - outcomes["changed"],
                                                        "changed": outcomes["changed"]})
    for part, outcomes in table["names"].items():
        if outcomes["lower case"]:  # those that were in lower case before are none that came whole
            outcomes["lower case"] += outcomes.pop("whole", 0)
    return {feature: {part: +outcomes for part, outcomes in parts.items()} for feature, parts in table.items()}


def in_words(parts):
    """`whole`, or which parts of the feature came how: `whole: bool, int; text: array`."""
    how = {part: " or ".join(outcome for outcome in OUTCOMES if outcomes[outcome]) for part, outcomes in parts.items()}
    if len(set(how.values())) == 1:
        return next(iter(how.values()))
    groups = collections.defaultdict(list)
    for part in sorted(how):
        groups[how[part]].append(part)
    order = sorted(groups, key=lambda words: OUTCOMES.index(words.split(" or ")[0]))
    return "; ".join(f"{words}: {', '.join(groups[words])}" for words in order)


# Of a received span: not looked at here, but compared by `differences`.
NOT_LOOKED_AT = {"trace_id", "span_id", "warnings", "remote"}


def unnoticed(made, received, came):
    """A control: the fields whose values could all be lost without a change in what came."""
    def empty(field, value):
        return {"scope": ("", "", []), "dropped": [0, 0, 0]}.get(field, type(value)())

    fields = {field for span in received for field, value in span.items() if value != empty(field, value)} - NOT_LOOKED_AT
    return [field for field in sorted(fields)
            if features(made, [{**span, field: empty(field, span[field])} for span in received]) == came]
