#!/usr/bin/env python3
"""Our AWS signatures are those of AWS's test suites and of botocore, and botocore's credentials are ours.

    sigv4_reference.py PROGRAM [--seed N] [--count N]

PROGRAM is tests/integration/sigv4_reference.cpp compiled. Four parts:

* AWS's test suite as botocore's source distribution has it (34 cases), byte by byte. The distribution is downloaded once
  with pip and kept in ${XDG_CACHE_HOME:-~/.cache}/fulgurite; nothing in it is run.
* The newer suite of aws-c-auth (38 cases), where ../shared/vectors/sigv4 lies beside the checkout. Both suites also have
  signatures in the query, which we do not make.
* Generated requests, signed by us and by botocore; and requests that we really send, compressed, to a server that checks
  them with botocore. It must refuse each one of which a part was changed after it was signed.
* Credentials from the environment, from generated files, and from a container's endpoint, found by us and by botocore.

Exit status: 0 equal, 1 different, 77 package or distribution missing (PyPI: botocore).
"""
import argparse
import base64
import contextlib
import datetime
import gzip
import hashlib
import hmac
import io
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
from email.utils import formatdate
from urllib.parse import quote

try:
    import botocore.auth
    import botocore.credentials
    import botocore.session
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package botocore is needed")
    sys.exit(77)

import proofs
from backend import Handler, Server, free_port

SDIST = ("1.44.8", "945b783c1a1259e2a8b078f3f3dd40fae32ea84ab01d3a9953af6b378da7108a")  # version, SHA-256
THEN = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc)
ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--seed", type=int, default=20150830)
parser.add_argument("--count", type=int, default=3000)
arguments = parser.parse_args()
chance = random.Random(arguments.seed)
problems = 0


def check(what, is_, want):
    global problems
    if is_ == want:
        return True
    problems += 1
    if problems <= 5:
        print(f"{what}:\n  is       {is_!r}\n  expected {want!r}")
    return False


# ------------------------------------------------------------------------------------------------------------- signing

def request_line(method, target, headers, body=b"", token="", region="us-east-1", service="service", normalize=True,
                 add_hash=False, time=THEN):
    def hexed(text):
        return (text if isinstance(text, bytes) else text.encode()).hex()
    words = [f"{name}={hexed(value)}" for name, value in (
        ("method", method), ("target", target), ("id", ID), ("secret", SECRET), ("token", token), ("region", region),
        ("service", service), ("body", body))]
    words += [f"time={int(time.timestamp())}", f"normalize={int(normalize)}", f"hash={int(add_hash)}"]
    # X-Amz-Date is for the signer to set.
    words += [f"h:{name}={hexed(value)}" for name, value in headers if name.lower() != "x-amz-date"]
    return " ".join(words)


def sign(lines):
    """For each line the canonical request, the string to sign, and the headers to add."""
    done = subprocess.run([arguments.program, "sign"], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          check=True)
    for answer in done.stdout.splitlines():
        canonical, to_sign, added = answer.split("\t")
        yield (bytes.fromhex(canonical).decode(), bytes.fromhex(to_sign).decode(),
               {name: bytes.fromhex(value).decode() for name, _, value in
                (word.partition("=") for word in added.split())})


def parse_request(raw):
    """A request of a suite: its path may hold spaces, its header values line ends."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *lines = head.rstrip(b"\n").split(b"\n")
    method, target = first[:first.rindex(b" ")].split(b" ", 1)
    headers = []
    for line in lines:
        if line[:1] in b" \t":
            headers[-1][1] += b"\n" + line
        else:
            name, _, value = line.partition(b":")
            headers.append([name.decode(), value])
    return method.decode(), target, headers, body


def source_distribution():
    """The pinned distribution's bytes, or None where there is none to be had."""
    version, digest = SDIST
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fulgurite"
    file = cache / f"botocore-{version}.tar.gz"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            # pip asks the distribution for its metadata, which it does in an environment of its own.
            got = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                                  "--no-deps", "--no-binary", "botocore", "--dest", folder, f"botocore=={version}"],
                                 capture_output=True, text=True)
            if got.returncode != 0:
                print("the source distribution could not be downloaded: " + got.stderr[-500:])
                return None
            os.replace(pathlib.Path(folder) / file.name, file)
    octets = file.read_bytes()
    if hashlib.sha256(octets).hexdigest() != digest:
        sys.exit(f"{file} is not what it was when it was pinned")
    return octets


