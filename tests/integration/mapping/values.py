"""Values of attributes: out of OTLP JSON, and as the text that other formats have of them."""

import base64
import math

from peers import loads


def real(number):
    """A double as something that compares by its bits; JSON has the special ones as text."""
    number = float(number.replace("Infinity", "inf") if isinstance(number, str) else number)
    return "NaN" if math.isnan(number) else number.hex()


def value_of(any_value):
    """OTLP's AnyValue in JSON as (type, value)."""
    for name, held in any_value.items():
        if name == "stringValue":
            return ("string", held)
        if name == "boolValue":
            return ("bool", held)
        if name == "intValue":
            return ("int", int(held))
        if name == "doubleValue":
            return ("double", real(held))
        if name == "bytesValue":
            return ("bytes", base64.b64decode(held).hex())
        if name == "arrayValue":
            return ("array", [value_of(one) for one in held.get("values", [])])
        if name == "kvlistValue":
            return ("map", attributes_of(held.get("values", [])))
    return ("null",)


def attributes_of(key_values):
    return [(one["key"], value_of(one.get("value", {}))) for one in key_values]


def plain(value):
    """A value as JSON text shows it: numbers by value and sign, bytes in base64, what JSON lacks as text."""
    kind = value[0]
    if kind == "null":
        return ("null",)
    if kind == "double":
        if value[1] == "NaN" or "inf" in value[1]:
            return ("string", {"NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[value[1]])
        return plain_number(float.fromhex(value[1]))
    if kind == "int":
        return plain_number(value[1])
    if kind == "bytes":
        return ("string", base64.b64encode(bytes.fromhex(value[1])).decode())
    if kind == "array":
        return ("array", [plain(one) for one in value[1]])
    if kind == "map":
        return ("map", sorted((key, plain(held)) for key, held in value[1]))
    return value


def plain_number(number):
    # Python compares an int and a float exactly.
    return ("number", number, math.copysign(1, number))


def plain_of_json(held):
    if held is None:
        return ("null",)
    if isinstance(held, bool):
        return ("bool", held)
    if isinstance(held, (int, float)):
        return plain_number(held)
    if isinstance(held, str):
        return ("string", held)
    if isinstance(held, list):
        return ("array", [plain_of_json(one) for one in held])
    return ("map", sorted((key, plain_of_json(one)) for key, one in held.items()))


class JsonText:
    """Equal to any text that is JSON of this value."""

    def __init__(self, value):
        self.value = plain(value)

    def __eq__(self, text):
        if isinstance(text, JsonText):
            return self.value == text.value
        try:
            return isinstance(text, str) and plain_of_json(loads(text)) == self.value
        except ValueError:
            return False

    def __repr__(self):
        return f"JSON of {self.value!r}"


class Real:
    """Equal to any text that is a decimal number of this very double."""

    def __init__(self, held):
        self.held = held

    def __eq__(self, text):
        if isinstance(text, Real):
            return self.held == text.held
        try:
            return isinstance(text, str) and text == text.strip() and "_" not in text and real(float(text)) == self.held
        except ValueError:
            return False

    def __repr__(self):
        return f"the number {self.held}"


class Annotation:
    """Equal to any `"name": {attributes as JSON}`."""

    def __init__(self, name, attributes):
        self.name = name
        self.value = plain(("map", [(name, ("map", attributes))]))

    def __eq__(self, text):
        try:
            return isinstance(text, str) and plain_of_json(loads("{" + text + "}")) == self.value
        except ValueError:
            return False

    def __repr__(self):
        return f"annotation {self.value!r}"


def text_of(value):
    """A value as the text of a tag (common/mapping-to-non-otlp.md, common/README.md)."""
    kind = value[0]
    if kind == "null":
        return ""
    if kind == "bool":
        return "true" if value[1] else "false"
    if kind == "int":
        return str(value[1])
    if kind == "double":
        special = plain(value)
        return special[1] if special[0] == "string" else Real(value[1])
    if kind == "bytes":
        return plain(value)[1]
    if kind in ("array", "map"):
        return JsonText(value)
    return value[1]
