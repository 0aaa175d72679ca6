"""Runs a program and stops the world at its n-th system call that writes.

usage: kill_points.py --below DIR [--at N | --match REGEX [--after K]] [--do ACTION] [--report FILE] -- PROGRAM ARGUMENT...

Every process of the program is traced (ptrace with a seccomp filter, so that only calls that may write stop). Calls that
touch something below one of the DIRs are numbered from 1 over all processes. At call N, or K calls behind the first that
REGEX finds, before it runs, ACTION happens:
  all       SIGKILL for every process
  first     SIGKILL for the program itself; its children go on untouched
  caller    SIGKILL for the process that makes the call
  ENOSPC... the call fails with this error, and so does no other one
The report is JSON: {"calls": n, "names": [what each call was], "fired": number of the call that was struck or 0}. Exit status as a shell gives it. x86-64 alone.
"""
import ctypes, errno, json, os, re, signal, struct, sys

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
TRACEME, GETREGS, SETREGS, CONT, SETOPTIONS, DETACH = 0, 12, 13, 7, 0x4200, 17
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


def main():
    folders, at, pattern, after, action, report, arguments = [], 0, None, 0, "all", None, sys.argv[1:]
    while arguments[0] != "--":
        option, value, *arguments = arguments
        if option == "--below": folders.append(os.fsencode(os.path.realpath(value)))
        elif option == "--at": at = int(value)
        elif option == "--match": pattern = value
        elif option == "--after": after = int(value)
        elif option == "--do": action = value
        elif option == "--report": report = value
        else: sys.exit(f"unknown option {option}")
    first = start(arguments[1:])
    os.waitpid(first, 0)
    libc.ptrace(SETOPTIONS, first, None, OPTIONS)
    libc.ptrace(CONT, first, None, None)
    living, names, fired, status = {first}, [], 0, None
    while True:
        try:
            pid, state = os.waitpid(-1, 0x40000000)
        except ChildProcessError:
            break
        if os.WIFEXITED(state) or os.WIFSIGNALED(state):
            living.discard(pid)
            if pid == first:
                status = os.WEXITSTATUS(state) if os.WIFEXITED(state) else 128 + os.WTERMSIG(state)
            continue
        living.add(pid)
        event, sig = state >> 16, os.WSTOPSIG(state)
        deliver = 0
        if event == 7:
            regs = Registers()
            libc.ptrace(GETREGS, pid, None, ctypes.addressof(regs))
            name = CALLS.get(regs.orig_rax, "?")
            target = target_of(pid, name, regs)
            if any(target == each or target.startswith(each + b"/") for each in folders):
                comm = open(f"/proc/{pid}/comm").read().strip()
                names.append(f"{comm} {name} {os.fsdecode(target)}")
                if not at and pattern and re.search(pattern, names[-1]): at = len(names) + after
                # What cannot be removed is left, whoever wrote it; and calls of processes that run side by side change places.
                if len(names) == at and action in errno.errorcode.values() and name in REMOVALS: at += 1
                if len(names) == at and not fired:
                    fired = at
                    if action == "all":
                        for each in living: kill(each)
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
    if report:
        with open(report, "w") as file:
            json.dump({"calls": len(names), "names": names, "fired": fired}, file)
    sys.exit(status)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


main()
