"""What a span must look like on the other side, written from the specifications and sharing nothing with the encoders.

A made span is read from OTLP JSON (`read_otlp`) into a plain dictionary. `to_jaeger` and `to_zipkin` give what Jaeger
and Zipkin must then hold; `otlp_of_jaeger` and `otlp_of_zipkin` what a collector makes of these in turn. `read_jaeger`
and `read_zipkin` read the servers' own answers into the same form, and `differences` compares. Nothing is compared
loosely but in one way: text that is JSON by the mapping is compared as JSON (`JsonText`), a number in text as a number
(`Real`).

Sources: OpenTelemetry's common/mapping-to-non-otlp.md and trace/sdk_exporters/{zipkin,jaeger}.md, jaeger.thrift,
Zipkin's zipkin2-api.yaml, and for the way back the translators of the collector 0.155.
"""

from .compare import differences
from .features import PARTS, features, in_words, unnoticed
from .jaeger import in_jaeger, jaeger_calls, otlp_of_jaeger, read_jaeger, to_jaeger, to_jaeger_of_otlp
from .otlp import as_sets, camel, read_otlp, text_attribute
from .values import Annotation, JsonText, Real
from .zipkin import otlp_of_zipkin, read_zipkin, to_zipkin, zipkin_calls

__all__ = ["PARTS", "Annotation", "JsonText", "Real", "as_sets", "camel", "differences", "features", "in_jaeger", "in_words",
           "jaeger_calls", "otlp_of_jaeger", "otlp_of_zipkin", "read_jaeger", "read_otlp", "read_zipkin", "text_attribute",
           "to_jaeger", "to_jaeger_of_otlp", "to_zipkin", "unnoticed", "zipkin_calls"]
