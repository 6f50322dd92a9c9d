import { type Check, type Context, type Line, note, ok, problem, required } from "../check.js";
import { proxyFor } from "../reach.js";

const PATIENCE = 4000;

/** The npm registry as npm is told of it, and the hub that models and data sets come from. */
export const networkCheck: Check = {
  name: "network",
  doing: "asking the npm registry and the hub",
  timeout: 12_500,
  vital: false,
  run: async (context) => {
    if (context.offline) return [note("network", "not asked (--offline)", null)];
    return Promise.all([registry(context), hub(context)]);
  },
};

async function registry({ host }: Context): Promise<Line> {
  const { stdout, failure } = await host.run(
    "npm",
    ["config", "get", "registry", "https-proxy", "proxy"],
    6000,
  );
  if (failure === "missing") {
    return note(
      "npm registry",
      "npm is not installed",
      "install it with Node.js, if packages are to be installed",
    );
  }
  const said = (name: string): string | undefined => {
    const value = new RegExp(`^${name}\\s?=\\s?(.*)$`, "m").exec(stdout)?.[1]?.trim();
    return value === undefined || ["", "null", "undefined"].includes(value) ? undefined : value;
  };
  const url = said("registry") ?? "https://registry.npmjs.org/";
  const ofNpm = url.startsWith("https:") ? said("https-proxy") : (said("proxy") ?? said("https-proxy"));
  const proxy = ofNpm ?? proxyFor(url, host.env);
  const { reached, answer, milliseconds } = await host.reach(url, proxy, PATIENCE);
  const details = {
    url: without(url),
    proxy: proxy === undefined ? null : without(proxy),
    answer,
    milliseconds,
  };
  const via = proxy === undefined ? "" : ` through ${without(proxy)}`;
  if (reached) return ok("npm registry", `${details.url} answers${via} (${answer})`, details);
  return note(
    "npm registry",
    `${details.url} does not answer${via} (${answer})`,
    `${why(answer)}; only installing needs it`,
    details,
  );
}

async function hub({ host, forecast, profile }: Context): Promise<Line> {
  const known = await forecast();
  const absent = known ? required(known).filter(({ here, where }) => !here && where === "download") : [];
  const url = (host.env["HF_ENDPOINT"] ?? "https://huggingface.co").replace(/\/*$/, "/");
  // Downloads go through Node's own fetch, which takes no proxy unless told.
  const proxied = proxyFor(url, host.env);
  const heeds = host.env["NODE_USE_ENV_PROXY"] === "1" && Number(host.nodeVersion.split(".")[0]) >= 22;
  const proxy = heeds ? proxied : undefined;
  const { reached, answer, milliseconds } = await host.reach(url, proxy, PATIENCE);
  const details = { url, proxy: proxy === undefined ? null : without(proxy), answer, milliseconds };
  if (reached) return ok("hub", `${url} answers (${answer})`, details);
  const found = `${url} does not answer (${answer})`;
  const proxyAdvice =
    proxied !== undefined && !heeds ? "let Node.js 24 use your proxy with NODE_USE_ENV_PROXY=1, or " : "";
  const remedy = `${proxyAdvice}name a mirror of the files with ALIGNSCOPE_MIRROR, or of the hub with HF_ENDPOINT`;
  if (absent.length === 0) return note("hub", `${found}; ${profile} has all it needs here`, null, details);
  const names = absent.map(({ name }) => name).join(", ");
  return problem("hub", `${found}; ${profile} lacks ${names}`, remedy, details);
}

function why(answer: string): string {
  if (/407/.test(answer))
    return "give the proxy your name and password: `npm config set https-proxy http://NAME:PASSWORD@HOST:PORT`";
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(answer)) {
    return "let Node.js trust your network's certificate with NODE_EXTRA_CA_CERTS=FILE, npm with `npm config set cafile FILE`";
  }
  return "connect this machine, set a proxy (HTTPS_PROXY), or name a mirror with `npm config set registry URL`";
}

/** An address without name and password. */
function without(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
