import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";

export interface GnuPg {
  readonly home: string;
  /** Runs gpg without a terminal; throws where it fails. */
  gpg(args: readonly string[], input?: string | Buffer): Buffer;
  /** What gpg says of a detached signature: its `[GNUPG:]` lines, and whether it exits well. */
  verify(payload: Buffer, signature: Buffer | string): { ok: boolean; status: string };
  /** Makes a key without passphrase and gives its fingerprint. `at` is a time such as `20200101T000000`. */
  generate(userId: string, algorithm: string, options?: { expire?: string; at?: string }): string;
  /** The armored detached signature. */
  sign(payload: Buffer, key: string, args?: readonly string[]): Buffer;
  export(key: string): Buffer;
}

/** The real gpg with an empty keyring of the test's own; its agent is stopped when the test ends. */
export function gnupg(): GnuPg {
  // Short, because the agent's socket lies in it and may have 108 bytes.
  const home = mkdtempSync("/tmp/kg-");
  const env = { PATH: process.env["PATH"], HOME: home, GNUPGHOME: home, LC_ALL: "C.UTF-8", TZ: "UTC" };
  onTestFinished(() => {
    spawnSync("gpgconf", ["--kill", "all"], { env });
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  });
  const common = ["--batch", "--yes", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
  const gpg: GnuPg["gpg"] = (args, input) =>
    execFileSync("gpg", [...common, ...args], { env, input: input ?? "", stdio: ["pipe", "pipe", "pipe"] });
  const timed = (at: string | undefined): string[] => (at === undefined ? [] : ["--faked-system-time", at]);
  return {
    home,
    gpg,
    verify(payload, signature) {
      const files = [path.join(home, "signature"), path.join(home, "payload")] as const;
      writeFileSync(files[0], signature);
      writeFileSync(files[1], payload);
      const run = spawnSync("gpg", [...common, "--status-fd", "1", "--verify", ...files], { env, encoding: "utf8" });
      return { ok: run.status === 0, status: run.stdout };
    },
    generate(userId, algorithm, { expire = "never", at } = {}) {
      gpg([...timed(at), "--quick-generate-key", userId, algorithm, "sign", expire]);
      const colons = gpg(["--with-colons", "--list-secret-keys", `=${userId}`]).toString();
      return /^fpr:+([0-9A-F]{40}):/m.exec(colons)?.[1] ?? "";
    },
    sign: (payload, key, args = []) => gpg(["--armor", "--local-user", key, ...args, "--detach-sign"], payload),
    export: (key) => gpg(["--armor", "--export", key]),
  };
}
