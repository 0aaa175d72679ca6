"""Runs a program and stops the world at its n-th system call that writes.

usage: kill_points.py --below DIR [--at N | --match REGEX [--after K]] [--do ACTION] [--report FILE] [--record FILE] -- PROGRAM ARGUMENT...

Every process of the program is traced (ptrace with a seccomp filter, so that only calls that may write stop). Calls that
touch something below one of the DIRs are numbered from 1 over all processes. At call N, or K calls behind the first that
REGEX finds, before it runs, ACTION happens:
  all       SIGKILL for every process
  first     SIGKILL for the program itself; its children go on untouched
  caller    SIGKILL for the process that makes the call
  ENOSPC... the call fails with this error, and so does no other one
Commands of the agent's lifecycle, and the agent that they start, are the user's: their calls are not counted, no action ends
them, and nobody waits for them; what the filter makes of their calls is seen to by a process that lives as long as they do.
The report is JSON: {"calls": n, "names": [what each call was], "fired": number of the call that was struck or 0}. Exit status as a shell gives it. x86-64 alone.
--record writes what each counted call was to do, one line of JSON a call, bytes in base64 and paths as latin1.
"""
import base64, ctypes, errno, json, os, re, signal, struct, sys, time

CALLS = {1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
         82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink", 88: "symlink", 90: "chmod",
         91: "fchmod", 2: "open", 257: "openat", 258: "mkdirat", 263: "unlinkat", 264: "renameat", 265: "linkat",
         266: "symlinkat", 268: "fchmodat", 285: "fallocate", 296: "pwritev", 316: "renameat2", 326: "copy_file_range",
         40: "sendfile", 328: "pwritev2", 132: "utime", 280: "utimensat"}
BY_DESCRIPTOR = {"write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fchmod", "fallocate", "pwritev", "pwritev2"}
AT = {"openat": 0, "mkdirat": 0, "unlinkat": 0, "renameat": 2, "linkat": 2, "symlinkat": 1, "fchmodat": 0, "renameat2": 2, "utimensat": 0}
SECOND = {"rename", "link", "symlink"}
REMOVALS = {"unlink", "unlinkat", "rmdir"}
O_WRITES = os.O_CREAT | os.O_TRUNC
TRACEME, GETREGS, SETREGS, CONT, SETOPTIONS, GETEVENTMSG = 0, 12, 13, 7, 0x4200, 0x4201
OPTIONS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80 | 0x100000  # fork, vfork, clone, exec, seccomp; tracees die with us

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()]


def filter_program():
    """BPF: calls above stop us, opens only where they may create or truncate."""
    LD, JEQ, JSET, RET = 0x20, 0x15, 0x45, 0x06
    TRACE, ALLOW = 0x7FF00000, 0x7FFF0000
    code = [(LD, 0, 0, 0)]
    for number, name in CALLS.items():
        if name in ("open", "openat"):
            flags = 16 + 8 * (1 if name == "open" else 2)
            code += [(JEQ, 0, 4, number), (LD, 0, 0, flags), (JSET, 0, 1, O_WRITES), (RET, 0, 0, TRACE), (RET, 0, 0, ALLOW)]
        else:
            code += [(JEQ, 0, 1, number), (RET, 0, 0, TRACE)]
    code.append((RET, 0, 0, ALLOW))
    packed = b"".join(struct.pack("HBBI", *each) for each in code)
    return ctypes.create_string_buffer(packed), len(code)


def start(argv):
    pid = os.fork()
    if pid:
        return pid
    instructions, length = filter_program()
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", length, ctypes.addressof(instructions)))
    libc.ptrace(TRACEME, 0, None, None)
    os.kill(os.getpid(), signal.SIGSTOP)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, ctypes.addressof(program), 0, 0) != 0:
        os._exit(125)
    try:
        os.execvp(argv[0], argv)
    finally:
        os._exit(127)


def read_string(pid, address):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        text = b""
        while b"\0" not in text and len(text) < 4096:
            page = 4096 - (address + len(text)) % 4096
            memory.seek(address + len(text))
            text += memory.read(page)
    return text.split(b"\0", 1)[0]


def target_of(pid, name, regs):
    arguments = (regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9)
    try:
        if name in BY_DESCRIPTOR or name == "sendfile":
            return os.readlink(b"/proc/%d/fd/%d" % (pid, arguments[0] & 0xFFFFFFFF))
        if name == "copy_file_range":
            return os.readlink(b"/proc/%d/fd/%d" % (pid, arguments[2] & 0xFFFFFFFF))
        if name in AT:
            place = AT[name]
            folder = ctypes.c_int(arguments[place] & 0xFFFFFFFF).value
            base = b"/proc/%d/cwd" % pid if folder == -100 else b"/proc/%d/fd/%d" % (pid, folder)
            text = read_string(pid, arguments[place + 1])
        else:
            base = b"/proc/%d/cwd" % pid
            text = read_string(pid, arguments[1 if name in SECOND else 0])
        held = re.match(rb"/proc/self/fd/(\d+)/", text)
        if held: return os.path.normpath(os.readlink(b"/proc/%d/fd/%s" % (pid, held[1])) + b"/" + text[held.end():])
        return os.path.normpath(os.path.join(os.readlink(base), text))
    except OSError:
        return b""


