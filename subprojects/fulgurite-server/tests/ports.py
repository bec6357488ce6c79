"""Ports of loopback that are free."""
import os
import random
import socket

# Below the range from which outgoing connections are given ports.
PORTS = iter(random.Random(os.getpid()).sample(range(20000, 32000), 2000))


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")
