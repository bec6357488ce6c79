"""Programs that share one managed server, which ends with the last of them, lose nothing, however they follow each other.

    back_to_back.py PROGRAM FULGURITE     (the program back_to_back.cpp, the local server's command)

One after the other, each finds the server of the one before at its end; several at once start and end it together. Then
the same with a server that is killed by kill -9 under them. Nothing may be said: what is tried again is not lost.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

program, fulgurite = sys.argv[1:3]
if not pathlib.Path(fulgurite).exists():
    print("the local server is not built")
    sys.exit(1 if os.environ.get("CI") else 77)


def runs(data):
    """Whether a server does; one that was killed leaves its announcement behind."""
    try:
        os.kill(json.loads((pathlib.Path(data) / "server.json").read_text())["pid"], 0)
        return True
    except (OSError, ValueError):
        return False


def stored(data):
    out = subprocess.run([fulgurite, "traces", "--json", "--data", data], capture_output=True, text=True, check=True).stdout
    return [json.loads(line)["spanCount"] for line in out.splitlines()]


def serve(data):
    server = subprocess.Popen([fulgurite, "serve", "--managed", "--owner-pid", str(os.getpid()), "--data", data],
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline().startswith("listening on ")
    server.stdout.close()
    return server


def run(rounds, at_once, kill=False):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        environment = {**os.environ, "FULGURITE_DATA": data,
                       "PATH": f"{pathlib.Path(fulgurite).resolve().parent}:{os.environ['PATH']}"}
        said = []
        for _ in range(rounds):
            doomed = serve(data) if kill else None
            running = [subprocess.Popen([program], env=environment, stderr=subprocess.PIPE, text=True) for _ in range(at_once)]
            if doomed:
                time.sleep(random.uniform(0, 0.04))
                doomed.kill()
                doomed.wait()
            for one in running:
                said += one.communicate(timeout=60)[1].splitlines()
                assert one.returncode == 0
        spans = stored(data)
        print(f"{rounds} times {at_once}{', killed' if kill else ''}: {len(spans)} traces")
        assert spans == [2] * (rounds * at_once), f"{len(spans)} traces of {rounds * at_once}; {said}"
        assert not said, said
        end = time.monotonic() + 20
        while runs(data):
            assert time.monotonic() < end, "the server outlives its last program"
            time.sleep(0.01)


run(30, 1)
run(8, 4)
run(8, 4, kill=True)
