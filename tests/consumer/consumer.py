"""The package as a stranger meets it: installed into an empty prefix, used by projects outside the repository.

    consumer.py --cxx C++ --work DIRECTORY --version VERSION WAY

WAY is one of
    files         what is installed: every header and nothing else, versions that agree, no path of the build in it
    plain         a copy of include/, `-std=c++20 -pthread`
    pkg_config    a Makefile with pkg-config
    cmake         find_package with components, and its errors
    meson         dependency() of the installed package
    subproject    dependency() of a copy below subprojects/
    single_header the one file of include/amalgamate.py
    two_versions  one program whose files were compiled with versions of different inline namespaces

The package is built and installed below --work once for all ways, and again when its sources change. Each program is
run: what it prints, or sends to a server here, is looked at.
"""

import argparse
import contextlib
import fcntl
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SKIP = 77

PROGRAMS = {"core": HERE / "core.cpp", "console": ROOT / "examples" / "quickstart.cpp", "http": HERE / "http.cpp",
            "grpc": HERE / "grpc.cpp", "runtime": HERE / "runtime.cpp"}
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


class Wrong(Exception):
    """What a stranger would complain of."""


def run(*command, cwd=None, fails=False, **variables):
    """Runs a command and returns all that it printed; `fails` says that it must not succeed."""
    environment = {name: value for name, value in os.environ.items()
                   if not re.match(r"(TRACER|OTEL|OTLP|AGENTOPS|PKG_CONFIG|CMAKE|MESON|CFLAGS|CXXFLAGS|LDFLAGS|MAKE)", name)}
    environment.update(variables)
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    if (done.returncode == 0) == fails:
        end = "\n".join(done.stdout.splitlines()[-30:])
        raise Wrong(f"{' '.join(map(str, command))}: exit {done.returncode}\n{end}")
    return done.stdout


def expect(condition, complaint):
    if not condition:
        raise Wrong(complaint)


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        print(f"{', '.join(missing)}: not installed")
        sys.exit(SKIP)


# -------------------------------------------------------------------------------------------------------- the package


def package_sources():
    """What the installed package is made of."""
    files = [path for path in (ROOT / "include").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sorted(files) + [ROOT / "meson.build", ROOT / "meson_options.txt"]


def installed(options):
    """The prefix with the package in it."""
    work = pathlib.Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    build, prefix, stamp = work / "build", work / "prefix", work / "stamp"
    with open(work / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = hashlib.sha256()
        for path in package_sources():
            state.update(str(path).encode() + path.read_bytes())
        if stamp.exists() and stamp.read_text() == state.hexdigest():
            return prefix
        stamp.unlink(missing_ok=True)
        shutil.rmtree(prefix, ignore_errors=True)
        started = time.monotonic()
        if not (build / "build.ninja").exists():
            shutil.rmtree(build, ignore_errors=True)
            parts = [f"-D{part}=enabled" for part in ("fmt", "http", "grpc", "hana", "runtime")]
            ours = [f"-D{part}=disabled" for part in ("tests", "examples", "server", "benchmarks")]
            run("meson", "setup", build, ROOT, "--prefix", prefix, "--wrap-mode=nofallback", *parts, *ours,
                CXX=options.cxx)
        run("meson", "install", "-C", build)
        print(f"built and installed in {time.monotonic() - started:.0f} s")
        stamp.write_text(state.hexdigest())
    return prefix


def pkg_config_path(prefix):
    folders = sorted({str(path.parent) for path in prefix.rglob("*.pc")})
    expect(folders, "no .pc was installed")
    return ":".join(folders)


# ------------------------------------------------------------------------------------------------------- the programs


@contextlib.contextmanager
def collector():
    """An OTLP/HTTP endpoint that keeps the bodies it gets; yields (address, bodies)."""
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            bodies.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    # Below 32768: above are the ports that outgoing connections take by themselves.
    for port in range(20000 + os.getpid() % 9000, 32768):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            break
        except OSError:
            continue
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1/traces", bodies
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def grpc_collector():
    """The least that a unary gRPC call needs of a server: HTTP/2 frames, read and written by hand; yields as above."""
    messages = []
    head = b"\x88" + b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in (
        (b"content-type", b"application/grpc"), (b"grpc-status", b"0")))

    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def serve(connection):
        stream = connection.makefile("rb")
        if stream.read(24) != b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            return
        connection.sendall(frame(4, 0, 0))
        body = b""
        while header := stream.read(9):
            size, kind, flags = int.from_bytes(header[:3], "big"), header[3], header[4]
            number, payload = int.from_bytes(header[5:], "big"), stream.read(size)
            if kind == 4 and not flags & 1:
                connection.sendall(frame(4, 1, 0))
            if kind == 0:
                body += payload
                if flags & 1:
                    messages.append(gzip.decompress(body[5:]) if body[0] else body[5:])
                    connection.sendall(frame(1, 5, number, head))

    for port in range(20000 + os.getpid() % 9000, 32768):
        try:
            server = socket.create_server(("127.0.0.1", port))
            break
        except OSError:
            continue

    def accept():
        with contextlib.suppress(OSError):
            while True:
                serve(server.accept()[0])
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}", messages
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def check_core(program):
    data = json.loads(run(program))
    resource = data["resourceSpans"][0]
    attributes = {item["key"]: item["value"] for item in resource["resource"]["attributes"]}
    expect(attributes["service.name"] == {"stringValue": "consumer"}, f"core: resource {attributes}")
    spans = {span["name"]: span for span in resource["scopeSpans"][0]["spans"]}
    expect(set(spans) == {"outer", "inner"}, f"core: spans {sorted(spans)}")
    expect(spans["inner"]["parentSpanId"] == spans["outer"]["spanId"], "core: inner is not the child of outer")