def read_bytes(pid, address, length):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(address)
        return memory.read(length) if length else b""


def read_vector(pid, address, count):
    parts = struct.unpack(f"{2 * count}Q", read_bytes(pid, address, 16 * count))
    return b"".join(read_bytes(pid, parts[each], parts[each + 1]) for each in range(0, 2 * count, 2))


def place_of(pid, descriptor):
    """Where the next write goes: its offset, null for the end."""
    seen = dict(line.split(None, 1) for line in open(f"/proc/{pid}/fdinfo/{descriptor}") if ":" in line)
    return None if int(seen["flags:"], 8) & os.O_APPEND else int(seen["pos:"])


def other_end(pid, name, regs):
    """Of what a rename or a link gives another name."""
    at = name not in ("rename", "link")
    folder = ctypes.c_int((regs.rdi if at else -100) & 0xFFFFFFFF).value
    base = b"/proc/%d/cwd" % pid if folder == -100 else b"/proc/%d/fd/%d" % (pid, folder)
    text = read_string(pid, regs.rsi if at else regs.rdi)
    held = re.match(rb"/proc/self/fd/(\d+)/", text)
    if held: return os.path.normpath(os.readlink(b"/proc/%d/fd/%s" % (pid, held[1])) + b"/" + text[held.end():])
    return os.path.normpath(os.path.join(os.readlink(base), text))


def effect_of(pid, name, target, regs):
    """What a call is to do, in the few words that a replay needs."""
    path, descriptor = target.decode("latin1"), regs.rdi & 0xFFFFFFFF
    def written(data, offset): return {"do": "write", "path": path, "at": offset, "data": base64.b64encode(data).decode()}
    if name == "write": return written(read_bytes(pid, regs.rsi, regs.rdx), place_of(pid, descriptor))
    if name == "writev": return written(read_vector(pid, regs.rsi, regs.rdx), place_of(pid, descriptor))
    if name == "pwrite64": return written(read_bytes(pid, regs.rsi, regs.rdx), regs.r10)
    if name in ("pwritev", "pwritev2"): return written(read_vector(pid, regs.rsi, regs.rdx), regs.r10)
    if name in ("sendfile", "copy_file_range"):
        copies = name == "copy_file_range"
        source, out, length = (regs.rdi, regs.rdx, regs.r8) if copies else (regs.rsi, regs.rdi, regs.r10)
        offset = place_of(pid, source) or 0
        pointer = regs.rsi if copies else regs.rdx
        if pointer: offset = struct.unpack("Q", read_bytes(pid, pointer, 8))[0]
        to = place_of(pid, out)
        if copies and regs.r10: to = struct.unpack("Q", read_bytes(pid, regs.r10, 8))[0]
        with open(f"/proc/{pid}/fd/{source}", "rb", 0) as file:
            file.seek(offset)
            return written(file.read(min(length, 1 << 26)), to)
    if name in ("open", "openat", "creat"):
        flags = {"open": regs.rsi, "openat": regs.rdx}.get(name, os.O_CREAT | os.O_TRUNC)
        mode = {"open": regs.rdx, "openat": regs.r10}.get(name, regs.rsi) & 0o7777
        return {"do": "open", "path": path, "create": bool(flags & os.O_CREAT), "exclusive": bool(flags & os.O_EXCL),
                "truncate": bool(flags & os.O_TRUNC), "mode": mode & ~umask_of(pid)}
    if name in ("fsync", "fdatasync"): return {"do": "sync", "path": path}
    if name in ("ftruncate", "truncate"): return {"do": "truncate", "path": path, "length": regs.rsi}
    if name == "fallocate": return {"do": "extend", "path": path, "length": regs.rdx + regs.r10}
    if name in ("rename", "renameat", "renameat2", "link", "linkat"):
        do = "link" if name.startswith("link") else "rename"
        return {"do": do, "path": path, "from": other_end(pid, name, regs).decode("latin1")}
    if name in ("symlink", "symlinkat"):
        return {"do": "symlink", "path": path, "text": read_string(pid, regs.rdi).decode("latin1")}
    if name in ("mkdir", "mkdirat"):
        mode = regs.rsi if name == "mkdir" else regs.rdx
        return {"do": "mkdir", "path": path, "mode": mode & 0o7777 & ~umask_of(pid)}
    if name in ("unlink", "unlinkat", "rmdir"):
        folder = name == "rmdir" or (name == "unlinkat" and bool(regs.rdx & 0x200))
        return {"do": "rmdir" if folder else "unlink", "path": path}
    if name in ("chmod", "fchmod", "fchmodat"):
        return {"do": "chmod", "path": path, "mode": (regs.rdx if name == "fchmodat" else regs.rsi) & 0o7777}
    return {"do": "nothing", "path": path}


