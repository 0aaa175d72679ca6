# Runs a program at a terminal of 33 lines and 99 columns and types into it what a user would.
import fcntl, os, pty, select, struct, sys, termios, time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""


def resize(lines, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def read():
    global seen
    try:
        seen += os.read(terminal, 4096)
        return True
    except OSError:
        return False


def until(wanted, again=None):
    deadline = time.monotonic() + 30
    while wanted not in seen:
        if time.monotonic() > deadline:
            sys.exit(f"{wanted} was not to be seen in {seen}")
        if select.select([terminal], [], [], 0.5)[0]:
            read()
        elif again is not None:
            os.write(terminal, again)


resize(33, 99)
until(b"ready")
os.write(terminal, b"stty size; echo kind=$TERM\n")
until(b"33 99\r\n")
until(b"kind=xterm-test\r\n")
resize(20, 50)
# The new size takes a moment on its way in.
until(b"20 50\r\n", b"stty size\n")
os.write(terminal, b"echo begun; sleep 1000\n")
until(b"begun\r\n")
until(b"^C", b"\x03")
os.write(terminal, b"echo status=$?\n")
until(b"status=130\r\n")
# These keys would detach podman's own terminal.
os.write(terminal, b"\x10\x11\x15echo still; exit 5\n")
until(b"still\r\n")
while read():
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
