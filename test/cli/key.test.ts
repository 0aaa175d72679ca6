import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { gnupg } from "../support/gnupg.js";
import { type Scratch, scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

function kai({ dir, env }: Scratch, args: readonly string[], options: { env?: object; input?: string | Buffer } = {}) {
  const run = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: dir,
    env: { ...env, ...options.env },
    input: options.input ?? "",
    encoding: "utf8",
  });
  return `${run.stdout}${run.stderr}[exit ${run.status}]`;
}

const FINGERPRINT = /[0-9A-F]{40}/g;

function kaiJson(place: Scratch, args: readonly string[], options: { env?: object; input?: string | Buffer } = {}) {
  return JSON.parse(kai(place, [...args, "--json"], options).replace(/\[exit \d+\]$/, ""));
}

/** A place where nothing says who the user is. */
function anonymous(): Scratch {
  const { dir, env } = scratch();
  return { dir, env: { ...env, GIT_COMMITTER_NAME: undefined, GIT_COMMITTER_EMAIL: undefined } };
}

test("a first key is made for git's user and listed", () => {
  const place = anonymous();
  execFileSync("git", ["init", "-q"], { cwd: place.dir, env: place.env });
  for (const [key, text] of [
    ["user.name", "Zoë Agent"],
    ["user.email", "zoe@example.com"],
  ] as const) {
    execFileSync("git", ["config", key, text], { cwd: place.dir, env: place.env });
  }
  expect(kai(place, ["key", "list"])).toMatchInlineSnapshot(`
    "No keys yet. \`git kai-version key generate\` makes one.
    [exit 0]"
  `);
  expect(kai(place, ["key", "generate", "--no-passphrase"]).replace(FINGERPRINT, "<KEY>")).toMatchInlineSnapshot(`
    "Made key <KEY> for Zoë Agent <zoe@example.com>. It signs your versions from now on.
    [exit 0]"
  `);
  expect(kai(place, ["key", "list"]).replace(FINGERPRINT, "<KEY>".padEnd(40))).toMatchInlineSnapshot(`
    "FINGERPRINT                               STATUS   OWNER
    <KEY>                                     default  Zoë Agent <zoe@example.com>
    [exit 0]"
  `);
  expect(kaiJson(place, ["key", "list"])).toEqual({
    schemaVersion: 1,
    keys: [
      {
        fingerprint: expect.stringMatching(/^[0-9A-F]{40}$/),
        owner: "Zoë Agent <zoe@example.com>",
        roles: [],
        status: "default",
      },
    ],
  });
});

test("what is missing for a key is said", () => {
  const place = anonymous();
  expect(kai(place, ["key", "generate"])).toMatchInlineSnapshot(`
    "Error E122: A key needs its owner's name.
    Hint: Give \`--name\` and \`--email\`, or set git's user.name and user.email.
    [exit 2]"
  `);
  const named = ["key", "generate", "--name", "Ada", "--email", "ada@example.com"];
  expect(kai(place, named)).toMatchInlineSnapshot(`
    "Error E122: Nobody is here to ask for a passphrase.
    Hint: Give \`--passphrase-env VAR\`, or \`--no-passphrase\` for a key that signs unattended.
    [exit 2]"
  `);
  expect(kai(place, [...named, "--passphrase-env", "NOWHERE"])).toMatchInlineSnapshot(`
    "Error E122: The environment variable NOWHERE holds no passphrase.
    [exit 2]"
  `);
  expect(kai(place, ["key", "generate", "--name", "Ada", "--email", "ada", "--no-passphrase"])).toMatchInlineSnapshot(`
    "Error E122: 'ada' is no e-mail address.
    Hint: Give one with \`--email\`, or set git's user.email.
    [exit 2]"
  `);
  expect(kai(place, ["key", "generate", "--name", "Ada", "--email", "s@e", "--no-passphrase"])).toContain(
    "Hint: Name and address must be those of a mailbox, such as clerk@example.com",
  );
  expect(kai(place, ["key", "export"])).toMatchInlineSnapshot(`
    "Error E110: There is no default key.
    Hint: \`git kai-version key list\` shows the keys there are; \`git kai-version key generate\` makes one.
    [exit 3]"
  `);
  expect(kai(place, ["key", "list"])).toContain("No keys yet.");
});

test("a passphrase from the environment locks the key, and a wrong one does not open it", async () => {
  const place = scratch();
  const named = ["key", "generate", "--name", "Ada", "--email", "ada@example.com", "--passphrase-env", "PASS"];
  const { fingerprint } = kaiJson(place, named, { env: { PASS: "open sesame" } });
  const home = kaiHome(place.env);
  expect((await openSigner({ home, env: { KAI_KEY_PASSPHRASE: "open sesame" } })).fingerprint).toBe(fingerprint);
  await expect(openSigner({ home, env: { KAI_KEY_PASSPHRASE: "sesame" } })).rejects.toMatchObject({ code: "E111" });
});

