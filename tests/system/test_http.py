# SPDX-License-Identifier: Apache-2.0
"""The HTTP server (apps/http) and its example (apps/hello-api): real clients, and clients that are slow, wrong or gone; as Linux
processes on a tap (also under the sanitizers), and in QEMU."""
import contextlib, json, os, random, re, resource, signal, socket, ssl, struct, subprocess, tempfile, threading, time
from harness import GODWIT, ROOT, Skip, equal, free_port, need, test, true
from netlab import Child
from test_native import Hosted, TapLab, app, cores_for_two, finish

ADDR = "10.9.0.2"
BIG = random.Random(7).randbytes(3_000_000)
TLS = ["--tls", ":443", "--cert", "cert.pem", "--key", "key.pem"]


@contextlib.contextmanager
def site():
    """A folder for --files: pages, and a certificate beside them."""
    with tempfile.TemporaryDirectory() as d:
        os.makedirs(f"{d}/www/sub/deep")
        for name, data in (("index.html", b"<h1>home</h1>\n"), ("sub/index.html", b"sub\n"), ("sub/a b.txt", b"spaced\n"), ("big.bin", BIG),
                           ("empty.css", b""), ("sub/deep/x.json", b"{}")):
            with open(f"{d}/www/{name}", "wb") as f:
                f.write(data)
            os.utime(f"{d}/www/{name}", (1_000_000_000, 1_000_000_000))
        with open(f"{d}/secret", "w") as f:
            f.write("nobody's business\n")
        openssl = need("openssl")
        subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem",
                        "-subj", "/CN=godwit.test", "-days", "2"], check=True, capture_output=True)
        subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        f"{d}/ec-key.pem", "-out", f"{d}/ec-cert.pem", "-subj", "/CN=godwit.test", "-days", "2"], check=True,
                       capture_output=True)
        yield d


@contextlib.contextmanager
def server(*args, program="http", asan=False, cores=None, more=(), port=80):
    """The server on a tap: (namespace, process, folder)."""
    with site() as d, TapLab(queues=cores.count(",") + 1 if cores else 1) as ns:
        options = TapLab.OPTIONS + ["--files", d, *(["--cores", cores] if cores else []), *more]
        with Hosted(ns, app(program, asan), *args, options=options) as h:
            end = time.monotonic() + 20
            while True:
                true(h.p.poll() is None, f"the server ended: {''.join(h.err)[-2000:]}")
                try:
                    connect(ns, port).close()
                    break
                except OSError:
                    true(time.monotonic() < end, "the server does not listen")
                    time.sleep(0.05)
            yield ns, h, d
            if h.p.poll() is None:
                h.end()


def connect(ns, port=80, timeout=10, addr=ADDR):
    with ns.inside():
        s = socket.socket()
    s.settimeout(timeout)
    try:
        s.connect((addr, port))
    except OSError:
        s.close()
        raise
    return s


def curl(ns, *words, timeout=30):
    status, out, err = finish(need("curl"), "-sS", "--max-time", str(timeout - 5), *words, timeout=timeout, ns=ns)
    true(status == 0, f"curl {' '.join(words)}: {status} {err}")
    return out


def curl_bytes(ns, *words):
    p = subprocess.run(ns.command(need("curl"), "-sSk", "--max-time", "25", *words), capture_output=True, timeout=40)
    true(p.returncode == 0, f"curl {' '.join(words)}: {p.returncode} {p.stderr!r}")
    return p.stdout