def check_console(program):
    shown = run(program)
    for text in ("checkout", "charge card", "error: declined", "order.id=7"):
        expect(text in shown, f"console: no '{text}' in\n{shown}")


def check_sent(program, name, *arguments, **variables):
    with collector() as (address, bodies):
        run(program, *[argument.format(address) for argument in arguments],
            **{key: value.format(address) for key, value in variables.items()})
        expect([path for path, _ in bodies] == ["/v1/traces"], f"{program}: requests {[path for path, _ in bodies]}")
        expect(name.encode() in bodies[0][1], f"{program}: the span is not in what it sent")


def check_programs(folder, names=tuple(PROGRAMS)):
    for name in names:
        program = pathlib.Path(folder) / name
        if name == "core":
            check_core(program)
        elif name == "console":
            check_console(program)
        elif name == "grpc":
            with grpc_collector() as (address, messages):
                run(program, address)
                expect(len(messages) == 1 and b"sent by grpc" in messages[0], f"grpc: arrived {messages}")
        elif name == "http":
            check_sent(program, "sent by http", "{}")
        else:
            check_sent(program, "sent by runtime", TRACER_TYPE="opentelemetry", OTLP_ENDPOINT="{}")
            expect("TRACER_SAMPLING_RATE" in run(program, fails=True, TRACER_SAMPLING_RATE="often"),
                   "runtime: a wrong value is not named")


def project(folder, kind, programs=tuple(PROGRAMS)):
    """A copy of one of the projects here, with the programs beside its build file."""
    copy = pathlib.Path(folder) / "project"
    shutil.copytree(HERE / kind, copy)
    for name in programs:
        shutil.copy(PROGRAMS[name], copy / f"{name}.cpp")
    return copy


# ----------------------------------------------------------------------------------------------------------- the ways


