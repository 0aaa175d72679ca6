# Runs a program that opens a shell at a terminal, types a line into it, and once that has said "begun" sends the program a signal (HUP
# closes the terminal instead, and - lets it go on). Prints how the program ended, when the terminal has the settings that it had
# before, and with - all that it showed.
import os, pty, re, select, signal, sys, time

how, line, command = sys.argv[1], sys.argv[2], sys.argv[3:]
SESSION = """before=$(stty -g)
sh -c 'echo "pid=$$;"; exec "$@"' sh "$@"
echo "exit=$?;"
until [ "$(stty -g)" = "$before" ]; do sleep 0.05; done
echo "restored;"
"""
leader, terminal = pty.fork()
if leader == 0:
    os.execvp("sh", ["sh", "-c", SESSION, "sh", *command])
seen = ""


def until(wanted):
    global seen
    deadline = time.monotonic() + 60
    while not (found := re.search(wanted, seen)):
        if time.monotonic() > deadline:
            sys.exit(f"{wanted} was not to be seen in {seen!r}")
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return found.group(1)


program = int(until(r"pid=(\d+);"))
if line:
    os.write(terminal, line.encode() + b"\n")
if how == "-":
    until(r"(restored);")
    sys.exit(print(seen))
until(r"(begun)")
if how == "HUP":
    os.close(terminal)
    os.waitpid(leader, 0)
    sys.exit()
os.kill(program, getattr(signal, f"SIG{how}"))
print(until(r"exit=(\d+);"), until(r"(restored);"))