class Answers:
    """Responses read from a socket, checked byte by byte."""

    def __init__(self, s):
        self.s, self.buf = s, b""

    def line(self):
        while b"\r\n" not in self.buf:
            part = self.s.recv(65536)
            if not part:
                raise EOFError(f"the end in {self.buf!r}")
            self.buf += part
        line, self.buf = self.buf.split(b"\r\n", 1)
        true(b"\n" not in line and b"\r" not in line, f"bare CR or LF in {line!r}")
        return line

    def exactly(self, n):
        while len(self.buf) < n:
            part = self.s.recv(65536)
            if not part:
                raise EOFError(f"{len(self.buf)} of {n} bytes")
            self.buf += part
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def next(self, head=False):
        """(status, fields, body) of the next response."""
        version, status, _ = self.line().split(b" ", 2)
        equal(version, b"HTTP/1.1", "version")
        fields = {}
        while True:
            line = self.line()
            if not line:
                break
            name, value = line.split(b": ", 1)
            true(name.lower() not in fields, f"{name} twice")
            fields[name.lower().decode()] = value.decode()
        status, body = int(status), b""
        if head or status in (204, 304) or status < 200:
            pass
        elif fields.get("transfer-encoding") == "chunked":
            while True:
                n = int(self.line(), 16)
                body += self.exactly(n)
                equal(self.exactly(2), b"\r\n", "a chunk's end")
                if n == 0:
                    break
        elif "content-length" in fields:
            body = self.exactly(int(fields["content-length"]))
        else:
            equal(fields.get("connection"), "close", "a body without length")
            while True:
                part = self.s.recv(65536)
                if not part:
                    break
                self.buf += part
            body, self.buf = self.buf, b""
        return status, fields, body

    def end(self):
        true(not self.buf, f"more than was asked for: {self.buf[:200]!r}")
        try:
            equal(self.s.recv(100), b"", "the connection's end")
        except ConnectionResetError:
            pass


def ask(ns, text, head=False, port=80):
    """One request on a connection of its own."""
    with connect(ns, port) as s:
        s.sendall(text)
        return Answers(s).next(head)


def metric(ns, name, port=80):
    """The sum over all shards."""
    _, _, body = ask(ns, b"GET /metrics HTTP/1.0\r\n\r\n", port=port)
    lines = [l for l in body.decode().splitlines() if re.match(re.escape(name.split("{")[0]) + r"[{ ]", l)]
    label = name.partition("{")[2].rstrip("}")
    return sum(int(l.rsplit(" ", 1)[1]) for l in lines if label in l)


# ---- clients ----

def try_curl(ns, url):
    equal(curl_bytes(ns, f"{url}/plaintext"), b"Hello, World!")
    equal(json.loads(curl_bytes(ns, f"{url}/json")), {"message": "Hello, World!"})
    equal(curl_bytes(ns, f"{url}/"), b"<h1>home</h1>\n")
    equal(curl_bytes(ns, "-L", f"{url}/sub"), b"sub\n")
    equal(curl_bytes(ns, f"{url}/sub/a%20b.txt"), b"spaced\n")
    equal(curl_bytes(ns, f"{url}/empty.css"), b"")
    true(curl_bytes(ns, f"{url}/big.bin") == BIG, "a large file")
    true(curl_bytes(ns, "-r", "1000000-1999999", f"{url}/big.bin") == BIG[1000000:2000000], "a range")
    true(curl_bytes(ns, "-r", "-5", f"{url}/big.bin") == BIG[-5:], "the last bytes")
    with tempfile.NamedTemporaryFile() as f:
        f.write(BIG)
        f.flush()
        true(curl_bytes(ns, "--data-binary", f"@{f.name}", f"{url}/echo") == BIG, "echo; Expect: 100-continue")
        true(curl_bytes(ns, "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{f.name}", f"{url}/echo") == BIG, "echo of chunks")
        true(curl_bytes(ns, "-0", "--data-binary", f"@{f.name}", f"{url}/echo") == BIG, "echo to HTTP/1.0")
    # one connection for all
    out = curl_bytes(ns, "-w", "%{num_connects}", *[f"{url}/plaintext"] * 5).decode()
    equal(re.sub("Hello, World!", "", out), "10000", "connections made")


@test
def http_curl():
    for asan, cores in ((False, None), (True, cores_for_two())):
        with server(*TLS, asan=asan, cores=cores) as (ns, _, _):
            try_curl(ns, f"http://{ADDR}")
            try_curl(ns, f"https://{ADDR}")