def umask_of(pid):
    return next((int(line.split()[1], 8) for line in open(f"/proc/{pid}/status") if line.startswith("Umask:")), 0o022)


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file: return file.read().strip()
    except OSError:
        return "?"  # It was killed while it waited for us.


def is_of_the_user(pid):
    """Whether it is a command of the agent's lifecycle or what such a one started."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file: variables = file.read().split(b"\0")
    except OSError:
        return False
    return any(each.startswith((b"KAI_AGENT=", b"KAI_OPERATION=")) for each in variables)


def forget_gone(living, users):
    """One that ended before its parent's fork was told is told as born when it is gone; and one may not have been known."""
    for each in list(living - users):
        if not os.path.exists(f"/proc/{each}"): living.discard(each)
        elif is_of_the_user(each): users.add(each)


def main():
    """Traces in a process of its own, which outlives this one where the agent does."""
    heard, told = os.pipe()
    if os.fork():
        os.close(told)
        status = os.read(heard, 1)
        os._exit(status[0] if status else 125)
    os.close(heard)
    trace(lambda status: os.write(told, bytes([status or 0])) and os.close(told))


def trace(done):
    folders, at, pattern, after, action, report, record, arguments = [], 0, None, 0, "all", None, None, sys.argv[1:]
    while arguments[0] != "--":
        option, value, *arguments = arguments
        if option == "--below": folders.append(os.fsencode(os.path.realpath(value)))
        elif option == "--at": at = int(value)
        elif option == "--match": pattern = value
        elif option == "--after": after = int(value)
        elif option == "--do": action = value
        elif option == "--report": report = value
        elif option == "--record": record = open(value, "w")
        else: sys.exit(f"unknown option {option}")
    first = start(arguments[1:])
    os.waitpid(first, 0)
    libc.ptrace(SETOPTIONS, first, None, OPTIONS)
    libc.ptrace(CONT, first, None, None)
    living, names, fired, status, users, judged = {first}, [], 0, None, set(), set()
    while True:
        if status is not None: forget_gone(living, users)
        if done and living <= users:
            if report:
                with open(report, "w") as file:
                    json.dump({"calls": len(names), "names": names, "fired": fired}, file)
            if record: record.close()
            done, _ = None, done(status)
            for each in (0, 1, 2): os.dup2(os.open(os.devnull, os.O_RDWR), each)
        try:
            # Behind the program's end nobody is waited for without looking who is there.
            ending = done and status is not None
            pid, state = os.waitpid(-1, 0x40000000 | (os.WNOHANG if ending else 0))
            if pid == 0:
                time.sleep(0.02)
                continue
        except ChildProcessError:
            break
        if os.WIFEXITED(state) or os.WIFSIGNALED(state):
            for each in (living, users, judged): each.discard(pid)
            if pid == first:
                status = os.WEXITSTATUS(state) if os.WIFEXITED(state) else 128 + os.WTERMSIG(state)
            continue
        living.add(pid)
        event, sig = state >> 16, os.WSTOPSIG(state)
        if pid not in judged or event == 4:
            judged.add(pid)
            if is_of_the_user(pid): users.add(pid)
        if event in (1, 2, 3):
            born = ctypes.c_ulong()
            libc.ptrace(GETEVENTMSG, pid, None, ctypes.addressof(born))
            living.add(born.value)
        deliver = 0
        if event == 7:
            regs = Registers()
            libc.ptrace(GETREGS, pid, None, ctypes.addressof(regs))
            name = CALLS.get(regs.orig_rax, "?")
            target = target_of(pid, name, regs)
            if pid not in users and any(target == each or target.startswith(each + b"/") for each in folders):
                comm = name_of(pid)
                names.append(f"{comm} {name} {os.fsdecode(target)}")
                if record: print(json.dumps(effect_of(pid, name, target, regs)), file=record)
                if not at and pattern and re.search(pattern, names[-1]): at = len(names) + after
                # What cannot be removed is left, whoever wrote it; and calls of processes that run side by side change places.
                if len(names) == at and action in errno.errorcode.values() and name in REMOVALS: at += 1
                if len(names) == at and not fired:
                    fired = at
                    if action == "all":
                        for each in living - users: kill(each)
                        continue
                    if action == "first": kill(first)
                    elif action == "caller":
                        kill(pid)
                        continue
                    else:
                        regs.rax, regs.orig_rax = -getattr(errno, action) & (1 << 64) - 1, (1 << 64) - 1
                        libc.ptrace(SETREGS, pid, None, ctypes.addressof(regs))
        elif event == 0 and sig not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = sig
        libc.ptrace(CONT, pid, None, deliver)
    os._exit(0)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


main()
