/** PEP 503: `Zope.Interface` and `zope_interface` are `zope-interface`. */
export const normalizePypiName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");