def compare_with_suite_of_botocore():
    octets = source_distribution()
    if octets is None:
        return 0
    cases = {}
    with tarfile.open(fileobj=io.BytesIO(octets)) as archive:
        for member in archive:
            found = re.search(r"/aws4_testsuite/(.+)/[^/]+\.(req|creq|sts|authz)$", member.name)
            if found and member.isfile():
                cases.setdefault(found[1], {})[found[2]] = archive.extractfile(member).read().replace(b"\r", b"")
    lines = []
    for name, files in sorted(cases.items()):
        method, target, headers, body = parse_request(files["req"])
        token = re.search(rb"^x-amz-security-token:(.*)$", files["creq"], re.M)
        has_token = any(header.lower() == "x-amz-security-token" for header, _ in headers)
        lines.append(request_line(method, target, headers, body, token[1] if token and not has_token else ""))
    for (name, files), (canonical, to_sign, added) in zip(sorted(cases.items()), sign(lines)):
        check(f"botocore's suite, {name}: canonical request", canonical, files["creq"].decode())
        check(f"botocore's suite, {name}: string to sign", to_sign, files["sts"].decode())
        check(f"botocore's suite, {name}: Authorization", added["Authorization"], files["authz"].decode())
    assert len(cases) == 34, len(cases)
    return len(cases)


def compare_with_suite_of_aws_c_auth():
    folder = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "vectors" / "sigv4"
    if not folder.is_dir():
        return 0
    cases = sorted(path for path in folder.iterdir() if path.is_dir())
    lines = []
    for case in cases:
        context = json.loads((case / "context.json").read_text())
        raw = (case / "request.txt").read_bytes()
        method, target, headers, body = parse_request(raw)
        credentials = context["credentials"]
        assert (credentials["access_key_id"], credentials["secret_access_key"]) == (ID, SECRET)
        # Left out: the token's header is added after the rest was signed.
        token = "" if context.get("omit_session_token") else credentials.get("token", "")
        lines.append(request_line(
            method, target, headers, body, token, context["region"], context["service"], context["normalize"],
            context["sign_body"], datetime.datetime.fromisoformat(context["timestamp"].replace("Z", "+00:00"))))
    for case, (canonical, to_sign, added) in zip(cases, sign(lines)):
        def text(name):
            return (case / name).read_text()
        check(f"{case.name}: canonical request", canonical, text("header-canonical-request.txt"))
        check(f"{case.name}: string to sign", to_sign, text("header-string-to-sign.txt"))
        authorization = re.search(r"^Authorization:(.*)$", text("header-signed-request.txt"), re.M)[1]
        check(f"{case.name}: Authorization", added["Authorization"], authorization)
        check(f"{case.name}: signature", added["Authorization"][-64:], text("header-signature.txt"))
    assert len(cases) == 38, len(cases)
    return len(cases)


@contextlib.contextmanager
def botocore_at(time):
    before = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *_, **__: time
    try:
        yield
    finally:
        botocore.auth.get_current_datetime = before


def compare_generated():
    def text(alphabet, most, least=0):
        return "".join(chance.choice(alphabet) for _ in range(chance.randint(least, most)))

    letters = "abcxyzABCXYZ0129-._~"
    lines, expected = [], []
    for _ in range(arguments.count):
        segments = [chance.choice(["", ".", "..", text(letters, 5, 1), text(letters + "!$&'()*+,;=:@%", 6),
                                   quote(text("ä/ %?#é€😀a", 4), safe="")]) for _ in range(chance.randint(0, 6))]
        path = "/" + "/".join(segments)
        # In the query botocore takes the encoding as it is, so it has to be the canonical one.
        query = "&".join(quote(text(letters + " /+&=%ä", 5, 1), safe="-_.~") +
                         chance.choice(["=", "=" + quote(text(letters + " /+&=%ä", 6), safe="-_.~")])
                         for _ in range(chance.randint(0, 4)))
        target = path + ("?" + query if query else "")
        method = chance.choice(["GET", "POST", "PUT"])
        names = ["Content-Type", "X-Amz-Meta-" + text("abAB", 2, 1), "x-amz-meta-a", "My-Header", "User-Agent",
                 "Transfer-Encoding", "content-encoding"]
        if "traceparent" in botocore.auth.SIGNED_HEADERS_BLACKLIST:  # not in older versions
            names.append("Traceparent")
        headers = [(name, text(" \tabc\"',;:", 12)) for name in names if chance.random() < 0.4]
        headers.append(("Host", "example.amazonaws.com"))
        chance.shuffle(headers)
        body = chance.randbytes(chance.choice([0, 1, 1000]))
        token = base64.b64encode(chance.randbytes(12)).decode() if chance.random() < 0.5 else ""
        region, service = chance.choice(["eu-west-1", "us-gov-west-1"]), chance.choice(["xray", "sts"])
        time = THEN + datetime.timedelta(seconds=chance.randrange(10 ** 9))
        lines.append(request_line(method, target, headers, body, token, region, service, time=time))
        request = AWSRequest(method=method, url="https://example.amazonaws.com" + target, data=body)
        for name, value in headers:
            request.headers[name] = value
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(ID, SECRET, token or None), service, region)
        with botocore_at(time):
            auth.add_auth(request)
        expected.append(request.headers["Authorization"])
    answers = list(sign(lines))
    assert len(answers) == len(lines)
    for line, want, (canonical, _, added) in zip(lines, expected, answers):
        if not check("generated request", added["Authorization"], want) and problems <= 5:
            print(canonical)
    return len(lines)


