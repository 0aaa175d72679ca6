"""Fetches from the one host that is allowed, tries every other way out, and prints what each try came to."""
import errno, fcntl, json, os, select, socket, struct, sys, time, urllib.error, urllib.request

outside = json.loads(sys.argv[1])
proxy = os.environ["http_proxy"].removeprefix("http://").split(":")
PROXY = (proxy[0], int(proxy[1]))
seen = {}


def attempt(name, action):
    try:
        result = action()
        seen[name] = "done" if result is None else result
    except socket.gaierror:
        seen[name] = "no such name"
    except TimeoutError:
        seen[name] = "HANGS"
    except OSError as error:
        seen[name] = errno.errorcode.get(error.errno, str(error))


def tcp(address, port, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(10)
        one.connect((address, port))


def udp(address, port, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(10)
        one.sendto(b"\0" * 12, (address, port))


def opened(*kind):
    socket.socket(*kind).close()


def ask(request):
    """The first line of what the proxy answers to raw bytes, or `closed`."""
    with socket.create_connection(PROXY, 10) as one:
        try:
            one.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
            one.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        reply = b""
        try:
            while b"\r\n" not in reply:
                chunk = one.recv(4096)
                if not chunk:
                    break
                reply += chunk
        except ConnectionResetError:
            pass
    return reply.split(b"\r\n")[0].decode("latin-1") or "closed"


def tunnel(authority, say=b"ping"):
    with socket.create_connection(PROXY, 10) as one:
        one.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        reply = one.recv(4096)
        if b" 200 " not in reply:
            return reply.split(b"\r\n")[0].decode()
        one.sendall(say)
        one.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := one.recv(4096):
            answer += chunk
        return answer.decode("latin-1")


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError as error:
        return str(error.reason)


def fetch_patiently(url):
    """Until the proxy has seen that the connections before have ended."""
    deadline = time.monotonic() + 20
    while True:
        try:
            answer = fetch(url)
        except OSError as error:
            answer = str(error)
        if answer == "the data" or time.monotonic() > deadline:
            return answer


def many(count):
    """Connections at once, of which the proxy leaves open as many as it allows and closes the rest."""
    left = []
    for _ in range(count):
        one = socket.create_connection(PROXY, 10)
        one.setblocking(False)
        left.append(one)
    every = list(left)
    deadline = time.monotonic() + 20
    while len(left) > outside["connections"] and time.monotonic() < deadline:
        closed = [one for one in select.select(left, [], [], 1)[0] if is_closed(one)]
        left = [one for one in left if one not in closed]
    for one in every:
        one.close()
    return "the rest was closed" if len(left) <= outside["connections"] else f"{len(left)} stayed open"


def is_closed(one):
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def raise_link():
    """A second way out would have to be set up first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", 0))


def unix(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)


def routes():
    with open("/proc/self/net/route") as file:
        return len(file.readlines()) - 1


GET = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n"

attempt("allowed", lambda: fetch("http://api.example.com/data"))
attempt("allowed through a tunnel", lambda: tunnel("api.example.com:443"))

attempt("links", lambda: [name for _, name in socket.if_nameindex()])
attempt("routes", routes)
attempt("tcp to an address", lambda: tcp("1.1.1.1", 443))
attempt("tcp to the allowed host's address", lambda: tcp(outside["public"], 80))
attempt("tcp to the host's loopback", lambda: tcp("127.0.0.1", outside["port"]))
attempt("tcp to an address of this machine", lambda: tcp(outside["own"], outside["port"]))
attempt("tcp over IPv6", lambda: tcp("2606:4700:4700::1111", 443, socket.AF_INET6))
attempt("tcp over mapped IPv6", lambda: tcp("::ffff:1.1.1.1", 443, socket.AF_INET6))
attempt("udp", lambda: udp("8.8.8.8", 53))
attempt("udp over IPv6", lambda: udp("2001:4860:4860::8888", 53, socket.AF_INET6))
attempt("quic", lambda: udp(outside["public"], 443))
attempt("multicast", lambda: udp("224.0.0.251", 5353))
attempt("broadcast", lambda: udp("255.255.255.255", 67))
attempt("dns", lambda: socket.getaddrinfo("api.example.com", 80) and None)
attempt("dns over tcp", lambda: tcp("8.8.8.8", 53))
attempt("dns of the host", lambda: tcp("127.0.0.53", 53))
attempt("metadata", lambda: tcp("169.254.169.254", 80))
attempt("raw socket", lambda: opened(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("ping socket", lambda: opened(socket.AF_INET, socket.SOCK_DGRAM, 1))
attempt("packet socket", lambda: opened(17, socket.SOCK_RAW, 3))
attempt("vsock", lambda: opened(40, socket.SOCK_STREAM))
attempt("alg socket", lambda: opened(38, socket.SOCK_SEQPACKET))
attempt("change of a link", raise_link)
attempt("abstract socket of the host", lambda: unix("\0" + outside["abstract"]))
attempt("socket file of the host", lambda: unix(outside["socket"]))

for authority in outside["tunnels"]:
    attempt(f"CONNECT {authority}", lambda: tunnel(authority))
for url in outside["urls"]:
    attempt(f"GET {url}", lambda: fetch(url))

attempt("Host against URL", lambda: ask(GET.format("http://api.example.com/", "evil.test", "")))
attempt("URL against Host", lambda: ask(GET.format("http://evil.test/", "api.example.com", "")))
attempt("two Hosts", lambda: ask(GET.format("http://api.example.com/", "api.example.com", "Host: evil.test\r\n")))
attempt("path alone", lambda: ask(GET.format("/", "api.example.com", "")))
SMUGGLING = "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n"
attempt("length and encoding", lambda: ask(GET.format("http://api.example.com/", "api.example.com", SMUGGLING)))
attempt("folded header", lambda: ask(GET.format("http://api.example.com/", "api.example.com", "X: a\r\n Transfer-Encoding: chunked\r\n")))
attempt("huge header", lambda: ask(GET.format("http://api.example.com/", "api.example.com", "X: " + "x" * 100_000 + "\r\n")))
attempt("socks", lambda: ask(b"\x05\x01\x00"))
attempt("noise", lambda: ask(os.urandom(4096).replace(b"\n", b"") + b"\r\n\r\n"))
for wave in ["first", "second", "third"]:
    attempt(f"{wave} 900 connections", lambda: many(900))
attempt("allowed at the end", lambda: fetch_patiently("http://api.example.com/data"))
print(json.dumps(seen))
