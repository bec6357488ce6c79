"""Every span is accounted for: exported, or dropped by a named cause, with the backend up, killed and back.

    accounting.py PROGRAM FULGURITE     (the program accounting.cpp, the local server's command)

The spans the program says it exported are in the server's store, the store holds none that was not made, and made ==
exported + failed + dropped. The server is killed with kill -9 while it receives.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from backend import free_port

program, fulgurite = sys.argv[1:3]
if not pathlib.Path(fulgurite).exists():
    print("the local server is not built")
    sys.exit(1 if os.environ.get("CI") else 77)


started = []


def start(*command, **options):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    started.append(process)
    return process


def serve(port, data):
    server = start(fulgurite, "serve", "--port", str(port), "--data", data)
    line = server.stdout.readline()
    assert line.strip() == f"listening on http://127.0.0.1:{port}", line
    return server


def main():
    with tempfile.TemporaryDirectory() as data:
        port = free_port(21000)
        server = serve(port, data)
        tracing = start(program, f"http://127.0.0.1:{port}/v1/traces", stdin=subprocess.PIPE)

        def say(command):
            tracing.stdin.write(command + "\n")
            tracing.stdin.flush()
            return tracing.stdout.readline().strip()

        def account(made, title):
            stats = json.loads(say("flush 60000"))
            print(f"{title}: made {made}, {stats}")
            assert stats["queued"] == 0, "a flush within a minute leaves nothing queued"
            assert stats["started"] == made and stats["sampled"] == made, "spans are missing in the accounts"
            assert stats["sampled"] == stats["exported"] + stats["failed"] + stats["dropped"]
            assert stats["dropped"] == stats["queue_full"] and stats["failed"] == stats["export_failed"]
            return stats

        up = account(int(say("burst 1000")), "backend up")
        assert up["exported"] > 0 and up["failed"] == 0
        # Killed while a burst is on its way: some of it is delivered, some not, each is known.
        tracing.stdin.write("burst 4000\n")
        tracing.stdin.flush()
        time.sleep(0.05)
        server.send_signal(signal.SIGKILL)
        server.wait()
        made = int(tracing.stdout.readline())
        down = account(made, "backend killed")
        down = account(int(say("burst 1000")), "backend down")
        assert down["failed"] > 0
        server = serve(port, data)
        made = int(say("burst 1000"))
        back = account(made, "backend back")
        assert back["exported"] > down["exported"], "nothing arrived after the backend came back"

        ids = set(say("traces").split())
        tracing.stdin.close()
        assert tracing.wait(timeout=60) == 0

        stored = 0
        for line in subprocess.run([fulgurite, "traces", "--json", "--data", data], capture_output=True, text=True,
                                   check=True).stdout.splitlines():
            summary = json.loads(line)
            assert summary["traceId"] in ids, "a trace that was not made"
            stored += summary["spanCount"]
        server.terminate()
        server.wait(timeout=30)
        print(f"stored {stored}")
        # What was stored but not acknowledged before the kill is counted as failed: stored may be more, never less.
        assert back["exported"] <= stored <= back["exported"] + back["failed"]


try:
    main()
finally:
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
