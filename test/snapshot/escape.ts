import { readFileSync } from "node:fs";

/** Tries to get out of a sandbox by every way at once and prints what each try came to. */
export const ESCAPE = readFileSync(new URL("escape.py", import.meta.url), "utf8");

/** What the tries come to in every sandbox, whichever namespaces it has. */
export const CONFINED = {
  "tcp to an address": "ENETUNREACH",
  dns: "gaierror",
  links: ["lo"],
  vsock: "EAFNOSUPPORT",
  "packet socket": "EAFNOSUPPORT",
  io_uring_setup: "EPERM",
  "unshare user": "EPERM",
  "clone user": "ENOSYS",
  clone3: "ENOSYS",
  mount: "EPERM",
  bpf: "EPERM",
  keyctl: "EPERM",
  ptrace: "EPERM",
  "32-bit call": "SIGSYS",
  "write to /": "EROFS",
  "write to /usr": "EROFS",
  "write to /etc": "EROFS",
  "write to /app": "done",
  "setuid bit": "unchanged",
  su: "refused",
  device: "EPERM",
  capabilities: "0000000000000000",
  "no new privileges": "1",
  uid: 1000,
};
