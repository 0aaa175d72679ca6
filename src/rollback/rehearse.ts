import type { RollbackCaller } from "./decided.js";
import type { RollbackOptions } from "./request.js";
import type { RollbackResult } from "./rollback.js";

/** What a rehearsal came to. */
export interface Rehearsal {
  readonly rehearsed: true;
  /** Whether the rollback would have succeeded, as far as it can be tried. */
  readonly ok: boolean;
  /** What it would have failed with; null where it would not. */
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  /** Where its commands ran: in a container, or on this host in the folder of the copy. */
  readonly isolation: "container" | "folder";
  /** Why not in a container, a sentence; null where they did. */
  readonly notContained: string | null;
  /** What commands could reach: nobody, the outside but only to install, or what this host does. */
  readonly network: "none" | "install" | "host";
  /** What is worth knowing of how it was tried, sentences. */
  readonly remarks: readonly string[];
  /** Of the copy; null where it failed before the commit point. */
  readonly rollback: RollbackResult | null;
}

/**
 * Runs the whole rollback on a copy of the repository, the working tree and the live state: it is planned, verified, saved,
 * installed, migrated, restored and tested there. Its commands run in a container in which the copy lies where the agent does, where
 * there can be one: then the agent is stopped, started and asked for health in it, too. Else they run on this host, and these
 * three are left out. What is deployed is copied likewise. Nothing of the original is changed.
 */
export async function rehearse(caller: RollbackCaller, options: RollbackOptions): Promise<Rehearsal> {
  // What containers take is loaded by what needs one.
  const { rehearseOnCopy } = await import("./rehearse-on-copy.js");
  return rehearseOnCopy(caller, options);
}
