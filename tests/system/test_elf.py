# SPDX-License-Identifier: Apache-2.0
"""Damaged programs, scripts and images: refused with what is wrong with which file, by the command before anything boots, and by
the machine when a program starts them there."""
import os, shlex, shutil, stat, subprocess, tempfile
from elfs import BASE, R, W, X, data, program, segment, text
from harness import GODWIT, GUEST, equal, need, run, test, true

BAD = os.path.join(GUEST, "bad")
END = 0x700000000000

# name: the file, what the command says, what execve in the machine says (201 ENOEXEC, 202 ENOENT, 203 ENOMEM, 204 another: EACCES)
DAMAGED = {
    "overlap": (program(segment(), text(), data(va=BASE + 0x1800, offset=0x1800)), "segment (2, at 0x401800) that overlaps", 201),
    "same-place": (program(segment(), text(), text()), "overlaps", 201),
    "same-page": (program(segment(), text(file=0x800), data(va=BASE + 0x1800, offset=0x1800, file=0x800)), "overlaps", 201),
    "bss-overlap": (program(segment(), text(mem=0x5000), data()), "overlaps", 201),
    "descending": (program(text(), segment(), data()), "out of order", 201),
    "at-the-runtime": (program(segment(), text(), data(va=END)), "(2, at 0x700000000000) outside a program's addresses", 201),
    "at-the-kernel": (program(segment(), text(), data(va=0xffffffff80100000)), "outside a program's addresses", 201),
    "at-zero": (program(segment(va=0), text(va=0x1000), data(va=0x2000), entry=0x1000), "outside a program's addresses", 201),
    "wraps": (program(segment(), text(), data(va=0xfffffffffffff000)), "outside a program's addresses", 201),
    "endless": (program(segment(), text(), data(mem=(1 << 64) - 0x1000)), "outside a program's addresses", 201),
    "offset-beyond": (program(segment(), text(), data(offset=0x9000)), "is truncated: segment 2", 201),
    "offset-wraps": (program(segment(), text(), data(offset=(1 << 64) - 0x1000)), "is truncated: segment 2", 201),
    "file-endless": (program(segment(), text(), data(file=1 << 63, mem=1 << 63)), "is truncated: segment 2", 201),
    "file-larger": (program(segment(), text(), data(mem=0x10)), "larger in the file", 201),
    "misaligned": (program(segment(), text(), data(va=BASE + 0x2010)), "not aligned", 201),
    "alignment": (program(segment(), text(align=3), data()), "bad alignment", 201),
    "cut-header": (program(size=40), "is truncated: 40 bytes", 201),
    "cut-table": (program(size=100), "is truncated: its program headers", 201),
    "cut-code": (program(size=0x1400), "is truncated: segment 1", 201),
    "cut-data": (program(size=0x2400), "is truncated: segment 2", 201),
    "table-beyond": (program(phoff=1 << 62), "is truncated: its program headers", 201),
    "no-table": (program(phnum=0), "bad program headers", 201),
    "much-table": (program(phnum=65535), "bad program headers", 201),
    "odd-table": (program(phentsize=32), "bad program headers", 201),
    "many-segments": (program(*[segment(va=BASE + 0x1000 * i, flags=R | X) for i in range(40)], entry=BASE), "40 segments", 201),
    "no-segments": (program(segment(6)), "0 segments", 201),
    "class": (program(cls=1), "32-bit program", 201),
    "i386": (program(cls=1, machine=3), "32-bit x86", 201),
    "arm": (program(machine=183), "64-bit ARM", 201),
    "big-endian": (program(endian=2), "another processor", 201),
    "object": (program(type=1), "link it first", 201),
    "core": (program(type=4), "not a program", 201),
    "version": (program(version=7), "ELF version", 201),
    "entry-zero": (program(entry=0), "no executable segment", 201),
    "entry-data": (program(entry=BASE + 0x2000), "no executable segment", 201),
    "entry-out": (program(entry=0x123456789), "no executable segment", 201),
    "loader-missing": (program(interp=b"/lib/ld-nowhere.so\0"), "needs the loader /lib/ld-nowhere.so", 202),
    "loader-unended": (program(interp=b"/lib/ld-nowhere.so"), "names no proper interpreter", 201),
    "loader-relative": (program(interp=b"ld.so\0"), "names no proper interpreter", 202),
    "loader-folder": (program(interp=b"/etc\0"), "/etc is a directory", 204),
    "loader-text": (program(interp=b"/etc/passwd\0"), "/etc/passwd is not executable", 204),
    "text": (b"just text\n", "neither an ELF program nor a script", 201),
    "empty": (b"", "is empty", 201),
    "script-no-interpreter": (b"#!/no/such/interpreter -x\n", "needs the interpreter /no/such/interpreter", 202),
    "script-nothing": (b"#!\n", "names no interpreter", 201),
    "script-folder": (b"#!/etc\n", "cannot be run: /etc is a directory", 204),
    "script-text": (b"#!/etc/passwd\n", "cannot be run: /etc/passwd is not executable", 204),
    "script-env": (b"#!/usr/bin/env no-such-program\n", "no-such-program: no such program in PATH", 202),
}


