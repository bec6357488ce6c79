"""The main job: the example agent runs with nothing configured, and its whole trace is in the local server's store.

    demo.py AGENT FULGURITE [--data DIR] [--wrap COMMAND] [--times N]

The agent says which trace it made and how many spans it ended. By that id the trace is read back from a data directory
that was empty, and must have as many spans, one root, and the parent of every other. `./dev demo` shows this run. With
--times it is repeated, each time with another value of MALLOC_PERTURB_, which makes a use of freed memory visible.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

PREFIXES = ("TRACER_", "OTEL_", "OTLP_", "JAEGER_", "ZIPKIN_", "AGENTOPS_", "FULGURITE_")


def fail(sentence):
    sys.exit(f"demo: {sentence}")


def run(arguments, data, number):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIXES)}
    command = pathlib.Path(arguments.fulgurite).resolve()
    environment.update(FULGURITE_DATA=str(data), PATH=f"{command.parent}:{environment['PATH']}")
    if number:
        environment["MALLOC_PERTURB_"] = str(number)
    agent = subprocess.run([*shlex.split(arguments.wrap), arguments.agent], env=environment, text=True, capture_output=True,
                           timeout=300)
    print(agent.stdout, agent.stderr, sep="", end="", flush=True)
    if agent.returncode != 0:
        fail(f"the agent ended with {agent.returncode}")
    made = re.search(r"^trace ([0-9a-f]{32}), (\d+) spans$", agent.stdout, re.M)
    if not made:
        fail("the agent does not say which trace it made, and how many spans it ended")
    trace, count = made[1], int(made[2])
    if count < 20:
        fail(f"the agent ended {count} spans only")

    json_text = subprocess.run([command, "trace", trace, "--json"], env=environment, text=True, capture_output=True)
    if json_text.returncode != 0:
        fail(f"the trace is not in the store: {json_text.stderr.strip()}")
    spans = [span for resource in json.loads(json_text.stdout)["resourceSpans"] for scope in resource["scopeSpans"]
             for span in scope["spans"]]
    ids = {span["spanId"] for span in spans}
    if len(spans) != count or len(ids) != count:
        fail(f"the agent ended {count} spans, and {len(ids)} are in the store")
    roots = [span["name"] for span in spans if not span.get("parentSpanId")]
    if roots != ["librarian.agent"]:
        fail(f"the trace has the roots {roots}")
    lost = [span["name"] for span in spans if span.get("parentSpanId") and span["parentSpanId"] not in ids]
    if lost:
        fail(f"the parents of {lost} are not in the store")
    return trace, environment, command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agent")
    parser.add_argument("fulgurite")
    parser.add_argument("--data", help="a directory for the store, which is emptied and stays; else one that goes")
    parser.add_argument("--wrap", default="", help="run the agent by this command")
    parser.add_argument("--times", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.data:
        data = pathlib.Path(arguments.data).resolve()
        shutil.rmtree(data, ignore_errors=True)
        print(f"$ {os.path.relpath(arguments.agent)}", flush=True)
        trace, environment, command = run(arguments, data, 0)
        print(f"\n$ fulgurite trace {trace}", flush=True)
        sys.exit(subprocess.run([command, "trace", trace], env=environment).returncode)
    for i in range(arguments.times):
        with tempfile.TemporaryDirectory() as folder:
            run(arguments, pathlib.Path(folder) / "data", i * 12 + 1 if arguments.times > 1 else 0)
    print(f"{arguments.times} whole traces")


if __name__ == "__main__":
    main()
