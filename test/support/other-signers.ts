import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";

/** Somebody who signs otherwise than with OpenPGP, and whom stock git believes. */
export interface OtherSigner {
  /** Settings with which git signs and verifies, and the variables for it. */
  readonly config: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The armored detached signature. */
  sign(payload: Buffer): Buffer;
}

/** A new Ed25519 key of ssh-keygen's. */
export function sshSigner(dir: string): OtherSigner {
  const key = path.join(dir, "ssh-key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ada@example.com", "-f", key]);
  const allowed = path.join(dir, "allowed-signers");
  writeFileSync(allowed, `ada@example.com ${readFileSync(`${key}.pub`, "utf8")}`);
  return {
    config: settings({ "gpg.format": "ssh", "user.signingKey": key, "gpg.ssh.allowedSignersFile": allowed }),
    env: {},
    sign(payload) {
      const file = path.join(dir, "to-sign");
      writeFileSync(file, payload);
      rmSync(`${file}.sig`, { force: true });
      execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-f", key, "-n", "git", file], { stdio: "ignore" });
      return readFileSync(`${file}.sig`);
    },
  };
}

const CERTIFICATE = `Key-Type: RSA
Key-Length: 2048
Key-Usage: sign
Serial: random
Name-DN: CN=Ada Agent
Name-Email: ada@example.com
%commit
`;

/** A new self-signed certificate of gpgsm's, in a keyring of the test's own; its agent is stopped when the test ends. */
export function x509Signer(): OtherSigner {
  // Short, because the agent's socket lies in it and may have 108 bytes.
  const home = mkdtempSync("/tmp/ks-");
  const env = { PATH: process.env["PATH"], HOME: home, GNUPGHOME: home, LC_ALL: "C.UTF-8", TZ: "UTC" };
  onTestFinished(() => {
    spawnSync("gpgconf", ["--kill", "all"], { env });
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  });
  const gpgsm = (args: readonly string[], input: string | Buffer = "") =>
    execFileSync("gpgsm", ["--batch", "--quiet", ...args], { env, input, stdio: ["pipe", "pipe", "pipe"] });
  writeFileSync(path.join(home, "gpg-agent.conf"), "allow-loopback-pinentry\n");
  writeFileSync(path.join(home, "gpgsm.conf"), "disable-crl-checks\npinentry-mode loopback\n");
  gpgsm(["--import"], gpgsm(["--passphrase-fd", "0", "--generate-key", "--armor"], `\n${CERTIFICATE}`));
  const listed = gpgsm(["--with-colons", "--list-secret-keys"]).toString();
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? "";
  writeFileSync(path.join(home, "trustlist.txt"), `${fingerprint} S relax\n`);
  return {
    config: settings({ "gpg.format": "x509", "user.signingKey": fingerprint }),
    env: { GNUPGHOME: home },
    sign: (payload) => gpgsm(["--armor", "--local-user", fingerprint, "--detach-sign"], payload),
  };
}

const settings = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