class Folder:
    """A folder of programs, gone at the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="programs-")
        return self

    def add(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, 0o755)
        return path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def refused(path, *words):
    p = subprocess.run([GODWIT, "run", "--", path], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    lines = p.stderr.strip().split("\n")
    equal((p.returncode, p.stdout), (2, ""), p.stderr)
    true(len(lines) == 1 and lines[0].startswith("godwit: run: ") and path in lines[0], p.stderr)
    for w in words:
        true(w in lines[0], f"{w!r} is not in {p.stderr!r}")


@test
def damaged_programs_refused():
    with Folder() as d:
        equal(run(d.add("good", program()))[0], 0, "the builder's undamaged program runs")
        for name, (content, says, _) in DAMAGED.items():
            refused(d.add(name, content), says)


@test
def damaged_programs_in_the_machine():
    with Folder() as d:
        paths = [d.add("good", program())]
        paths += [d.add(name, content) for name, (content, _, _) in DAMAGED.items()]
        for vcores in (1, 2):
            status, out, err = run(BAD, "exec", *["/b/" + os.path.basename(p) for p in paths], options=["-c", str(vcores), "-f", d.path + ":/b"])
            equal(status, 0, err)
            got = dict(line.rsplit(" ", 1) for line in out.strip().split("\n"))
            equal(got.pop("good"), "0")
            for name, (_, _, errno) in DAMAGED.items():
                equal(got.get(name), str(errno), f"{name}: {err}")


@test
def larger_than_the_machine():
    with Folder() as d:
        path = d.add("large", program(segment(), text(), data(mem=1 << 44)))
        status, _, err = run(path)
        true(status == 127 and path in err and "-m" in err, f"{status} {err!r}")


@test
def damaged_libraries():
    """A library that is cut short, and one of another machine, are named before anything boots."""
    cc = need("gcc")
    with Folder() as d:
        lib, prog = os.path.join(d.path, "libpart.so"), os.path.join(d.path, "prog")
        subprocess.run([cc, "-shared", "-fPIC", "-x", "c", "-o", lib, "-"], input=b"int part(void) { return 0; }", check=True)
        subprocess.run([cc, "-x", "c", "-o", prog, "-", "-L", d.path, "-lpart", f"-Wl,-rpath,{d.path}"],
                       input=b"int part(void); int main(void) { return part(); }", check=True)
        equal(run(prog)[0], 0, "undamaged")
        whole = open(lib, "rb").read()
        for content in (whole[:900], whole[:40], whole[:18] + b"\xb7\0" + whole[20:], b"nonsense"):
            open(lib, "wb").write(content)
            p = subprocess.run([GODWIT, "run", "--", prog], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
            true(p.returncode == 2 and "libpart.so" in p.stderr and prog in p.stderr, f"{p.returncode} {p.stderr!r}")
        os.remove(lib)
        refused(prog, "needs the library libpart.so", "install")


def with_damaged(option, change):
    """Run /bin/true in a machine whose -initrd (or disk) `change` was done to: (status, standard error)."""
    with Folder() as d:
        script = d.add("qemu", f"""#!/usr/bin/python3
import os, sys
a = sys.argv[1:]
for i, w in enumerate(a):
    if {option!r} == "-initrd" and w == "-initrd":
        at, path = i + 1, a[i + 1]
    elif {option!r} == "disk" and "file=" in w and "readonly" in w:
        at, path = i, w.split("file=")[1].split(",")[0]
    else:
        continue
    b = bytearray(open(path, "rb").read())
    {change}
    new = {d.path!r} + "/damaged"
    open(new, "wb").write(b)
    a[at] = a[at].replace(path, new)
os.execvp("qemu-system-x86_64", ["qemu-system-x86_64", *a])
""".encode())
        env = dict(os.environ, GODWIT_QEMU=script)
        p = subprocess.run([GODWIT, "run", "--accel", "tcg", "--", "/bin/true"], capture_output=True, text=True, timeout=60, env=env,
                           stdin=subprocess.DEVNULL)
        return p.returncode, p.stderr


@test
def damaged_bundle():
    for change, word in (("b[5000] ^= 1", "damaged"), ("b[0] ^= 1", "bundle"), ("del b[4096:]", "bundle"), ("del b[16:]", "bundle"),
                         ("b[4:8] = b'\\xff\\xff\\xff\\xff'", "bundle"), ("b[:] = bytes(len(b))", "bundle")):
        status, err = with_damaged("-initrd", change)
        true(status == 125 and "boot bundle" in err and word in err.lower(), f"{change}: {status} {err!r}")


@test
def damaged_root():
    for change in ("b[0] ^= 1", "del b[512:]", "b[100] ^= 0xff", "b[:] = bytes(len(b))", "b[:4096] = os.urandom(4096)"):
        status, err = with_damaged("disk", change)
        true(status == 127 and "root image" in err, f"{change}: {status} {err!r}")
