# SPDX-License-Identifier: Apache-2.0
"""Debian's redis-server in a machine: issue-sized promises, checked byte by byte."""
import os, socket, subprocess, threading, time
from harness import Machine, Redis, RedisError, Skip, equal, need, test, true

ARGS = ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0"]


def machine(*more, options=(), timeout=60):
    return Machine([need("redis-server"), *(more or ARGS)], 6379, options=options, timeout=timeout)


def _ping(kind, vcores):
    def check():
        with machine(options=["--machine", kind, "-c", str(vcores)]) as m:
            r = m.redis()
            equal(r("SET", "key", "value"), "OK")
            equal(r("GET", "key"), b"value")
            equal(m.stop(), 0, "redis ends well on Ctrl-C")
    check.__name__ = f"redis_{kind}_{vcores}"
    return check


for kind in ("q35", "microvm"):
    for vcores in (1, 2):
        test(_ping(kind, vcores))


@test
def redis_small_machine():
    with machine(options=["-m", "24M"]) as m:
        equal(m.redis()("PING"), "PONG")


@test
def redis_data_types():
    with machine() as m:
        r = m.redis()
        equal(r("RPUSH", "l", *range(100)), 100)
        equal(r("LRANGE", "l", 10, 12), [b"10", b"11", b"12"])
        equal(r("SADD", "s", "a", "b", "a"), 2)
        equal(sorted(r("SMEMBERS", "s")), [b"a", b"b"])
        equal(r("HSET", "h", "f", "1", "g", "2"), 2)
        equal(r("HGETALL", "h"), [b"f", b"1", b"g", b"2"])
        equal(r("ZADD", "z", "1.5", "x", "-2", "y"), 2)
        equal(r("ZRANGE", "z", 0, -1, "WITHSCORES"), [b"y", b"-2", b"x", b"1.5"])
        equal(r("SETBIT", "b", 100, 1), 0)
        equal(r("BITCOUNT", "b"), 1)
        equal(r("PFADD", "p", *range(1000)), 1)
        true(abs(r("PFCOUNT", "p") - 1000) < 50, "hyperloglog")
        equal(r("GEOADD", "g", "13.361389", "38.115556", "Palermo"), 1)
        true(r("XADD", "x", "*", "k", "v"), "stream")
        equal(r("XLEN", "x"), 1)
        equal(r("INCRBYFLOAT", "fl", "3.25"), b"3.25")
        equal(r("EXPIRE", "fl", 100), 1)
        equal(r("TYPE", "z"), "zset")
        true(isinstance(r("LPUSH", "s", "x"), RedisError), "WRONGTYPE")
        equal(r("MULTI"), "OK")
        equal(r("INCR", "n"), "QUEUED")
        equal(r("INCR", "n"), "QUEUED")
        equal(r("EXEC"), [1, 2])
        equal(r("EVAL", "local s=0 for i=1,10000 do s=s+i end redis.call('SET',KEYS[1],s) return s", 1, "lua"), 50005000)
        equal(r("GET", "lua"), b"50005000")
        equal(r("SORT", "l", "DESC", "LIMIT", 0, 2), [b"99", b"98"])
        equal(r("OBJECT", "ENCODING", "n"), b"int")
        equal(r("BITFIELD", "b", "SET", "u8", "0", "255", "GET", "u4", "0"), [0, 15])
        equal(r("GEODIST", "g", "Palermo", "Palermo"), b"0.0000")
        equal(r("APPEND", "str", "abc"), 3)
        equal(r("SETRANGE", "str", 5, "z"), 6)
        equal(r("GET", "str"), b"abc\0\0z")
        equal(r("HINCRBY", "h", "f", 41), 42)
        equal(r("SINTERCARD", 2, "s", "s"), 2)
        equal(r("ZINCRBY", "z", "10", "y"), b"8")
        equal(r("LMOVE", "l", "l", "LEFT", "RIGHT"), b"0")
        equal(r("XGROUP", "CREATE", "x", "workers", "0"), "OK")
        got = r("XREADGROUP", "GROUP", "workers", "w1", "COUNT", "1", "STREAMS", "x", ">")
        equal((got[0][0], got[0][1][0][1]), (b"x", [b"k", b"v"]))
        equal(r("XACK", "x", "workers", got[0][1][0][0]), 1)
        equal(r("WATCH", "n"), "OK")
        equal(m.redis()("INCR", "n"), 3)
        equal((r("MULTI"), r("INCR", "n"), r("EXEC")), ("OK", "QUEUED", None), "a watched key changed")
        equal((r("MULTI"), r("SET", "d", "1"), r("DISCARD"), r("EXISTS", "d")), ("OK", "QUEUED", "OK", 0))
        value = bytes(range(256)) * 4
        equal(r("SET", value, value), "OK")
        equal(r("RESTORE", "copy", 0, r("DUMP", value)), "OK")
        equal(r("GET", "copy"), value, "binary keys and values")
        sha = r("SCRIPT", "LOAD", "return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}")
        equal(r("EVALSHA", sha, 1, "copy", "arg"), [b"copy", b"arg", value])
        true(isinstance(r("EVAL", "return redis.call('NOSUCH')", 0), RedisError), "an error in a script")
        equal(r("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('twice', function(k, a) return a[1] * 2 end)"), b"lib")
        equal(r("FCALL", "twice", 0, 21), 42)
        cursor, seen = b"0", set()
        while True:
            cursor, keys = r("SCAN", cursor)
            seen |= set(keys)
            if cursor == b"0":
                break
        equal(len(seen), r("DBSIZE"), "SCAN sees every key")
        true(b"redis_version" in r("INFO"), "INFO")
        equal(r("PEXPIRE", "n", 30), 1)
        time.sleep(0.2)
        equal(r("GET", "n"), None)


