#!/usr/bin/env python3
"""Peers come and go as peers.py says: builds are whole and made once, servers are their own, and nothing is left running."""

import multiprocessing
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

import peers

SERVER = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), " \
         "http.server.SimpleHTTPRequestHandler).serve_forever()"
WITH_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);" + SERVER


class Fake(peers.Peer):
    """Python's own HTTP server, or whatever program a test wants started."""

    name, version, tcp, ready_seconds = "fake", "1", ("port",), 20
    program = SERVER

    @classmethod
    def make(cls, folder):
        with open(cls.builds, "a") as file:
            file.write("built\n")
        time.sleep(0.5)
        (folder / "server.py").write_text("# whole\n")

    def command(self, built):
        assert (built / "server.py").read_text() == "# whole\n"
        return [sys.executable, "-c", self.program, self.port]

    def is_ready(self):
        return peers.get(self.port, "/")


class PeersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        patch = unittest.mock.patch.object(peers, "CACHE", self.folder / "cache")
        patch.start()
        self.addCleanup(patch.stop)
        Fake.builds = self.folder / "builds"

    def peer(self, program=SERVER, **members):
        return type("Fake", (Fake,), {"program": program, **members})(self.folder / "run")

    def test_two_that_build_at_once_build_once(self):
        at_once = [multiprocessing.get_context("fork").Process(target=Fake.prepare) for _ in range(4)]
        for process in at_once:
            process.start()
        for process in at_once:
            process.join()
            self.assertEqual(process.exitcode, 0)
        self.assertEqual(Fake.builds.read_text(), "built\n")

    def test_a_build_that_fails_or_was_killed_leaves_nothing(self):
        with unittest.mock.patch.object(time, "sleep", side_effect=peers.Unavailable("no network")):
            self.assertRaises(peers.Unavailable, Fake.prepare)
        self.assertEqual([path.suffix for path in peers.CACHE.iterdir()], [".lock"])
        process = multiprocessing.get_context("fork").Process(target=Fake.prepare)
        process.start()
        peers.wait_until("the build has begun", lambda: Fake.builds.read_text().count("built") == 2)
        process.kill()
        process.join()
        self.assertEqual(len(list(peers.CACHE.glob("*.tmp"))), 1)
        Fake.prepare()
        self.assertEqual(list(peers.CACHE.glob("*.tmp")), [])

    def test_other_files_are_another_build(self):
        first = Fake.prepare()
        file = self.folder / "recipe"
        file.write_text("changed")
        with unittest.mock.patch.object(Fake, "files_of_build", return_value=[file]):
            self.assertNotEqual(Fake.prepare(), first)

    def test_a_server_is_ready_and_ends_with_all_it_started(self):
        with self.peer(WITH_CHILD) as peer:
            group = peer.process.pid
            self.assertIn(("tcp", peer.port), peers.bound_by(group))
            self.assertLess(peer.port, 32768)
            self.assertEqual(len(peers.processes_of(group)), 2)
        self.assertEqual(peers.processes_of(group), [])

    def test_a_server_ends_when_the_test_fails(self):
        with self.assertRaises(KeyError), self.peer() as peer:
            group = peer.process.pid
            raise KeyError
        self.assertEqual(peers.processes_of(group), [])

    def test_a_server_ends_when_the_test_is_killed(self):
        script = "import sys, time, self_test, peers, pathlib; self_test.Fake.builds = sys.argv[1] + '/builds'; " \
                 "peers.CACHE = pathlib.Path(sys.argv[1]) / 'cache'; p = self_test.Fake(sys.argv[1]).__enter__(); " \
                 "print(p.process.pid, flush=True); time.sleep(600)"
        test = subprocess.Popen([sys.executable, "-c", script, str(self.folder)], stdout=subprocess.PIPE, text=True,
                                cwd=peers.HERE)
        with test.stdout:
            server = int(test.stdout.readline())
        self.assertEqual(peers.processes_of(server), [server])
        test.send_signal(signal.SIGKILL)
        test.wait()
        peers.wait_until("the server is gone", lambda: not peers.processes_of(server), 20)

    def test_what_another_process_listens_on_is_not_trusted(self):
        """Somebody answers on the port, but it is not the program that was started."""
        with socket.create_server(("127.0.0.1", 0)):
            peer = self.peer("import time; print('I do not listen', flush=True); time.sleep(600)", ready_seconds=2,
                             is_ready=lambda self: True)
            with self.assertRaisesRegex(TimeoutError, "(?s)ports it does not listen on.*I do not listen"), peer:
                pass
        self.assertIsNone(peer.process)

    def test_a_server_that_ends_at_once_says_why(self):
        with self.assertRaisesRegex(RuntimeError, "(?s)fake ended with 3.*out of order"), \
                self.peer("import sys; print('out of order'); sys.exit(3)"):
            pass

    def test_a_port_taken_meanwhile_is_replaced(self):
        real, taken = peers.free_ports, socket.create_server(("127.0.0.1", peers.free_ports(1)[0]))
        with taken, unittest.mock.patch.object(peers, "free_ports", side_effect=[[taken.getsockname()[1]], real(1)]), \
                self.peer() as peer:
            self.assertNotEqual(peer.port, taken.getsockname()[1])

    def test_unavailable_is_a_skipped_test_and_under_ci_a_failed_one(self):
        def test():
            raise peers.Unavailable("no network")

        for ci, status in (("", peers.SKIP), ("true", 1)):
            with unittest.mock.patch.dict(os.environ, CI=ci):
                self.assertEqual(peers.main_of_test(test), status)
        with self.assertRaises(peers.Unavailable):
            peers.run(["there-is-no-such-program"], "a build")
        with self.assertRaisesRegex(peers.Unavailable, "a build cannot be had.*said\nthis"):
            peers.run(["sh", "-c", "echo this; exit 1"], "a build")


if __name__ == "__main__":
    unittest.main()
