import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Bench, type BenchFolders } from "./bench.js";
import type { Figure } from "./figure.js";
import { CAPTURE } from "./figures/capture.js";
import { DEPLOY } from "./figures/deploy.js";
import { HASH } from "./figures/hash.js";
import { MANY_SNAPSHOTS } from "./figures/many-snapshots.js";
import { MEMORY } from "./figures/memory.js";
import { READ } from "./figures/read.js";
import { ROLLBACK } from "./figures/rollback.js";
import { SNAPSHOT } from "./figures/snapshot.js";
import { START } from "./figures/start.js";
import { WRITE } from "./figures/write.js";
import { FIXTURE_VERSION, Fixtures } from "./fixtures/fixtures.js";
import { formatReport, type Result } from "./report.js";

const FIGURES: readonly Figure[] = [
  ...START,
  ...READ,
  ...WRITE,
  ...ROLLBACK,
  ...CAPTURE,
  ...DEPLOY,
  ...SNAPSHOT,
  ...MANY_SNAPSHOTS,
  ...HASH,
  ...MEMORY,
];

/** Measures what `--only` names (all whose name begins so), or everything, and prints a table or, with `--json`, a document. */
export async function main(argv: readonly string[], folders: BenchFolders): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "9" },
    },
  });
  const { only } = values;
  const chosen = FIGURES.filter(({ name }) => only === undefined || only.some((each) => name.startsWith(each)));
  const root = path.join(folders.cache, `repositories-${FIXTURE_VERSION}`);
  const home = path.join(root, "home");
  mkdirSync(home, { recursive: true });
  const bench = new Bench(folders, home);
  const fixtures = new Fixtures(bench, root);
  const results: Result[] = [];
  try {
    for (const figure of chosen) {
      process.stderr.write(`Measuring ${figure.name}\n`);
      results.push({ figure, measured: await figure.measure(bench, fixtures, Number(values.rounds)) });
      fixtures.removeCopies();
    }
  } finally {
    fixtures.close();
  }
  process.stdout.write(formatReport(results, values.json));
}
