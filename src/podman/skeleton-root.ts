import { createHash, randomUUID } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { access, chmod, lchown, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../system/durable-file.js";
import type { BindMount, ContainerRoot, Namespace } from "./plan-container.js";
import { rootOutside } from "./user-mapping.js";

/** Of the host's /etc, what its programs need to run; nothing that names its users, hosts, networks or keys. */
const ETC_ALLOWED = [
  "alternatives",
  "ca-certificates",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "magic",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "pki/tls/certs",
  "pki/ca-trust/extracted",
  "protocols",
  "python3",
  "python3.11",
  "python3.12",
  "python3.13",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
  "terminfo",
  "timezone",
];

/** Goes up when `build` changes what it makes of the same entries. */
const FORMAT = 1;
const MOUNT_POINTS = ["app", "dev", "etc", "proc", "run", "sys", "tmp", "usr", "var"];
const PROGRAM_FOLDERS = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
const LARGEST_FILE = 1024 * 1024;
const EVERYONE_READS = 0o004;

type Entry = { path: string } & ({ link: string } | { bytes: Buffer });

/**
 * A root folder of about a megabyte in `cacheDir`, over which the host's own /usr is mounted read-only: for machines
 * that reach no registry. Named after its content and owner, so one that is there is as it should be.
 */
export async function skeletonRoot(
  cacheDir: string,
  user: { uid: number; gid: number },
  namespaces: readonly Namespace[] = [],
): Promise<ContainerRoot & { kind: "skeleton" }> {
  const { links, mounts } = programFolders();
  const entries: Entry[] = [...links, ...etcEntries("/etc"), ...ownEntries(user)];
  const owner = rootOutside(namespaces);
  const folder = path.join(cacheDir, `skeleton-${FORMAT}-${digestOf(entries)}-${owner.uid}`);
  if (!(await exists(folder))) await build(folder, entries, mounts, owner);
  return { kind: "skeleton", path: folder, mounts: [{ host: "/usr", inside: "/usr" }, ...mounts] };
}

/** /bin and its kin as they are here: links into /usr, or folders of their own that are mounted too. */
function programFolders(): { links: Entry[]; mounts: BindMount[] } {
  const links: Entry[] = [];
  const mounts: BindMount[] = [];
  for (const name of PROGRAM_FOLDERS) {
    const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) links.push({ path: name, link: readlinkSync(`/${name}`) });
    else if (stat?.isDirectory()) mounts.push({ host: `/${name}`, inside: `/${name}` });
  }
  return { links, mounts };
}

/** Synchronous: hundreds of links are read sooner than as many tasks of the thread pool are begun. */
function etcEntries(etc: string): Entry[] {
  const entries: Entry[] = [];
  const visit = (name: string, stat: Kind): void => {
    const from = `${etc}/${name}`;
    if (stat.isSymbolicLink()) entries.push({ path: `etc/${name}`, link: readlinkSync(from) });
    else if (stat.isDirectory()) for (const each of namesIn(from)) visit(`${name}/${each.name}`, each);
    else if (stat.isFile() && isForEveryone(from)) entries.push({ path: `etc/${name}`, bytes: readFileSync(from) });
  };
  for (const name of ETC_ALLOWED) {
    const stat = lstatSync(`${etc}/${name}`, { throwIfNoEntry: false });
    if (stat) visit(name, stat);
  }
  return entries;
}

type Kind = Pick<Dirent, "isSymbolicLink" | "isDirectory" | "isFile">;

const namesIn = (folder: string): Dirent[] =>
  readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));

function isForEveryone(file: string): boolean {
  const { size, mode } = lstatSync(file);
  return size <= LARGEST_FILE && (mode & EVERYONE_READS) !== 0;
}

function ownEntries({ uid, gid }: { uid: number; gid: number }): Entry[] {
  const text = (name: string, content: string): Entry => ({ path: name, bytes: Buffer.from(content) });
  return [
    text("etc/passwd", `root:x:0:0:root:/tmp:/usr/sbin/nologin\nagent:x:${uid}:${gid}:agent:/tmp:/bin/sh\n`),
    text("etc/group", `root:x:0:\nagent:x:${gid}:\n`),
    text("etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    { path: "var/tmp", link: "../tmp" },
  ];
}

function digestOf(entries: readonly Entry[]): string {
  const hash = createHash("sha256");
  for (const entry of entries) {
    const content = "link" in entry ? entry.link : createHash("sha256").update(entry.bytes).digest("hex");
    hash.update(JSON.stringify([entry.path, "link" in entry, content]));
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(
  folder: string,
  entries: readonly Entry[],
  mounts: readonly BindMount[],
  owner: { uid: number; gid: number },
): Promise<void> {
  const aside = `${folder}.${randomUUID()}`;
  try {
    for (const name of MOUNT_POINTS) await makeFolder(path.join(aside, name), 0o777);
    // A tmpfs takes over the mode of the folder that it is mounted on.
    await chmod(path.join(aside, "tmp"), 0o1777);
    for (const { inside } of mounts) await makeFolder(path.join(aside, inside), 0o777);
    for (const entry of entries) {
      const target = path.join(aside, entry.path);
      await makeFolder(path.dirname(target), 0o777);
      if ("link" in entry) await symlink(entry.link, target);
      else await writeFile(target, entry.bytes, { mode: 0o644 });
    }
    // In a user namespace the runtime makes its mounts as the root of that.
    if (owner.uid !== process.getuid?.()) await giveAll(aside, owner);
    await rename(aside, folder);
  } catch (cause) {
    await rm(aside, { recursive: true, force: true });
    // Another process was first; theirs has the same name, so the same content.
    if (!(await exists(folder))) throw cause;
  }
}

async function giveAll(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await lchown(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true })) await lchown(path.join(folder, name), uid, gid);
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