@test
def http_files():
    """Types, validators, conditional requests, ranges (RFC 9110 8.8, 13, 14); nothing outside of the folder."""
    with server() as (ns, _, _):
        def get(path, *fields, method="GET"):
            lines = "".join(f + "\r\n" for f in fields)
            return ask(ns, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode(), head=method == "HEAD")

        status, f, body = get("/big.bin")
        tag, date = f["etag"], f["last-modified"]
        equal((status, f["content-type"], f["accept-ranges"], date),
              (200, "application/octet-stream", "bytes", "Sun, 09 Sep 2001 01:46:40 GMT"))
        equal(len(body), len(BIG))
        equal(get("/big.bin", method="HEAD")[:2], (200, f | {"date": get("/big.bin", method="HEAD")[1]["date"]}), "HEAD is GET without the body")
        for path, kind in (("/", "text/html; charset=utf-8"), ("/empty.css", "text/css; charset=utf-8"), ("/sub/deep/x.json", "application/json")):
            equal(get(path)[1]["content-type"], kind, path)
        for fields, want in (((f"If-None-Match: {tag}",), 304), ((f'If-None-Match: "x", W/{tag}',), 304), (("If-None-Match: *",), 304),
                             (('If-None-Match: "x"', f"If-Modified-Since: {date}"), 200), ((f"If-Modified-Since: {date}",), 304),
                             (("If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT",), 200), (("If-Modified-Since: nonsense",), 200),
                             ((f"If-Match: {tag}",), 200), (('If-Match: "x"',), 412), ((f"If-Match: W/{tag}",), 412),
                             ((f"If-Unmodified-Since: {date}",), 200), (("If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT",), 412),
                             (("Range: bytes=0-9",), 206), (("Range: bytes=9999999-",), 416), (("Range: bytes=5-1",), 200),
                             (("Range: bytes=0-1,5-6",), 200), (("Range: bytes=0-9", f"If-Range: {tag}"), 206),
                             (("Range: bytes=0-9", 'If-Range: "x"'), 200), (("Range: bytes=0-9", f"If-Range: {date}"), 206),
                             (("Range: bytes=0-9", f"If-None-Match: {tag}"), 304)):
            status, f, body = get("/big.bin", *fields)
            equal(status, want, str(fields))
            if status == 206:
                equal((f["content-range"], body), (f"bytes 0-9/{len(BIG)}", BIG[:10]), str(fields))
            if status == 416:
                equal(f["content-range"], f"bytes */{len(BIG)}")
            if status == 304:
                equal((f["etag"], "content-length" in f), (tag, False))
        equal(get("/sub?a=b")[1]["location"], "/sub/?a=b")
        for path, want in (("/../secret", 400), ("/%2e%2e/secret", 400), ("/sub/..%2f..%2f..%2fsecret", 400), ("/sub/%2e%2e/%2e%2e/secret", 400),
                           ("/..%5csecret", 404), ("/sub/../index.html", 200), ("//sub//", 200), ("/%00", 400), ("/%zz", 400), ("/nosuch", 404),
                           ("/sub/deep/", 404), ("/sub/index.html/", 404), ("/./big.bin/../empty.css", 200), ("//evil.test/..", 200)):
            equal(get(path)[0], want, path)
        equal(get("/key.pem")[0], 404, "the key")
    with site() as d:
        status, _, err = finish(GODWIT, "host", "--files", d, "--", app("http"), "--root", "", *TLS)
        true(status == 2 and "would be served" in err, f"a key below the root: {status} {err}")
        status, _, err = finish(GODWIT, "host", "--files", d, "--", app("http"), "--tls", ":443", "--cert", "cert.pem", "--key", "www/index.html2")
        true(status != 0, "no key")


