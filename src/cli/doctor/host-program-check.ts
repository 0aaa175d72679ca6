import { findProgram } from "../../system/find-program.js";
import { type Check, ok, warn } from "./check.js";

/** What PATH is inside, as far as it lies in /usr: the rest of the machine is not visible there. */
const INSIDE = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

/** Whether a sandbox on `base_images: host` finds the interpreter that the user works with. */
export function checkHostProgram(name: string, packageName: string, env: NodeJS.ProcessEnv): Check {
  const title = `${name} for sandboxes`;
  const usual = findProgram(name, (env["PATH"] ?? "").split(":"));
  const inside = findProgram(name, INSIDE);
  const visible = inside?.startsWith("/usr/") ? inside : undefined;
  if (visible === undefined) {
    const detail = usual === undefined ? "not installed" : `${usual} is outside /usr, so \`host\` sandboxes lack it`;
    return warn(title, detail, `Run \`sudo apt-get install -y ${packageName}\`, or use an image in base_images.`);
  }
  return usual === undefined || usual === visible
    ? ok(title, visible)
    : ok(title, `${visible}; yours, ${usual}, is not what they see`);
}
