/** What programs in a sandbox are told, so that they ask the proxy that listens at `port` of its own loopback. */
export function proxyEnvironment(port: number): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const own = "localhost,127.0.0.1,::1";
  const names = { http_proxy: proxy, https_proxy: proxy, all_proxy: proxy, no_proxy: own };
  const upper = Object.entries(names).map(([name, value]) => [name.toUpperCase(), value]);
  // Node's own clients look at the variables only when they are told to.
  return { ...names, ...Object.fromEntries(upper), NODE_USE_ENV_PROXY: "1" };
}