@test
def http_framing():
    """RFC 9112 on a connection: what is refused is answered, and nothing behind it is looked at."""
    ok = b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n"
    evil = b"GET /json HTTP/1.1\r\nHost: x\r\n\r\n"
    with server() as (ns, _, _):
        for text, want in ((b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                           (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400), (b"GET / HTTP/1.1\nHost: a\n\n", 400), (b"\x16\x03\x01\x02\x00", 400),
                           (b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
                           (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
                           (b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                           (b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
                           (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), (b"GET /" + b"a" * 20000, 414),
                           (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 100, 431), (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 20000, 431)):
            with connect(ns) as s:
                s.sendall(text + evil)
                a = Answers(s)
                status, f, _ = a.next()
                equal((status, f.get("connection")), (want, "close"), repr(text[:60]))
                a.end()
        for text, want in ((b"BREW /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", 501), (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
                           (b"DELETE /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", 405), (b"OPTIONS /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", 204),
                           (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204), (b"TRACE /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", 405),
                           (b"POST /nosuch HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", 405),
                           (b"POST /plaintext HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", 405),
                           (b"GET http://other/plaintext HTTP/1.1\r\nHost: a\r\n\r\n", 200), (b"GET /plaintext HTTP/1.9\r\nHost: a\r\n\r\n", 200)):
            with connect(ns) as s:
                s.sendall(text + ok)
                a = Answers(s)
                status, f, _ = a.next()
                equal(status, want, repr(text))
                if want == 405:
                    true("GET, HEAD" in f["allow"] or "POST" in f["allow"], f"Allow: {f}")
                equal(a.next()[2], b"Hello, World!", f"the connection goes on after {text!r}")
        for body in (b"5\r\nhello\n0\r\n\r\n", b"x\r\n", b"10000000000000000\r\n", b"5\nhello\r\n"):  # broken chunks, before an answer began
            with connect(ns) as s:
                s.sendall(b"POST /plaintext HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + evil)
                a = Answers(s)
                equal(a.next()[0], 405)
                a.end()  # and the rest is not taken for a request
        status, f, body = ask(ns, b"GET /plaintext HTTP/1.0\r\n\r\n")
        equal((status, f["connection"], body), (200, "close", b"Hello, World!"), "HTTP/1.0")
        equal(ask(ns, b"GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")[1]["connection"], "keep-alive")


@test
def http_pipelining():
    """Many requests at once, in pieces of every size: each answer, in order."""
    with server(more=[]) as (ns, _, _):
        one = (b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n"
               b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst"
               b"HEAD /json HTTP/1.1\r\nHost: x\r\n\r\n"
               b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nsec\r\n3\r\nond\r\n0\r\nT: u\r\n\r\n"
               b"GET /json HTTP/1.1\r\nHost: x\r\n\r\n")

        def check(a):
            equal(a.next()[2], b"Hello, World!")
            equal(a.next()[2], b"first")
            equal(a.next(head=True)[1]["content-length"], "27")
            equal(a.next()[2], b"second")
            equal(a.next()[2], b'{"message":"Hello, World!"}')

        with connect(ns) as s:
            threading.Thread(target=s.sendall, args=(one * 2000,), daemon=True).start()
            a = Answers(s)
            for _ in range(2000):
                check(a)
        for step in (1, 2, 3, 7, 40, 100):
            with connect(ns) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for at in range(0, len(one), step):
                    s.sendall(one[at:at + step])
                    if step < 3:
                        time.sleep(0.001)
                check(Answers(s))
        with connect(ns) as s:  # 100 Continue comes before the body does
            s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            a = Answers(s)
            equal(a.next()[0], 100)
            s.sendall(b"abc")
            equal(a.next()[::2], (200, b"abc"))
            s.sendall(b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            equal(a.next()[:2][0], 405, "a body that nobody wants is not asked for")
            a.end()
        with connect(ns) as s:  # a half-closed connection gets its answers
            s.sendall(one)
            s.shutdown(socket.SHUT_WR)
            a = Answers(s)
            check(a)
            a.end()


@test
def http_tools():
    """wrk, ab, h2load: every answer is a good one."""
    with server(*TLS, cores=cores_for_two()) as (ns, _, _):
        for url in (f"http://{ADDR}/plaintext", f"https://{ADDR}/json"):
            status, out, err = finish(need("wrk"), "-t2", "-c20", "-d2", url, ns=ns)
            n = int(re.search(r"(\d+) requests in", out)[1])
            true(status == 0 and n > 100 and "Socket errors" not in out and "Non-2xx" not in out, f"wrk {url}: {out} {err}")
            for more in ([], ["-k"]):
                status, out, err = finish(need("ab"), "-q", "-n", "1000", "-c", "20", *more, url, ns=ns)
                true(status == 0 and re.search(r"Complete requests: +1000\n", out) and re.search(r"Failed requests: +0\n", out),
                     f"ab {more} {url}: {out} {err}")
            status, out, err = finish(need("h2load"), "--h1", "-n", "2000", "-c", "10", "-m", "16", url, ns=ns)
            true(status == 0 and "2000 succeeded, 0 failed, 0 errored, 0 timeout" in out, f"h2load {url}: {out} {err}")
        true(metric(ns, "http_requests_total{class=\"5xx\"}") == 0, "no failures")


@test
def http_tls():
    """openssl s_client: 1.2 with RSA and EC certificates and resumption; older versions and 1.3 alone are refused."""
    openssl = need("openssl")

    def s_client(ns, *words, request=b"GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        p = subprocess.run(ns.command(openssl, "s_client", "-connect", f"{ADDR}:443", "-ign_eof", *words), input=request,
                           capture_output=True, timeout=20)
        return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")

    for kind in ("", "ec-"):
        with server("--tls", ":443", "--cert", f"{kind}cert.pem", "--key", f"{kind}key.pem") as (ns, _, d):
            for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"):
                name = f"ECDHE-{'ECDSA' if kind else 'RSA'}-{cipher}"
                status, out, err = s_client(ns, "-tls1_2", "-cipher", name, "-CAfile", f"{d}/{kind}cert.pem", "-verify_return_error")
                true(status == 0 and "Hello, World!" in out and f"Cipher    : {name}" in out, f"{name}: {status} {out[-500:]} {err[-500:]}")
            for words in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_3"], ["-tls1_2", "-cipher", "AES128-SHA"]):
                true("Hello" not in s_client(ns, *words)[1], f"{words} is refused")
            status, out, _ = s_client(ns, "-tls1_2", "-reconnect", request=b"")
            true(out.count("Reused, TLSv1.2") >= 1, f"sessions are resumed: {out[-800:]}")
            for junk in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(500), b"\x16\x03\x01\xff\xff" + b"x" * 100):
                with connect(ns, 443) as s:
                    s.sendall(junk)
                    try:
                        true(b"HTTP" not in s.recv(1000), "no plain answer")
                    except OSError:
                        pass
            true(metric(ns, "http_tls_handshakes_total") >= 3, "handshakes are counted")


# ---- slow, many, gone ----

def until_closed(s, limit):
    """Seconds until the server ends the connection, and what it said."""
    start, got = time.monotonic(), b""
    s.settimeout(limit)
    try:
        while True:
            part = s.recv(65536)
            if not part:
                break
            got += part
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise AssertionError(f"still open after {limit} s: {got[-200:]!r}")
    return time.monotonic() - start, got


@test
def http_slow_clients():
    """Slow heads, bodies and readers are given up after their time, others are served all the while."""
    limits = ["--head-ms", "1500", "--stall-ms", "1500", "--idle-ms", "3000"]
    with server(*limits, *TLS) as (ns, _, _):
        quiet = [connect(ns) for _ in range(20)]
        heads = [connect(ns) for _ in range(50)]
        tls_quiet = connect(ns, 443)
        idle = connect(ns)
        idle.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")
        equal(Answers(idle).next()[0], 200)
        body = connect(ns)
        body.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        reader = connect(ns)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        for s in heads:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        start = time.monotonic()
        ends = {}

        def drip(s, text, name):
            try:
                while time.monotonic() - start < 20:
                    s.sendall(text)
                    time.sleep(0.2)
            except OSError:
                ends[name] = time.monotonic() - start

        drips = [threading.Thread(target=drip, args=(heads[0], b"A: b\r\n", "head")), threading.Thread(target=drip, args=(body, b"x", "body"))]
        for t in drips:
            t.start()
        while time.monotonic() - start < 1.5:
            equal(ask(ns, b"GET /json HTTP/1.1\r\nHost: x\r\n\r\n")[0], 200, "others are served")
        for s in heads[1:]:
            true(b"408" in until_closed(s, 10)[1], "a slow head is told so")
        for s in quiet + [tls_quiet]:
            equal(until_closed(s, 10)[1], b"", "silence is answered by silence")
        until_closed(idle, 10)
        true(time.monotonic() - start > 2.5, "an idle connection is kept longer")
        for t in drips:
            t.join(20)
        true(ends.get("head", 99) < 10 and ends.get("body", 99) < 10, f"drips end: {ends}")
        equal(metric(ns, "http_dropped_total{reason=\"slow_head\"}"), 71)
        true(metric(ns, "http_dropped_total{reason=\"stalled\"}") >= 2, "the body and the reader stalled")
        equal(metric(ns, "http_dropped_total{reason=\"idle\"}"), 1)
        until_closed(reader, 10)


@test
def http_slow_but_moving():
    """Who is slow but not too slow gets everything."""
    with server("--stall-ms", "1000") as (ns, _, _):
        s = connect(ns)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got, start = b"", time.monotonic()
        while True:
            part = s.recv(50000)
            if not part:
                break
            got += part
            if time.monotonic() - start < 4:
                time.sleep(0.1)
        true(got.endswith(BIG), f"{len(got)} bytes of a slow reader")
        s = connect(ns)
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
        for i in range(30):
            s.sendall(bytes([i]) * 1000)
            time.sleep(0.1)
        equal(Answers(s).next()[2], b"".join(bytes([i]) * 1000 for i in range(30)), "a slow body")


@test
def http_ten_thousand():
    """10,000 connections opened at once, a request on each, all closed at once."""
    n = 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n + 500:
        raise Skip(f"only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 500), hard))
    with server("--head-ms", "60000", "--idle-ms", "20000") as (ns, _, _):
        ns.run("sh", "-c", "echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range")
        for round_ in range(2):
            socks = []
            with ns.inside():
                for _ in range(n):
                    s = socket.socket()
                    s.setblocking(False)
                    s.connect_ex((ADDR, 80))
                    socks.append(s)
            for s in socks:
                s.settimeout(60)
                while True:  # until the connection stands
                    try:
                        s.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")
                        break
                    except BlockingIOError:
                        time.sleep(0.01)
            for s in socks:
                equal(Answers(s).next()[2], b"Hello, World!")
            true(metric(ns, "http_connections") >= n, "all at once")
            for i, s in enumerate(socks):
                if round_ == 1 and i % 2:  # by a reset
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            end = time.monotonic() + 40  # a reset that the tap lost is not sent again: those are idle
            while metric(ns, "http_connections") > 1 and time.monotonic() < end:
                time.sleep(0.1)
            equal(metric(ns, "http_connections"), 1, "all are gone")


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def syn(source, port, seq):
    ends = socket.inet_aton(source) + socket.inet_aton(ADDR)
    tcp = struct.pack(">HHIIBBHHH", port, 80, seq, 0, 5 << 4, 2, 64240, 0, 0)
    tcp = tcp[:16] + struct.pack(">H", checksum(ends + struct.pack(">HH", 6, 20) + tcp)) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends + tcp


@test
def http_storms():
    """Half-open connections from nowhere, resets in the middle, clients that vanish: the server serves on."""
    with server(more=["--set", "x=y"]) as (ns, _, _):
        with ns.inside():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        rnd = random.Random(3)
        for i in range(20000):
            try:
                raw.sendto(syn(f"10.9.0.{rnd.randrange(10, 250)}" if i % 2 else f"10.77.{rnd.randrange(256)}.{rnd.randrange(1, 255)}", rnd.randrange(1024, 65535), rnd.getrandbits(32)), (ADDR, 0))
            except OSError:
                time.sleep(0.001)
            if i % 2000 == 0:
                equal(ask(ns, b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")[0], 200, "during a flood of SYNs")
        raw.close()
        texts = (b"", b"GET / HT", b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000,
                 b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + b"y" * 9999, b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        for i in range(3000):
            s = connect(ns)
            text = texts[i % len(texts)]
            with contextlib.suppress(OSError):
                s.send(text)
                if i % 3 == 0:
                    s.settimeout(0.02)
                    s.recv(1000)
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        equal(ask(ns, b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")[2], b"Hello, World!")
        end = time.monotonic() + 15
        while metric(ns, "http_connections") > 1 and time.monotonic() < end:
            time.sleep(0.2)
        equal(metric(ns, "http_connections"), 1, "nothing stays behind")


# ---- handlers ----

def try_api(ns):
    def get(path, method="GET", body=None):
        length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        return ask(ns, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n".encode() + (body or b""), port=8080)

    equal(get("/hello/world")[2], b"Hello, world!\n")
    equal(get("/hello/a%20b?x=1&greeting=Gr%C3%BC%C3%9F+Gott&y")[2], "Grüß Gott, a b!\n".encode())
    equal(get("/hello/")[0], 404)
    equal(get("/hello/a/b")[0], 404)
    equal(get("/notes/3")[0], 404)
    equal(get("/notes/3", "PUT", b"milk")[0], 204)
    equal(get("/notes/3")[2], b"milk")
    equal(get("/notes/3", "PUT", b"x" * 201)[0], 413)
    equal(get("/notes/3", "DELETE")[0], 405)
    equal(get("/notes/99")[0], 404)
    equal(get("/slow")[2], b"that took a while\n")
    equal(json.loads(get("/sum", "POST", BIG)[2]), {"bytes": len(BIG), "sum": sum(BIG)})
    equal(get("/events")[2], b"".join(b"data: %d\n\n" % i for i in range(5)))
    true(get("/count?to=300000")[2] == b"".join(b"%d\n" % i for i in range(300000)), "counted")
    equal(get("/count?to=x")[0], 400)
    with connect(ns, 8080) as s:  # of different kinds, in order
        s.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % p for p in (b"/slow", b"/hello/1", b"/events", b"/hello/2", b"/count?to=3")))
        a = Answers(s)
        equal([len(a.next()[2]) for _ in range(5)], [18, 10, 45, 10, 6])
    for path in (b"/slow", b"/events", b"/count?to=99999999"):  # the client leaves
        for how in (0, 1):
            s = connect(ns, 8080)
            s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.05)
            if how:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
    s = connect(ns, 8080)
    s.sendall(b"POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    time.sleep(0.05)
    s.close()
    for _ in range(20):
        equal(get("/hello/x")[0], 200, "afterwards")
        time.sleep(0.02)


@test
def http_api():
    for asan in (False, True):
        with server(program="hello-api", asan=asan, port=8080) as (ns, _, _):
            try_api(ns)


@test
def http_api_two_shards():
    """Notes belong to shards: everything else is the same wherever a connection lands."""
    with server(program="hello-api", asan=True, cores=cores_for_two(), port=8080) as (ns, _, _):
        for i in range(40):
            equal(ask(ns, b"GET /hello/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i, port=8080)[2], b"Hello, %d!\n" % i)
            equal(ask(ns, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", port=8080)[0], 200)


@test
def http_graceful_end():
    """Asked to end: requests in flight are finished, idle connections closed, new ones refused, status 0."""
    with server(program="hello-api", port=8080) as (ns, h, _):
        idle, slow, stream = connect(ns, 8080), connect(ns, 8080), connect(ns, 8080)
        idle.sendall(b"GET /hello/x HTTP/1.1\r\nHost: x\r\n\r\n")
        equal(Answers(idle).next()[0], 200)
        stream.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.02)
        h.p.send_signal(signal.SIGTERM)
        equal(idle.recv(10), b"", "an idle connection ends")
        try:
            connect(ns, 8080, timeout=1).close()
            raise AssertionError("a new connection is taken")
        except OSError:
            pass
        status, f, body = Answers(slow).next()
        equal((status, body, f.get("connection")), (200, b"that took a while\n", "close"))
        equal(Answers(stream).next()[2], b"".join(b"data: %d\n\n" % i for i in range(5)))
        equal(h.p.wait(10), 0, f"status: {''.join(h.err)}")
    with server("--drain-ms", "500") as (ns, h, _):  # who does not read holds nobody up
        s = connect(ns)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        start = time.monotonic()
        h.p.send_signal(signal.SIGTERM)
        equal(h.p.wait(10), 0)
        true(time.monotonic() - start < 5 and "cut off" in "".join(h.err), f"after --drain-ms: {h.err}")


@test
def http_access_log():
    with site() as d, TapLab() as ns:
        words = [GODWIT, "host", *TapLab.OPTIONS, "--files", d, "--", app("http"), "--access-log"]
        p = ns.popen(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(p.stdout.read().decode().splitlines()))
        reader.start()
        with Child(p) as h:
            end = time.monotonic() + 20
            while True:
                try:
                    ask(ns, b'GET /a"b%20\xc3\xa4 HTTP/1.1\r\nHost: x\r\nUser-Agent: e\\v"il\t\r\nReferer: r\r\n\r\n')
                    break
                except OSError:
                    true(time.monotonic() < end, "no answer")
                    time.sleep(0.1)
            with connect(ns) as s:
                s.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n" * 3000 + b"BAD\r\n\r\n")
                a = Answers(s)
                for _ in range(3000):
                    equal(a.next()[0], 200)
                equal(a.next()[0], 400)
            equal(h.stop(), 0)
        reader.join(10)
        true(re.fullmatch(r'10\.9\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a\\x22b%20\\xc3\\xa4 HTTP/1\.1" 404 14 "r" "e\\x5cv\\x22il"',
                          lines[0]), f"the first line: {lines[0]}")
        equal(sum('"GET /plaintext HTTP/1.1" 200 13 "-" "-"' in l for l in lines), 3000, "a line for each")
        true('400' in lines[-1], lines[-1])


@test
def http_mistakes():
    for words, say in ((["--bogus"], "unknown option --bogus"), (["--head-ms", "x"], "no good value for --head-ms"), (["--tls"], "no good value"),
                       (["--listen", "none"], "nothing to listen on"), (["--listen", "x"], "cannot listen on x"), (["--tls", ":443"], "certificate"),
                       (["--tls", ":443", "--cert", "a", "--key", "b"], "certificates in a"), (["--help"], "--idle-ms")):
        status, _, err = finish(GODWIT, "host", "--", app("http"), *words, timeout=20)
        true(status in (1, 2) and say in err, f"{words}: {status} {err}")


@test
def http_partition():
    """The same server as a partition in QEMU: plain, TLS, files, chunks, ab."""
    plain, secure = free_port(), free_port()
    with site() as d:
        p = subprocess.Popen([GODWIT, "run", "--native", "-c", "2", "-p", f"{plain}:80", "-p", f"{secure}:443", "--files", d, "--", app("http"), *TLS],
                             cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with Child(p, signal.SIGINT) as m:
            def get(*words):
                q = subprocess.run([need("curl"), "-sSk", "--max-time", "30", *words], capture_output=True, timeout=40)
                return q.stdout if q.returncode == 0 else None

            end = time.monotonic() + 60
            while get(f"http://127.0.0.1:{plain}/plaintext") != b"Hello, World!":
                true(time.monotonic() < end and p.poll() is None, f"no answer: {''.join(m.err)[-1500:]}")
                time.sleep(0.2)
            for url in (f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secure}"):
                equal(json.loads(get(f"{url}/json")), {"message": "Hello, World!"})
                true(get(f"{url}/big.bin") == BIG, "a large file")
                equal(get("-d", "there and back", f"{url}/echo"), b"there and back")
                true(b"http_requests_total" in get(f"{url}/metrics"), "metrics")
            status, out, err = finish(need("ab"), "-q", "-k", "-n", "300", "-c", "5", f"http://127.0.0.1:{plain}/plaintext")
            true(status == 0 and re.search(r"Failed requests: +0\n", out), f"ab: {out} {err}")
            equal(m.stop(), 0, f"status: {''.join(m.err)[-1500:]}")