# ------------------------------------------------------------------------------------------------------------- sending

class Service(Handler):
    """Takes what botocore would have signed as it came, by a clock that the test sets."""

    clock = THEN
    token = None
    expected_body = b""
    region = "eu-west-1"
    seen = []

    def date_time_string(self, timestamp=None):
        return formatdate(self.clock.timestamp(), usegmt=True)

    def received(self, body):
        refusal = self.refusal(body)
        self.seen.append(refusal)
        return 403 if refusal else 200

    def refusal(self, body):
        credential = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[^/]+/[^/]+/aws4_request), SignedHeaders=([a-z0-9;-]+), "
            r"Signature=([0-9a-f]{64})", self.headers["Authorization"] or "")
        if not credential:
            return "form"
        date = self.headers["X-Amz-Date"]
        if credential[1] != ID or credential[2] != f"{date[:8]}/{self.region}/xray/aws4_request":
            return "scope"
        names = credential[3].split(";")
        if not {"host", "x-amz-date", "content-type", "content-encoding", "x-amz-content-sha256"} <= set(names):
            return "what is signed"
        if {name.lower() for name in self.headers if name.lower().startswith("x-amz-")} - set(names):
            return "x-amz- header that is not signed"
        sent = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        request = AWSRequest(method=self.command, url=f"http://{self.headers['Host']}{self.path}", data=body)
        for name in names:
            for value in self.headers.get_all(name):
                request.headers[name] = value
        # What is compared is the body, not what the request says of it.
        del request.headers["X-Amz-Content-Sha256"]
        said = self.headers["X-Amz-Content-Sha256"]
        if said != hashlib.sha256(body).hexdigest():
            return "content hash"
        request.headers["X-Amz-Content-Sha256"] = said
        request.context["timestamp"] = date
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(ID, SECRET, self.token), "xray", self.region)
        right = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not hmac.compare_digest(right, credential[4]):
            return "signature"
        if self.token != self.headers["X-Amz-Security-Token"]:
            return "token"
        if abs((sent - self.clock).total_seconds()) > 300:
            return "time"
        if gzip.decompress(body) != self.expected_body:
            return "body"
        return None


