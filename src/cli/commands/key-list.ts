import { kaiHome, listKeys } from "../../trust/key-store.js";
import { defineCommand } from "../define-command.js";
import { printable } from "../style.js";
import { formatTable } from "../table.js";

export const keyListCommand = defineCommand({
  name: "key list",
  summary: "List your keys and those that you imported",
  description: "`default` is the key that signs, `local` another one of yours, `known` somebody else's public key.",
  async run(_input, { env, output }) {
    const keys = (await listKeys(kaiHome(env))).map((key) => ({ ...key, roles: [] }));
    output.result({ keys }, (result, { columns }) =>
      result.keys.length === 0
        ? "No keys yet. `git kai-version key generate` makes one."
        : formatTable(
            [{ title: "FINGERPRINT" }, { title: "STATUS" }, { title: "OWNER", shrink: true }],
            result.keys.map(({ fingerprint, status, owner }) => [fingerprint, status, printable(owner)]),
            columns,
          ),
    );
  },
});