def files(options, temporary):
    prefix = installed(options)
    ours = {path.relative_to(ROOT / "include"): path for path in (ROOT / "include" / "fulgurite").rglob("*.hpp")}
    theirs = {path.relative_to(prefix / "include"): path for path in (prefix / "include").rglob("*") if path.is_file()}
    expect(set(ours) == set(theirs), f"headers: only here or only installed: {sorted(set(ours) ^ set(theirs))}")
    for name, path in ours.items():
        expect(path.read_bytes() == theirs[name].read_bytes(), f"{name} is installed with another content")

    others = sorted(path.relative_to(prefix) for path in prefix.rglob("*")
                    if path.is_file() and path.relative_to(prefix).parts[0] != "include")
    names = ["fulgurite-config-version.cmake", "fulgurite-config.cmake", "fulgurite-fmt.pc", "fulgurite-grpc.pc", "fulgurite-hana.pc",
             "fulgurite-http.pc", "fulgurite-runtime.pc", "fulgurite.pc", "libfulgurite-runtime.a"]
    expect(sorted(path.name for path in others) == names, f"installed besides headers: {[str(path) for path in others]}")
    for path in others:
        if path.suffix != ".a":
            text = (prefix / path).read_text()
            expect(str(ROOT) not in text.replace(str(prefix), ""), f"{path} has a path of the build in it")
            expect("@" not in re.sub(r"#.*", "", text), f"{path} has something that was not filled in")

    version = options.version
    for package in (name[:-3] for name in names if name.endswith(".pc")):
        says = run("pkg-config", "--modversion", package, PKG_CONFIG_PATH=pkg_config_path(prefix)).strip()
        expect(says == version, f"pkg-config --modversion {package}: {says}, the project has {version}")
        run("pkg-config", "--validate", package, PKG_CONFIG_PATH=pkg_config_path(prefix))
    program = temporary / "version"
    source = program.with_suffix(".cpp")
    source.write_text("#include <fulgurite/fulgurite.hpp>\n#include <cstdio>\n"
                      "int main() { std::puts(fulgurite::library_version); }\n")
    run(options.cxx, "-std=c++20", "-I", prefix / "include", "-pthread", source, "-o", program)
    says = run(program).strip()
    expect(says == version, f"fulgurite::library_version: {says}, the project has {version}")
    said = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M).group(1)
    expect(said in (version, "Unreleased"), f"CHANGELOG.md begins with {said}, the project has {version}")

    # A staged installation, as packagers make it: the same files, and nothing knows the stage.
    run("meson", "install", "-C", pathlib.Path(options.work) / "build", "--no-rebuild", "--destdir", temporary / "stage")
    stage = temporary / "stage" / prefix.relative_to("/")
    staged = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    expect(staged == sorted(path.relative_to(prefix) for path in prefix.rglob("*") if path.is_file()),
           "--destdir installs other files")
    for path in staged:
        expect(str(temporary).encode() not in (stage / path).read_bytes(), f"{path} knows the stage")


def plain(options, temporary):
    copied = temporary / "copied"
    shutil.copytree(ROOT / "include", copied)
    copy = project(temporary, "make", ["core"])
    run("make", "core", f"INCLUDE={copied}", cwd=copy, CXX=options.cxx)
    check_programs(copy, ["core"])
    says = run(options.cxx, "-std=c++17", "-I", copied, "-fsyntax-only", copy / "core.cpp", fails=True)
    expect("C++20" in next(line for line in says.splitlines() if "error" in line),
           "without -std=c++20 the first error does not say what is missing:\n" + "\n".join(says.splitlines()[:8]))


def pkg_config(options, temporary):
    need("make", "pkg-config")
    path = pkg_config_path(installed(options))
    copy = project(temporary, "make")
    run("make", cwd=copy, CXX=options.cxx, PKG_CONFIG_PATH=path)
    check_programs(copy, ["console", "http", "grpc", "runtime"])
    run("pkg-config", "--exists", "fulgurite >= 0.1", PKG_CONFIG_PATH=path)
    run("pkg-config", "--exists", "fulgurite >= 999", PKG_CONFIG_PATH=path, fails=True)


def cmake(options, temporary):
    need("cmake", "make", "pkg-config")
    prefix = installed(options)
    copy = project(temporary, "cmake")

    def configure(where, *arguments, fails=False, prefix=prefix):
        return run("cmake", "-S", copy, "-B", temporary / where, f"-DCMAKE_PREFIX_PATH={prefix}",
                   f"-DCMAKE_CXX_COMPILER={options.cxx}", *arguments, fails=fails)

    says = configure("build", "-DMAYBE=agent")
    expect(f"found fulgurite {options.version}" in says, f"cmake found another version:\n{says}")
    run("cmake", "--build", temporary / "build", "--parallel", "2")
    check_programs(temporary / "build")

    def refused(where, why, *arguments):
        # CMake wraps the text to the width of a terminal.
        answer = " ".join(configure(where, *arguments, fails=True).split())
        expect(why in answer, f"cmake {' '.join(arguments)}: no '{why}' in\n{answer}")

    refused("part", "there is no component 'htpp': fulgurite has fmt, http, grpc, hana, runtime", "-DPARTS=fmt;htpp")
    major, minor, _ = (int(number) for number in options.version.split("."))
    for version in (f"{major}.{minor + 1}", f"{major + 1}.0", f"{options.version}.1", f"{major}.{minor + 1}...{major + 2}"):
        refused("version", f'requested version "{version}"' if "..." not in version else "requested version range",
                f"-DVERSION={version}")
    for version in (options.version, f"{major}.{minor}...{major + 1}.0", "0.0...<99"):
        configure("version", f"-DVERSION={version}")

    # The package may be moved.
    moved = temporary / "moved"
    shutil.copytree(prefix, moved)
    configure("moved_build", prefix=moved)
    flags = "".join(path.read_text() for path in (temporary / "moved_build").rglob("flags.make"))
    expect(f"{moved}/include" in flags and f"{prefix}/include" not in flags, "a moved package is not found where it is")


