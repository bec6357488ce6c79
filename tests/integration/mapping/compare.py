"""What was expected against what was received."""

import collections


def short(value):
    shown = ascii(value)
    return shown if len(shown) < 500 else shown[:500] + f"... ({len(shown)} characters)"


def differences(expected, received):
    """Sentences: none missing, none twice, none never made, and every field equal."""
    wanted = {(span["trace_id"], span["span_id"]): span for span in expected}
    count = collections.Counter((span["trace_id"], span["span_id"]) for span in received)
    found = [f"span {key} is missing" for key in wanted.keys() - count.keys()]
    found += [f"span {key} was never made" for key in count.keys() - wanted.keys()]
    found += [f"span {key} was received {times} times" for key, times in count.items() if times > 1]
    for span in received:
        made = wanted.get((span["trace_id"], span["span_id"]))
        if made is None:
            continue
        for field in sorted({*made, *span}):
            held, read = made.get(field), span.get(field)
            if not held == read:
                if isinstance(held, list) and isinstance(read, list) and len(held) == len(read):
                    held, read = next((a, b) for a, b in zip(held, read) if not a == b)
                found.append(f"span {span['span_id']}, {field}:\n    made {short(held)}\n    read {short(read)}")
    return found
