// Where a worker's own requests go out: to the hosts that were allowed, and to no others.
const allows = ({ ALLOWED }, url) =>
  ALLOWED.some(({ host, port }) => host === url.hostname && (port === null || port === (url.port || { "https:": "443", "http:": "80" }[url.protocol])));

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (!allows(env, url))
      throw new Error(`wasm-lab: a request to ${url.host} was refused; allow it with --allow-host ${url.host}`);
    // Redirects go back to the worker, which follows them through this gate.
    return env.INTERNET.fetch(request, { redirect: "manual" });
  },
};
