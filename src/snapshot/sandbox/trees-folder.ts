import path from "node:path";

/** Where the files of versions lie that sandboxes share. */
export const treesIn = (kaiDir: string): string => path.join(kaiDir, "trees");

/** Begins the name of one that is being written; the process that does it follows. */
export const PART = ".part.";
export const TREES_LOCK = ".lock";

/** Beside the files: what they are known by as unchanged. When it was written last is when they were used last. */
export const FINGERPRINT = "fingerprint";

/** The files themselves. */
export const filesOf = (home: string): string => path.join(home, "files");

const ASIDE = ".aside.";

/** Where one goes that was changed: sandboxes may stand on it. */
export const setAside = (home: string, id: string): string => `${home}${ASIDE}${id}`;

/** The name that it had before. */
export const nameBefore = (name: string): string => name.split(ASIDE)[0] ?? name;
