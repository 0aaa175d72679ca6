import { tryEverything } from "./sandboxed-agent.js";

// Run as a program of its own by whoever may not be root.
const [cacheDir = "", folder = ""] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await tryEverything({ cacheDir, folder, env: process.env })));
