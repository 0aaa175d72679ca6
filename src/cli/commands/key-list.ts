import { kaiHome, listKeys } from "../../trust/key-store.js";
import { type Policy, principalOf, type Role } from "../../trust/policy.js";
import { findPolicyAround } from "../../version/policy-around.js";
import { defineCommand } from "../define-command.js";
import { printable } from "../style.js";
import { formatTable } from "../table.js";

export const keyListCommand = defineCommand({
  name: "key list",
  summary: "List your keys and those that you imported",
  description:
    "`default` is the key that signs, `local` another one of yours, `known` somebody else's public key. Inside an agent it also says which roles the agent's policy gives each, in the line below.",
  async run(_input, { cwd, env, output }) {
    const [listed, policy] = await Promise.all([listKeys(kaiHome(env)), findPolicyAround(cwd, env)]);
    const keys = listed.map((key) => ({ ...key, roles: policy ? rolesOf(policy, key.fingerprint) : [] }));
    output.result({ keys }, (result, { columns }) =>
      result.keys.length === 0
        ? "No keys yet. `git kai-version key generate` makes one."
        : formatTable(
            [{ title: "FINGERPRINT" }, { title: "STATUS" }, { title: "OWNER", shrink: "cut" }],
            result.keys.flatMap(({ fingerprint, status, roles, owner }) => [
              [fingerprint, status, printable(owner)],
              ...(roles.length > 0 ? [[`  ${roles.join(", ")}`]] : []),
            ]),
            columns,
          ),
    );
  },
});

function rolesOf(policy: Policy, fingerprint: string): readonly Role[] {
  const name = principalOf(policy, fingerprint);
  return name === undefined ? [] : (policy.principals[name]?.roles ?? []);
}
