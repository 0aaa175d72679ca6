import { kaiArguments } from "./kai-arguments.js";
import { main } from "./main.js";

process.exitCode = await main(kaiArguments(process.argv.slice(2), process.env), process.env);