def meson(options, temporary):
    path = pkg_config_path(installed(options))
    copy = project(temporary, "meson")
    shutil.rmtree(copy / "subprojects")
    run("meson", "setup", temporary / "build", copy, CXX=options.cxx, PKG_CONFIG_PATH=path)
    run("ninja", "-C", temporary / "build", "-j", "2", PKG_CONFIG_PATH=path)
    check_programs(temporary / "build")


def subproject(options, temporary):
    parts = ["core", "console"]
    copy = project(temporary, "meson", parts)
    below = copy / "subprojects" / "fulgurite"
    below.mkdir()
    for name in ("meson.build", "meson_options.txt"):
        shutil.copy(ROOT / name, below)
    shutil.copytree(ROOT / "include", below / "include")
    (below / "subprojects").mkdir()
    for wrap in (ROOT / "subprojects").glob("*.wrap"):
        shutil.copy(wrap, below / "subprojects")
    says = run("meson", "setup", temporary / "build", copy, "--wrap-mode=nodownload", f"-Dprograms={','.join(parts)}",
               CXX=options.cxx, PKG_CONFIG_PATH="")
    expect("WARNING" not in says, f"meson warns:\n{says}")
    run("ninja", "-C", temporary / "build", "-j", "2")
    check_programs(temporary / "build", parts)
    expect(not list((temporary / "build").rglob("libfulgurite-runtime.a")),
           "the runtime library is built though nothing uses it")


def single_header(options, temporary):
    (temporary / "fulgurite.hpp").write_text(run(sys.executable, ROOT / "include" / "amalgamate.py"))
    (temporary / "core.hpp").write_text(run(sys.executable, ROOT / "include" / "amalgamate.py", "fulgurite.hpp"))
    for name, header, flags in (("console", "fulgurite.hpp", ["-lfmt"]), ("core", "core.hpp", [])):
        text = re.sub(r"#include <fulgurite/[^\n]*\n", "", PROGRAMS[name].read_text())
        (temporary / f"{name}.cpp").write_text(f'#include "{header}"\n{text}')
        run(options.cxx, "-std=c++20", *STRICT, "-I", temporary, "-pthread", temporary / f"{name}.cpp", "-o",
            temporary / name, *flags)
    check_programs(temporary, ["core", "console"])


def two_versions(options, temporary):
    later = temporary / "later"
    shutil.copytree(ROOT / "include", later)
    for header in later.rglob("*.hpp"):
        text = re.sub(r"(?<!/)\bv1\b", "v2", header.read_text().replace("fulgurite_v1_", "fulgurite_v2_"))
        header.write_text(re.sub(r'(library_version = )"[^"]*"', r'\1"later"', text))
    text = PROGRAMS["core"].read_text()
    # Each prints its own trace, while the other's span is current on the same thread.
    (temporary / "first.cpp").write_text(text.replace("int main()", "int second();\nint main()").replace(
        '    auto inner', '    if (second() != 0) return 1;\n    auto inner'))
    (temporary / "second.cpp").write_text(text.replace("int main()", "int second()").rstrip()[:-1] + "  return 0;\n}\n")
    for name, include in (("first", ROOT / "include"), ("second", later)):
        run(options.cxx, "-std=c++20", "-I", include, "-c", temporary / f"{name}.cpp", "-o", temporary / f"{name}.o")
    run(options.cxx, temporary / "first.o", temporary / "second.o", "-pthread", "-o", temporary / "both")
    traces = [json.loads(line) for line in run(temporary / "both").splitlines()]
    expect(len(traces) == 2, f"{len(traces)} traces instead of one of each version")
    for trace in traces:
        names = sorted(span["name"] for span in trace["resourceSpans"][0]["scopeSpans"][0]["spans"])
        expect(names == ["inner", "outer"], f"a version's trace has the spans {names}")


def main():
    ways = {way.__name__: way for way in (files, plain, pkg_config, cmake, meson, subproject, single_header,
                                          two_versions)}
    parser = argparse.ArgumentParser()
    for name in ("cxx", "work", "version"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("way", choices=ways)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            ways[options.way](options, pathlib.Path(temporary).resolve())
    except Wrong as wrong:
        print(wrong)
        sys.exit(1)
    print(f"{options.way}: all is well")


if __name__ == "__main__":
    main()
