/** `pkg:npm/%40scope/name@1.0.0`, by the rules of ECMA-427 for npm; `vcsUrl` is where it comes from if not a registry. */
export function npmPackageUrl(name: string, version: string, vcsUrl?: string): string {
  return packageUrl("npm", name.toLowerCase().split("/"), version, vcsUrl);
}

/** `pkg:pypi/django-allauth@12.23`: lower case, and `-` for `_`. */
export function pypiPackageUrl(name: string, version: string, vcsUrl?: string): string {
  return packageUrl("pypi", [name.toLowerCase().replaceAll("_", "-")], version, vcsUrl);
}

function packageUrl(type: string, names: readonly string[], version: string, vcsUrl: string | undefined): string {
  const qualifiers = vcsUrl === undefined ? "" : `?vcs_url=${encode(withoutCredentials(vcsUrl))}`;
  return `pkg:${type}/${names.map(encode).join("/")}@${encode(version)}${qualifiers}`;
}

/** All but letters, digits, `.-_~` and the colon, which ECMA-427 leaves as it is. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/[\uD800-\uDFFF]/gu, "\uFFFD"))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}

/** Passwords and tokens in a URL are not for records that everyone can read; the user of an SSH address is. */
export function withoutCredentials(url: string): string {
  return url.replace(/(https?:\/\/)[^/@\s]*@/gi, "$1").replace(/(:\/\/[^/@:\s]*):[^/@\s]*@/g, "$1@");
}
