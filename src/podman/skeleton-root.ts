import { createHash, randomUUID } from "node:crypto";
import {
  access,
  chmod,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
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
  const { links, mounts } = await programFolders();
  const entries: Entry[] = [...links, ...(await etcEntries("/etc")), ...ownEntries(user)];
  const owner = rootOutside(namespaces);
  const folder = path.join(cacheDir, `skeleton-${FORMAT}-${digestOf(entries)}-${owner.uid}`);
  if (!(await exists(folder))) await build(folder, entries, mounts, owner);
  return { kind: "skeleton", path: folder, mounts: [{ host: "/usr", inside: "/usr" }, ...mounts] };
}

/** /bin and its kin as they are here: links into /usr, or folders of their own that are mounted too. */
async function programFolders(): Promise<{ links: Entry[]; mounts: BindMount[] }> {
  const links: Entry[] = [];
  const mounts: BindMount[] = [];
  for (const name of PROGRAM_FOLDERS) {
    const stat = await lstat(`/${name}`).catch(() => undefined);
    if (stat?.isSymbolicLink()) links.push({ path: name, link: await readlink(`/${name}`) });
    else if (stat?.isDirectory()) mounts.push({ host: `/${name}`, inside: `/${name}` });
  }
  return { links, mounts };
}

async function etcEntries(etc: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const visit = async (relative: string): Promise<void> => {
    const from = path.join(etc, relative);
    const stat = await lstat(from).catch(() => undefined);
    if (stat === undefined) return;
    if (stat.isSymbolicLink()) entries.push({ path: `etc/${relative}`, link: await readlink(from) });
    else if (stat.isDirectory()) {
      for (const name of (await readdir(from)).sort()) await visit(`${relative}/${name}`);
    } else if (stat.isFile() && stat.size <= LARGEST_FILE && stat.mode & EVERYONE_READS) {
      entries.push({ path: `etc/${relative}`, bytes: await readFile(from) });
    }
  };
  for (const name of ETC_ALLOWED) await visit(name);
  return entries;
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
    for (const name of MOUNT_POINTS) await mkdir(path.join(aside, name), { recursive: true });
    // A tmpfs takes over the mode of the folder that it is mounted on.
    await chmod(path.join(aside, "tmp"), 0o1777);
    for (const { inside } of mounts) await mkdir(path.join(aside, inside), { recursive: true });
    for (const entry of entries) {
      const target = path.join(aside, entry.path);
      await mkdir(path.dirname(target), { recursive: true });
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
