import { findNumber, type VersionNumber } from "./number.js";

export type TagFormat = string & { readonly brand: "TagFormat" };
export type TagName = string & { readonly brand: "TagName" };

/** `v{version}` and the like; `kai.yaml` has been checked to hold the placeholder once. */
export const tagFormat = (text: string): TagFormat => text as TagFormat;

/** The tag of `version` under `format`, e.g. `v1.4.0`. */
export const tagNameFor = (version: VersionNumber, format: TagFormat): TagName =>
  format.replace("{version}", () => version.text) as TagName;

/** The version that `tag` stands for under `format`, or why it stands for none; never coerced. */
export function versionOfTag(tag: string, format: TagFormat): VersionNumber | { reason: string } {
  const [prefix = "", suffix = ""] = format.split("{version}");
  if (!tag.startsWith(prefix) || !tag.endsWith(suffix) || tag.length < prefix.length + suffix.length) {
    return { reason: `does not fit tag_format ${format}` };
  }
  const text = tag.slice(prefix.length, tag.length - suffix.length);
  return findNumber(text) ?? { reason: `'${text}' is not a semantic version` };
}
