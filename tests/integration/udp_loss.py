#!/usr/bin/env python3
"""Datagrams sent to Jaeger's agent = those it processed + those its queue had no room for + those the kernel threw away.

    udp_loss.py PROGRAM [--spans N]     (the program udp_loss.cpp)

By the compact protocol and by the binary one, each as fast as it goes, at the exporter's own pace, and waiting for the
agent after each batch; then every span must reach Jaeger's collector. A socket of our own says beforehand how large the
datagrams are. Exit status 77: Jaeger cannot be had.
"""

import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import peers  # noqa: E402

MOST = 65_000  # bytes of a datagram that an agent takes


def send(program, port, protocol, spans, how, read):
    """What the program says it sent; `read()` comes after each batch of one that waits."""
    words = [program, str(port), protocol, str(spans), how]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        while (line := process.stdout.readline()) == ".\n":
            read()
            process.stdin.write("\n")
            process.stdin.flush()
        process.stdin.close()
        assert process.wait(60) == 0
    said = json.loads(line)
    assert said["flushed"] and said["exported"] == spans, said
    assert not said["dropped"] + said["failed"] + said["refused"], said
    return said["datagrams"]


def sizes(program, protocol, spans):
    """Of the datagrams, as a socket of our own gets them."""
    got = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        port, = peers.free_ports(1)
        own.bind(("127.0.0.1", port))
        own.setblocking(False)

        def read():
            try:
                while True:
                    got.append(len(own.recv(1 << 16)))
            except BlockingIOError:
                pass

        sent = send(program, port, protocol, spans, "waiting", read)
        read()
    assert len(got) == sent, f"{sent} datagrams sent, {len(got)} received"
    assert max(got) <= MOST, f"a datagram has {max(got)} bytes"
    print(f"{protocol}: {sent} datagrams, the largest of {max(got)} bytes", flush=True)


def counters(peer, protocol):
    """Jaeger's own: datagrams that the agent processed, dropped and failed to read, and spans in the collector."""
    text = peers.get(peer.admin, "/metrics").decode()

    def total(name, *labels):
        lines = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.M)
        found = [float(value) for has, value in lines if all(label in has for label in labels)]
        assert found, f"Jaeger has no {name}"
        return int(sum(found))

    of = ('model="jaeger"', f'protocol="{protocol}"')
    server = "jaeger_agent_thrift_udp_server_"
    return {"processed": total(server + "packets_processed_total", *of),
            "queue": total(server + "packets_dropped_total", *of), "errors": total(server + "read_errors_total", *of),
            "handler": total("jaeger_agent_thrift_udp_t_processor_handler_errors_total", *of),
            "spans": total("jaeger_collector_spans_received_total")}


def run(arguments, peer, protocol, how):
    port = getattr(peer, f"jaeger_{protocol}")

    def read():
        peers.wait_until("the datagrams are read", lambda: peers.datagrams_of(port)[0] == 0)

    before, kernel_before = counters(peer, protocol), peers.datagrams_of(port)[1]
    sent = send(arguments.program, port, protocol, arguments.spans, how, read)
    read()
    now = {}

    def delta():
        now.update({name: value - before[name] for name, value in counters(peer, protocol).items()})
        now["kernel"] = peers.datagrams_of(port)[1] - kernel_before
        return now

    def settled():
        return sum(delta()[name] for name in ("processed", "queue", "kernel")) >= sent

    try:
        peers.wait_until("all datagrams are accounted for", settled, 10)
        if now["queue"] + now["kernel"] == 0:
            peers.wait_until("all spans are in the collector", lambda: delta()["spans"] >= arguments.spans, 20)
    finally:
        print(f"{protocol}, {how}: sent {sent} = processed {now['processed']} + no room in "
              f"the agent's queue {now['queue']} + thrown away by the kernel {now['kernel']}; the collector received "
              f"{now['spans']} of {arguments.spans} spans", flush=True)
    assert sent == now["processed"] + now["queue"] + now["kernel"], now
    assert now["errors"] == now["handler"] == 0, now
    lost = now["queue"] + now["kernel"]
    assert not (how == "waiting" and lost), now
    if lost == 0:
        assert now["spans"] == arguments.spans, now


def test(arguments):
    with tempfile.TemporaryDirectory() as folder, peers.Jaeger(pathlib.Path(folder) / "jaeger") as peer:
        for protocol in ("compact", "binary"):
            sizes(arguments.program, protocol, arguments.spans)
            for how in ("waiting", "paced", "unpaced"):
                run(arguments, peer, protocol, how)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--spans", type=int, default=100_000)
    arguments = parser.parse_args()
    return peers.main_of_test(lambda: test(arguments))


if __name__ == "__main__":
    sys.exit(main())
