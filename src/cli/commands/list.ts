import { ObjectReader } from "../../git/object-reader.js";
import { parseDate } from "../../git/parse-date.js";
import { openRepository, type Repository } from "../../git/repository.js";
import { readOperationState } from "../../operation/operation-state.js";
import type { KnownVersion } from "../../version/history.js";
import { knownSignatures } from "../../version/known-signatures.js";
import { type ListedVersion, listVersions, SORT_KEYS, type VersionList } from "../../version/list.js";
import { readHistoryOf } from "../../version/reading.js";
import { describeStanding, STATUSES } from "../../version/standing.js";
import { versionTree } from "../../version/version-tree.js";
import { tellConfigBroken } from "../caller.js";
import { counted } from "../counted.js";
import { choice, defineCommand, flag, parsed, value } from "../define-command.js";
import { statusMark } from "../describe-standing.js";
import { describeUnfinished } from "../describe-unfinished.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { type Column, formatTable } from "../table.js";

export const listCommand = defineCommand({
  name: "list",
  summary: "List the versions there are",
  description:
    "Reads tags and log and verifies nothing: the signature column says what an earlier `verify` found. A tag that fits tag_format and was made by another tool is listed as foreign.",
  options: {
    type: choice(["auto", "manual", "release", "rollback", "foreign"], "only versions of this type"),
    status: {
      ...choice(
        ["active", "withdrawn", ...STATUSES],
        `only these: ${["withdrawn", ...STATUSES].join(", ")}, or active: all that may be used`,
      ),
      placeholder: "S",
    },
    since: value("D", "made at this moment or later, e.g. 2026-01-31 or '2 weeks ago'"),
    until: value("D", "made at this moment or earlier"),
    match: value("GLOB", "only numbers or tags that match, e.g. '1.2.*'"),
    sort: choice(SORT_KEYS, "newest or highest first by this; default: version"),
    reverse: flag("the other way round"),
    limit: parsed("N", "at most so many", counted),
    offset: parsed("N", "leave out the first so many", counted),
    tree: flag("show each version under its parent, or the nearest version before that which is shown"),
  },
  examples: [{ line: "git kai-version list --match '1.*' --limit 10", does: "the ten highest of line 1" }],
  async run(input, context) {
    const repository = await openRepository(context.cwd, context.env);
    const [known, since, until, signatureOf] = await Promise.all([
      readHistoryOf(repository, tellConfigBroken(context)),
      input.since === undefined ? undefined : parseDate(repository, input.since),
      input.until === undefined ? undefined : parseDate(repository, input.until),
      signaturesOf(repository, context.env),
    ]);
    const request = {
      type: input.type,
      status: input.status,
      since,
      until,
      match: input.match,
      sort: input.sort ?? "version",
      ascending: input.reverse,
      limit: input.limit,
      offset: input.offset ?? 0,
    } as const;
    const list = listVersions(known.history, request, signatureOf);
    const unfinished = known.unfinished && describeUnfinished(await readOperationState(known.agent.repository));
    if (unfinished) context.output.warn(unfinished);
    if (!known.hasLog) context.output.warn("This clone lacks the log: `git kai-version init` fetches and adopts it.");
    const document = { agent: known.agent.config.agent_id, ...list };
    const parents = new Map(known.history.versions.map(({ number, parent }) => [number.text, parent]));
    context.output.result(document, input.tree ? (list, output) => describeTree(list, parents, output) : describeList);
  },
});

async function signaturesOf(
  repository: Repository,
  env: NodeJS.ProcessEnv,
): Promise<(version: KnownVersion) => string> {
  const reader = new ObjectReader(repository);
  try {
    return await knownSignatures(repository, reader, env);
  } catch {
    // A log that cannot be trusted is for `verify` to tell; a list is still a list.
    return () => "unchecked";
  } finally {
    reader.close();
  }
}

function describeList(list: VersionList, output: Output): string {
  const { style } = output;
  if (list.total === 0) return `No version yet: \`git kai-version create\` makes the first.${skippedLine(list)}`;
  if (list.versions.length === 0) return noneShown(list);
  const withStatus = list.versions.some(({ status }) => status !== "active");
  const rows = list.versions.map((version) => [
    version.current ? style.green("*") : " ",
    version.current ? style.bold(version.version) : version.version,
    version.type,
    ...(withStatus ? [markOf(version, output) || "active"] : []),
    formatTime(version.createdAt),
    signatureMark(version, output),
    version.description,
  ]);
  const columns: Column[] = [
    { title: " " },
    { title: "VERSION" },
    { title: "TYPE" },
    ...(withStatus ? [{ title: "STATUS" }] : []),
    { title: "CREATED" },
    { title: "SIGNATURE" },
    { title: "DESCRIPTION", shrink: "cut" },
  ];
  const shown = list.versions.length < list.filtered ? `\n${list.versions.length} of ${list.filtered} shown.` : "";
  return `${formatTable(columns, rows, output.columns)}${shown}${reasonLines(list)}${skippedLine(list)}`;
}

const markOf = ({ status, standing }: ListedVersion, output: Output): string =>
  statusMark({ withdrawn: status === "withdrawn", standing }, output);

/** Reasons that are shown; more would push the list off the screen. */
const SHOWN_REASONS = 5;

function reasonLines({ versions }: VersionList): string {
  const lines = versions.flatMap(({ version, standing }) =>
    standing !== null && standing.reason !== null ? [`\n${version} is ${describeStanding(standing)}`] : [],
  );
  const more =
    lines.length > SHOWN_REASONS ? `\n${lines.length - SHOWN_REASONS} more: \`git kai-version show VERSION\`` : "";
  return `${lines.slice(0, SHOWN_REASONS).join("")}${more}`;
}

function signatureMark({ signature }: ListedVersion, { style }: Output): string {
  if (signature === "good") return style.green(signature);
  return signature === "unchecked" ? style.dim(signature) : style.red(signature);
}

const noneShown = ({ total, filtered }: VersionList): string =>
  filtered === 0
    ? total === 1
      ? "The only version does not match."
      : `None of the ${total} versions matches.`
    : `0 of ${filtered} shown.`;

const skippedLine = ({ skipped }: VersionList): string =>
  skipped.length === 0
    ? ""
    : `\n${skipped.length} ${skipped.length === 1 ? "tag is" : "tags are"} no version: ${skipped
        .slice(0, 3)
        .map(({ tag, reason }) => `${tag} (${reason})`)
        .join(", ")}${skipped.length > 3 ? ", …" : ""}`;

function describeTree(list: VersionList, parents: ReadonlyMap<string, string | null>, output: Output): string {
  const { style } = output;
  if (list.total === 0) return "No version yet: `git kai-version create` makes the first.";
  if (list.versions.length === 0) return noneShown(list);
  return versionTree([...list.versions].reverse(), parents)
    .map(({ lead, version, after }) => {
      const marks = [
        after === null ? "" : style.dim(`after ${after}`),
        version.current ? style.green("current") : "",
        markOf(version, output),
      ];
      return `${lead}${style.bold(version.version)}  ${[...marks, version.description].filter((part) => part !== "").join("  ")}`;
    })
    .join("\n");
}
