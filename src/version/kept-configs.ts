import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { AgentConfig, KeptConfigs } from "../agent/config.js";
import { kaiHome } from "../trust/key-store.js";

/** Put in by the build: a digest of all that a text is read by. What another program read says nothing to this one. */
declare const KAI_CONFIG_READER: string | undefined;

const PREFIX = "config-";
const MOST = 100;

/**
 * What texts of kai.yaml say, in the cache of whoever runs this beside their keys: to read one takes longer than many a command, and
 * the parser of YAML need not be loaded. Never in a repository, where what a text says could be put by somebody else: what
 * is kept cannot be proven without reading the text again. Damaged, or not to be written, it is as if there were nothing.
 */
export class ConfigCache implements KeptConfigs {
  readonly #folder: string;

  constructor(env: NodeJS.ProcessEnv) {
    this.#folder = path.join(kaiHome(env), "cache");
  }

  find(text: string): AgentConfig | undefined {
    if (typeof KAI_CONFIG_READER !== "string") return undefined;
    try {
      const kept = readFileSync(this.#fileOf(text), "utf8");
      const end = kept.indexOf("\n");
      const config = kept.slice(end + 1);
      return digest(config) === kept.slice(0, end) ? (JSON.parse(config) as AgentConfig) : undefined;
    } catch {
      return undefined;
    }
  }

  async keep(text: string, config: AgentConfig): Promise<void> {
    if (typeof KAI_CONFIG_READER !== "string") return;
    const file = this.#fileOf(text);
    const aside = `${file}.new-${process.pid}`;
    const json = JSON.stringify(config);
    try {
      // Who has no home for keys is not given one by looking.
      await mkdir(this.#folder, { mode: 0o700 }).catch(ignoreThere);
      await writeFile(aside, `${digest(json)}\n${json}`, { mode: 0o600 });
      await rename(aside, file);
      await this.#forgetOldest();
    } catch {
      await rm(aside, { force: true }).catch(() => {});
    }
  }

  #fileOf = (text: string): string => path.join(this.#folder, `${PREFIX}${digest(`${KAI_CONFIG_READER}\n${text}`)}`);

  async #forgetOldest(): Promise<void> {
    const files = readdirSync(this.#folder)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => path.join(this.#folder, name));
    if (files.length <= MOST) return;
    const age = new Map(files.map((file) => [file, statSync(file).mtimeMs]));
    const oldest = files.sort((a, b) => (age.get(a) ?? 0) - (age.get(b) ?? 0));
    for (const file of oldest.slice(0, files.length - MOST)) await rm(file, { force: true });
  }
}

function ignoreThere(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "EEXIST") throw cause;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