@test
def redis_pubsub_and_blocking():
    with machine(*ARGS, "--enable-debug-command", "yes") as m:
        r, sub, blocked = m.redis(), m.redis(), m.redis()
        sub.send("SUBSCRIBE", "news")
        equal(sub.reply(), [b"subscribe", b"news", 1])
        equal(r("PUBLISH", "news", "hello"), 1)
        equal(sub.reply(), [b"message", b"news", b"hello"])
        blocked.send("BLPOP", "queue", 0)
        time.sleep(0.2)
        equal(r("RPUSH", "queue", "job"), 1)
        equal(blocked.reply(), [b"queue", b"job"])
        start = time.monotonic()
        equal(blocked("BLPOP", "queue", 1), None)
        true(0.9 < time.monotonic() - start < 5, "BLPOP times out")
        victim = m.redis()
        ident = victim("CLIENT", "ID")
        equal(r("CLIENT", "KILL", "ID", ident), 1)
        try:
            true(victim.s.recv(10) == b"", "a killed client sees the end")
        except ConnectionResetError:
            pass
        sub.send("PSUBSCRIBE", "new*")
        equal(sub.reply(), [b"psubscribe", b"new*", 2])
        equal(r("PUBLISH", "news", "again"), 2)
        equal((sub.reply(), sub.reply()), ([b"message", b"news", b"again"], [b"pmessage", b"new*", b"news", b"again"]))
        movers = [m.redis() for _ in range(3)]
        movers[0].send("BLMOVE", "from", "to", "LEFT", "RIGHT", 0)
        movers[1].send("BZPOPMIN", "scores", 0)
        movers[2].send("XREAD", "BLOCK", 0, "STREAMS", "events", "$")
        time.sleep(0.2)
        equal((r("RPUSH", "from", "a"), r("ZADD", "scores", 1, "b")), (1, 1))
        ident = r("XADD", "events", "*", "c", "d")
        equal(movers[0].reply(), b"a")
        equal(movers[1].reply(), [b"scores", b"b", b"1"])
        equal(movers[2].reply(), [[b"events", [[ident, [b"c", b"d"]]]]])
        # A sleeping server serves nobody, and everybody afterwards: nothing that came meanwhile is lost.
        sleeper, others = m.redis(), [m.redis() for _ in range(20)]
        start = time.monotonic()
        sleeper.send("DEBUG", "SLEEP", "1")
        time.sleep(0.2)
        for i, o in enumerate(others):
            o.send("ECHO", "x" * (i + 1))
        for i, o in enumerate(others):
            equal(o.reply(), b"x" * (i + 1))
        took = time.monotonic() - start
        equal(sleeper.reply(), "OK")
        true(0.9 < took < 10, f"others are served after DEBUG SLEEP: {took:.2f} s")


