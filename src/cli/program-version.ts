/** Put in by the build from package.json. */
declare const KAI_PROGRAM_VERSION: string | undefined;

export const PROGRAM_VERSION = typeof KAI_PROGRAM_VERSION === "string" ? KAI_PROGRAM_VERSION : "0.0.0-source";
