import { kaiArguments } from "./kai-arguments.js";
import { start } from "./start.js";

void start(kaiArguments(process.argv.slice(2), process.env));