@test
def redis_pipeline():
    with machine() as m:
        r = m.redis()
        n = 10000
        for _ in range(3):
            data = b"".join(Redis.encode("SET", f"key:{i}", f"value-{i}") for i in range(n))
            t = threading.Thread(target=r.s.sendall, args=(data,))
            t.start()
            for i in range(n):
                equal(r.reply(), "OK")
            t.join()
        data = b"".join(Redis.encode("GET", f"key:{i}") for i in range(n))
        t = threading.Thread(target=r.s.sendall, args=(data,))
        t.start()
        for i in range(n):
            equal(r.reply(), b"value-%d" % i)
        t.join()


@test
def redis_large_values():
    with machine(options=["-m", "512M"], timeout=180) as m:
        r = m.redis()
        for size in (1 << 20, 64 << 20):
            block = os.urandom(1 << 20)
            value = block * (size >> 20)
            equal(r("SET", "big", value), "OK", f"{size} bytes in")
            equal(r("STRLEN", "big"), size)
            true(r("GET", "big") == value, f"{size} bytes out")


@test
def redis_5000_connections():
    import resource
    want = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * want + 1000: # ours, and QEMU's
        raise Skip(f"a process here may open {hard} files; 11,000 are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16000), hard))
    with machine(*ARGS, "--maxclients", "6000", "--tcp-backlog", "4096", timeout=180) as m:
        r = m.redis()
        held = []
        for i in range(want):
            s = socket.create_connection(("127.0.0.1", m.port), 20)
            s.settimeout(60)
            held.append(s)
            if i % 50 == 0:
                s.sendall(b"PING\r\n")
                equal(s.recv(16), b"+PONG\r\n", f"connection {i}")
        end = time.monotonic() + 60
        while True:
            text = r("INFO", "clients").decode()
            count = int(text.split("connected_clients:")[1].split()[0])
            if count >= want or time.monotonic() > end:
                break
            time.sleep(0.5)
        true(count >= want, f"{count} of {want} connected")
        for s in held[::97]:
            s.sendall(b"PING\r\n")
            equal(s.recv(16), b"+PONG\r\n")
        for s in held:
            s.close()
        equal(r("PING"), "PONG")


@test
def redis_append_only_file():
    with machine("--save", "", "--appendonly", "yes", "--appendfsync", "always", "--protected-mode", "no", "--bind",
                 "0.0.0.0", "--dir", "/tmp", "--enable-debug-command", "yes") as m:
        r = m.redis()
        for i in range(200):
            equal(r("SET", f"k{i}", "x" * 100), "OK")
        equal(r("DEL", "k7"), 1)
        info = r("INFO", "persistence")
        true(b"aof_enabled:1" in info and b"aof_last_write_status:ok" in info, "append only")
        equal(r("DEBUG", "LOADAOF"), "OK", "what was written is read back")
        equal((r("DBSIZE"), r("GET", "k7"), r("GET", "k8")), (199, None, b"x" * 100))


@test
def redis_shutdown():
    with machine() as m:
        r = m.redis()
        r.send("SHUTDOWN", "NOSAVE")
        equal(r.s.recv(10), b"")
        equal(m.p.wait(20), 0, "the machine ends with redis")


@test
def redis_real_clients():
    cli, bench = need("redis-cli", "redis-benchmark")
    with machine() as m:
        m.redis().close()
        out = subprocess.run([cli, "-p", str(m.port), "PING"], capture_output=True, text=True, timeout=30).stdout
        equal(out.strip(), "PONG")
        for args in (["-n", "4000", "-c", "20"], ["-n", "20000", "-c", "20", "-P", "16"]):
            p = subprocess.run([bench, "-p", str(m.port), "-t", "ping,set,get,lpush", "-q", *args], capture_output=True, text=True,
                               timeout=180)
            equal(p.returncode, 0, p.stderr)
            true("Error" not in p.stdout + p.stderr, p.stdout + p.stderr)


@test
def redis_two_vcores_under_load():
    bench = need("redis-benchmark")
    with machine(*ARGS, "--io-threads", "2", options=["-c", "2"]) as m:
        m.redis().close()
        p = subprocess.run([bench, "-p", str(m.port), "-t", "set,get", "-q", "-n", "5000", "-c", "30"], capture_output=True,
                           text=True, timeout=180)
        equal(p.returncode, 0, p.stderr)


def _wait_info(r, field, want="0", timeout=60):
    """Until INFO persistence says field:want; the whole answer as a dictionary."""
    end = time.monotonic() + timeout
    while True:
        info = dict(l.split(":", 1) for l in r("INFO", "persistence").decode().split("\r\n") if ":" in l)
        if info[field] == want:
            return info
        true(time.monotonic() < end, f"{field} stays {info[field]}")
        time.sleep(0.02)


def _background(vcores):
    def check():
        args = ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0", "--enable-debug-command", "yes"]
        with machine(*args, options=["-c", str(vcores)]) as m:
            r = m.redis()
            for i in range(0, 20000, 500):
                r.s.sendall(b"".join(Redis.encode("SET", f"k{j}", f"{j}-" + "v" * (j % 300)) for j in range(i, i + 500)))
                for _ in range(500):
                    equal(r.reply(), "OK")
            equal(r("SET", "big", b"x" * 8000000), "OK")
            for round in range(3):
                equal(r("BGSAVE"), "Background saving started")
                # the child's copy is the moment of the fork: what changes meanwhile is not in it
                for j in range(0, 20000, 7):
                    equal(r("SET", f"k{j}", f"changed {round}"), "OK")
                equal(r("SET", "after", round), "OK")
                info = _wait_info(r, "rdb_bgsave_in_progress")
                equal(info["rdb_last_bgsave_status"], "ok")
                equal(r("DEBUG", "RELOAD", "NOSAVE"), "OK")
                equal(r("DBSIZE"), 20001)
                for j in range(0, 20000, 700):
                    equal(r("GET", f"k{j}"), f"{j}-{'v' * (j % 300)}".encode(), f"k{j} as it was at BGSAVE")
                equal(r("GET", "after"), None)
                equal(r("STRLEN", "big"), 8000000)
            # append-only file, rewritten in the background
            equal(r("CONFIG", "SET", "appendonly", "yes"), "OK")
            info = _wait_info(r, "aof_rewrite_in_progress")
            equal(info["aof_last_bgrewrite_status"], "ok")
            for j in range(100):
                equal(r("INCR", "counter"), j + 1)
            true("rewriting started" in r("BGREWRITEAOF"), "BGREWRITEAOF")
            for j in range(100):
                equal(r("INCR", "counter"), j + 101)
            _wait_info(r, "aof_rewrite_scheduled")
            info = _wait_info(r, "aof_rewrite_in_progress")
            equal(info["aof_last_bgrewrite_status"], "ok")
            equal(r("DEBUG", "LOADAOF"), "OK")
            equal(r("GET", "counter"), b"200")
            equal(r("DBSIZE"), 20002)
    check.__name__ = f"redis_background_{vcores}"
    return check


test(_background(1))
test(_background(2))