test("keys travel: exported, piped in, listed as known", () => {
  const [ada, bob] = [scratch(), scratch()];
  const named = ["key", "generate", "--name", "Ada", "--email", "ada@example.com", "--no-passphrase"];
  const { fingerprint } = kaiJson(ada, named);
  const { armored } = kaiJson(ada, ["key", "export", fingerprint]);
  expect(armored).toContain("BEGIN PGP PUBLIC KEY BLOCK");
  expect(kai(bob, ["key", "import", "-"], { input: armored }).replace(FINGERPRINT, "<KEY>")).toMatchInlineSnapshot(`
    "Imported <KEY> (known) of Ada <ada@example.com>
    [exit 0]"
  `);
  expect(kaiJson(bob, ["key", "list"]).keys).toMatchObject([{ fingerprint, status: "known" }]);
  writeFileSync(path.join(bob.dir, "ada.asc"), kaiJson(ada, ["key", "export", "--secret"]).armored);
  expect(kaiJson(bob, ["key", "import", "ada.asc"]).keys).toMatchObject([{ fingerprint, status: "default" }]);
});

test("files that hold no key are refused", () => {
  const place = scratch();
  writeFileSync(path.join(place.dir, "junk"), "no key here\n");
  expect(kai(place, ["key", "import", "junk"])).toMatchInlineSnapshot(`
    "Error E123: No key was imported: there is no OpenPGP key in it.
    Hint: \`gpg --armor --export <name>\` writes a public key in the form that is read here.
    [exit 1]"
  `);
  expect(kai(place, ["key", "import", "nowhere"]).replace(place.dir, "<DIR>")).toMatchInlineSnapshot(`
    "Error E123: The key file <DIR>/nowhere could not be read: there is no such file.
    Hint: \`gpg --armor --export NAME > FILE\` writes one of gpg's; \`-\` reads standard input.
    [exit 1]"
  `);
});

test("a secret key that others can read is not given out", async () => {
  const place = scratch();
  const home = kaiHome(place.env);
  const { fingerprint } = await generateKey({ home, name: "Ada", email: "ada@example.com", at: new Date() });
  chmodSync(path.join(home, "keys", `${fingerprint}.asc`), 0o644);
  expect(
    kai(place, ["key", "export", "--secret"]).replaceAll(home, "<HOME>").replace(FINGERPRINT, "<KEY>"),
  ).toMatchInlineSnapshot(`
    "Error E110: The secret key <HOME>/keys/<KEY>.asc can be read by others.
    Hint: chmod 600 '<HOME>/keys/<KEY>.asc'
    [exit 3]"
  `);
});

test("`key export | gpg --import` lets stock git verify a tag that we signed", async () => {
  const place = scratch();
  const { dir, env } = place;
  const pg = gnupg();
  const git = (args: readonly string[], input?: string) =>
    execFileSync("git", args, {
      cwd: dir,
      env: { ...env, GNUPGHOME: pg.home },
      input: input ?? "",
      encoding: "utf8",
      stdio: "pipe",
    });
  const home = kaiHome(env);
  await generateKey({ home, name: "Ada Agent", email: "ada@example.com", at: new Date("2025-01-01T00:00:00Z") });
  pg.gpg(["--import"], kai(place, ["key", "export"]).replace(/\[exit 0\]$/, ""));
  git(["init", "-q"]);
  git(["commit", "-q", "--allow-empty", "-m", "first"]);
  const commit = git(["rev-parse", "HEAD"]).trim();
  const signer = await openSigner({ home, env });
  const payload = `object ${commit}\ntype commit\ntag v1.0.0\ntagger ${signer.name} <${signer.email}> 1763158400 +0000\n\nv1.0.0\n`;
  const signature = await signer.sign(Buffer.from(payload), new Date(1763158400_000));
  const tag = git(["mktag"], payload + signature).trim();
  git(["update-ref", "refs/tags/v1.0.0", tag]);
  expect(git(["verify-tag", "--raw", "v1.0.0"])).toBe("");
  expect(git(["fsck", "--strict"])).not.toContain("error");
  const forged = git(
    ["hash-object", "-t", "tag", "-w", "--stdin"],
    payload.replace("v1.0.0\n", "v1.0.1\n") + signature,
  ).trim();
  git(["update-ref", "refs/tags/v1.0.1", forged]);
  expect(() => git(["verify-tag", "v1.0.1"])).toThrow("BAD signature");
});