def environment(**more):
    """This process's, without anything of AWS's, and what is given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**clean, "HOME": "/nowhere", **more}


def send(url, lines, **variables):
    """For each line (what to change, this machine's time) the statuses of its attempts, and why each was refused."""
    Service.seen = []
    text = "".join(f"{how} {int(now.timestamp())} {Service.expected_body.hex()}\n" for how, now in lines)
    done = subprocess.run([arguments.program, "send", url, Service.region], input=text, capture_output=True, text=True,
                          env=environment(AWS_ACCESS_KEY_ID=ID, AWS_SECRET_ACCESS_KEY=SECRET, **variables), check=True)
    return [line.split() for line in done.stdout.splitlines()], Service.seen


def compare_sent():
    port = free_port(24600)
    server = Server(port, Service)
    threading.Thread(target=server.serve, daemon=True).start()
    Service.expected_body = chance.randbytes(3000) + b"span " * 20000
    sent = 0
    try:
        for path in ("/v1/traces", "/", "/a%20b//c/../d%2Fe/?x=1&b=%2F&x=0"):
            url = f"http://127.0.0.1:{port}{path}"
            for Service.token in (None, "session/token=="):
                variables = {"AWS_SESSION_TOKEN": Service.token} if Service.token else {}
                fine = ["none", "user-agent"]
                wrong = {"body": "content hash", "hash": "content hash", **dict.fromkeys(
                    ("body-and-hash", "path", "query", "header", "date", "host", "signature"), "signature")}
                if Service.token:
                    wrong["token"] = "signature"
                answers, seen = send(url, [(how, THEN) for how in fine + list(wrong)], **variables)
                check(f"{path}: statuses", answers, [["200"]] * len(fine) + [["403"]] * len(wrong))
                check(f"{path}: refused for", seen, [None] * len(fine) + list(wrong.values()))
                sent += len(seen)
        # A clock that is an hour off: one attempt is lost to it, and none after that.
        for off in (-3600, 3600):
            now = THEN + datetime.timedelta(seconds=off)
            answers, seen = send(url, [("none", now), ("none", now), ("signature", now)], AWS_SESSION_TOKEN=Service.token)
            check("clock off", answers, [["403", "200"], ["200"], ["403"]])
            check("clock off: refused for", seen, ["time", None, None, "signature"])
            sent += len(seen)
        # Four minutes are within what is allowed.
        answers, _ = send(url, [("none", THEN + datetime.timedelta(seconds=240))], AWS_SESSION_TOKEN=Service.token)
        check("clock a little off", answers, [["200"]])
        return sent + 1
    finally:
        server.stop()


# --------------------------------------------------------------------------------------------------------- credentials

def ours(variables, times):
    done = subprocess.run([arguments.program, "credentials"], input=" ".join(map(str, times)) + "\n",
                          capture_output=True, text=True, env=environment(**variables), check=True)
    answers = []
    for line in done.stdout.splitlines():
        first, *rest = line.split(" ")
        if first == "-":
            answers.append(("-", bytes.fromhex(rest[0]).decode()))
        else:
            answers.append(tuple(bytes.fromhex(part).decode() for part in [first, *rest]))
    return answers


def botocores(variables):
    """What a session of botocore finds; a problem's text where it finds none."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(AWS_EC2_METADATA_DISABLED="true", **variables))
    try:
        found = botocore.session.Session().get_credentials()
        if found is None:
            return ("-", "none")
        frozen = found.get_frozen_credentials()
        return (frozen.access_key, frozen.secret_key, frozen.token or "")
    except (BotoCoreError, ValueError) as problem:
        return ("-", str(problem))
    finally:
        os.environ.clear()
        os.environ.update(before)


def compare_files():
    """Generated files and environments. Both find the same, or both find none."""
    def settings(name, indentation):
        lines = []
        for key in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region", "s3"):
            if chance.random() < (0.9 if "key" in key else 0.4):
                value = base64.b64encode(f"{name} {key} {chance.random()}".encode()).decode()
                if chance.random() < 0.1:
                    key = key.upper()
                equals = chance.choice(["=", " = ", "=  ", "\t=\t"])
                if key == "s3":
                    lines += [f"{indentation}s3 =", f"{indentation}    aws_access_key_id = nested"]
                else:
                    lines.append(indentation + key + equals + value + chance.choice(["", "", " "]))
            if chance.random() < 0.2:
                lines.append(chance.choice(["", "# aws_access_key_id = no", "; no", "  # indented"]))
        return lines

    found, none, corrected = 0, 0, 0
    names = ["default", "a", "b-2", "with space"]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(200):
            variables = {}
            for variable, kind in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
                lines = [chance.choice(["", "# first"])]
                for name in chance.sample(names, chance.randint(0, 4)):
                    heading = name
                    if kind == "config" and name != "default":
                        heading = f'profile "{name}"' if " " in name or chance.random() < 0.2 else f"profile {name}"
                    lines.append(f"[{heading}]" + chance.choice(["", "", " "]))
                    lines += settings(name, chance.choice(["", "", "  "]))
                variables[variable] = os.path.join(folder, kind)
                with open(variables[variable], "w", newline=chance.choice(["\n", "\r\n"])) as file:
                    file.write("\n".join(lines) + chance.choice(["", "\n"]))
            if chance.random() < 0.7:
                variables["AWS_PROFILE"] = chance.choice(names + ["missing"])
            if chance.random() < 0.2:
                variables["AWS_ACCESS_KEY_ID"] = "from the environment"
                if chance.random() < 0.8:
                    variables["AWS_SECRET_ACCESS_KEY"] = "secret of the environment"
                if chance.random() < 0.5:
                    variables["AWS_SESSION_TOKEN"] = "token of the environment"
            want, (is_,) = botocores(variables), ours(variables, [0])
            if is_[0] == "from the environment" and "could not be found" in want[1]:
                # botocore wants a profile that is named to be there, even where the environment comes first.
                corrected += 1
            elif want[0] == "-":
                none += 1
                check("no credentials", is_[0], "-")
                # Nobody reads a secret in what is said about it.
                for file in ("credentials", "config"):
                    for line in open(os.path.join(folder, file)):
                        value = line.partition("=")[2].strip()
                        if len(value) > 20 and value in is_[1]:
                            check("a problem's text", is_[1], "nothing out of the file")
            else:
                found += 1
                check(f"credentials of {variables}", is_, want)
    assert found > 40 and none > 20 and corrected > 0, (found, none, corrected)
    return found + none + corrected


class Container(Handler):
    """A container's endpoint, one answer after the other."""

    answers = []
    asked = []

    def do_GET(self):
        self.asked.append((self.path, self.headers["Authorization"]))
        status, document = self.answers[min(len(self.asked), len(self.answers)) - 1]
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def compare_container():
    start = 4_000_000_000  # botocore reads the real clock: far enough ahead of it that nothing has expired

    def document(name, expires):
        when = datetime.datetime.fromtimestamp(start + expires, datetime.timezone.utc)
        return {"RoleArn": "arn:aws:iam::1:role/r", "AccessKeyId": name, "SecretAccessKey": f"secret/of+{name}",
                "Token": f"token of {name} \u20ac", "Expiration": when.strftime("%Y-%m-%dT%H:%M:%SZ")}

    port = free_port(24700)
    server = Server(port, Container)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        with tempfile.NamedTemporaryFile("w") as token_file:
            token_file.write("token of the file")
            token_file.flush()
            variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}/role?a=b",
                         "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not asked for"}
            for more, authorization in (({}, "not asked for"),
                                        ({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token_file.name},
                                         "token of the file")):
                Container.answers, Container.asked = [(200, document("first", 3600))], []
                want, (is_,) = botocores({**variables, **more}), ours({**variables, **more}, [start])
                check("container", is_, want)
                check("container", is_[0], "first")
                check("container: both ask the same", Container.asked, [("/role?a=b", authorization)] * 2)
        # Renewed five minutes before the end; while that fails the old ones are used until they expire.
        Container.asked = []
        Container.answers = [(200, document("first", 3600)), (500, {}), (200, document("second", 7200)), (503, {})]
        answers = ours(variables, [start + after for after in (0, 3299, 3300, 3305, 3310, 6899, 7199, 7200)])
        check("renewal", [answer[0] for answer in answers],
              ["first", "first", "first", "first", "second", "second", "second", "-"])
        check("renewal: asked", len(Container.asked), 5)
        # Plain HTTP to another machine is not asked, by either.
        variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://192.0.2.1/role"
        check("another machine, botocore", botocores(variables)[0], "-")
        check("another machine", "plain http to another machine" in ours(variables, [start])[0][1], True)
        return 5
    finally:
        server.stop()


of_botocore = compare_with_suite_of_botocore()
of_aws_c_auth = compare_with_suite_of_aws_c_auth()
print(f"suites: {of_botocore} cases of botocore's distribution, {of_aws_c_auth} of aws-c-auth")
of_requests = {"generated requests": compare_generated(), "requests sent": compare_sent()}
of_credentials = {"credentials of files and variables": compare_files(), "credentials of a container": compare_container()}
print(", ".join(f"{what} {count}" for what, count in {**of_requests, **of_credentials}.items()))
print(f"{problems} problem(s)")
if problems:
    sys.exit(1)
if not of_botocore:
    print("skipped: the rest is equal, but there was no source distribution of botocore to take AWS's suite from")
    sys.exit(77)
compared = {"AWS's test suite": of_botocore, **of_requests, **of_credentials}
sys.exit(proofs.reference("xray", ["botocore"], [what for what, count in compared.items() if count]))
