import { readFileSync } from "node:fs";
import { OWNER_LABEL } from "../../src/podman/leftovers.js";
import { startContainer } from "../../src/podman/start-container.js";
import { identityOf } from "../../src/system/process-identity.js";

// `start-program.mjs FILE`: starts the container that the file describes, and never ends by itself.
const { plan, host, options } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const owner = identityOf(process.pid);
const starting = startContainer({ ...plan, labels: { ...plan.labels, [OWNER_LABEL]: owner } }, host, options);
process.stdout.write("starting\n");
await starting;
process.stdout.write("started\n");
setInterval(() => {}, 1000);
