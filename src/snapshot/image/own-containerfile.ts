import { KaiError } from "../../error.js";

/** A version's own Containerfile, as far as it is built: an image, and what is done on it, an instruction a line. */
export interface OwnContainerfile {
  readonly from: string;
  readonly lines: readonly string[];
}

/** What they say is about how an image is run, and a sandbox decides that itself. */
const WITHOUT_EFFECT = new Set([
  "LABEL",
  "MAINTAINER",
  "EXPOSE",
  "CMD",
  "ENTRYPOINT",
  "HEALTHCHECK",
  "STOPSIGNAL",
  "VOLUME",
]);
const KEPT = new Set(["ARG", "ENV", "RUN", "COPY", "WORKDIR", "USER", "SHELL"]);
const COPY_OPTIONS = /^(?:--(?:chown=[\w.:-]+|chmod=[0-7]{3,4})\s+)*/;
const HERE_DOCUMENT = /<<-?\s*["']?[A-Za-z_]/;
/** `[HOST[:PORT]/]NAME[:TAG][@DIGEST]` */
const IMAGE = /^\w[\w.-]*(?::\d+(?=\/))?(?:\/[\w.-]+)*(?::\w[\w.-]*)?(?:@\w+:[0-9a-f]+)?$/i;
/** What podman would read such an image from instead: folders and archives of this machine. */
const TRANSPORT =
  /^(?:atomic|containers-storage|dir|docker-archive|docker-daemon|oci|oci-archive|ostree|sif|tarball):/i;

/**
 * Reads a Containerfile strictly, and gives what podman is to do written anew, so that it reads no more in it than was judged here.
 * What podman itself would carry out on this machine, outside of any container, is refused: E103.
 */
export function readContainerfile(text: string, name: string): OwnContainerfile {
  let from: string | undefined;
  const lines: string[] = [];
  for (const { line, content } of logicalLines(text, name)) {
    const [, word = "", rest = ""] = /^([A-Za-z]+)(?:\s+(.*))?$/s.exec(content) ?? [];
    const instruction = word.toUpperCase();
    if (WITHOUT_EFFECT.has(instruction)) continue;
    const refused = instruction === "FROM" ? refusedBase(rest, from) : refusedInstruction(instruction, rest);
    if (refused !== undefined) throw cannotBuild(name, line, refused);
    if (instruction === "FROM") from = imageOf(rest);
    else if (from !== undefined) lines.push(`${instruction} ${rest}`);
    // Before FROM it is for FROM alone, which names no variable.
    else if (instruction !== "ARG") throw cannotBuild(name, line, `${instruction} before FROM`);
  }
  if (from === undefined) throw cannotBuild(name, 1, "no FROM");
  return { from, lines };
}

const imageOf = (rest: string): string | undefined => /^(\S+)(?:\s+as\s+\S+)?$/i.exec(rest)?.[1];

function refusedBase(rest: string, before: string | undefined): string | undefined {
  if (before !== undefined) return "a second FROM";
  const image = imageOf(rest) ?? "";
  const isName = IMAGE.test(image) && !TRANSPORT.test(image) && image !== "scratch";
  return isName ? undefined : "FROM takes one image, by its name";
}

function refusedInstruction(instruction: string, rest: string): string | undefined {
  if (!KEPT.has(instruction)) return instruction === "" ? "what is no instruction" : instruction;
  const options = instruction === "COPY" ? rest.replace(COPY_OPTIONS, "") : rest;
  if (/^(?:RUN|COPY)$/.test(instruction) && options.startsWith("--")) return `an option of ${instruction}`;
  return /^(?:RUN|COPY)$/.test(instruction) && HERE_DOCUMENT.test(rest) ? "a here-document" : undefined;
}

const ESCAPE_DIRECTIVE = /^#\s*escape\s*=/i;

/** Lines joined where one ends with a backslash; comments and empty lines are none, also in between. */
function logicalLines(text: string, name: string): { line: number; content: string }[] {
  const found: { line: number; content: string }[] = [];
  let open: { line: number; content: string } | undefined;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const trimmed = raw.trim();
    if (ESCAPE_DIRECTIVE.test(trimmed)) throw cannotBuild(name, index + 1, "another escape character");
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const goesOn = trimmed.endsWith("\\");
    const part = goesOn ? trimmed.slice(0, -1) : trimmed;
    open = open === undefined ? { line: index + 1, content: part } : { ...open, content: `${open.content}${part}` };
    if (goesOn) continue;
    found.push({ ...open, content: open.content.trim() });
    open = undefined;
  }
  if (open !== undefined) found.push({ ...open, content: open.content.trim() });
  return found;
}

const listed = (words: ReadonlySet<string>): string => {
  const all = [...words];
  return `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
};

const cannotBuild = (name: string, line: number, what: string): KaiError =>
  new KaiError("E103", `The version's ${name} cannot be built here, line ${line}: ${what}.`, {
    hint:
      `It may hold one FROM, and ${listed(KEPT)}, with no option but --chown and --chmod of COPY; ${listed(WITHOUT_EFFECT)} are passed over. ` +
      "`--image NAME` uses an image as it is.",
  });
