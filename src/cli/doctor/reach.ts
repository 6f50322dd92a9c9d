import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf } from "@alignscope/base/errors";

/** Whether a host answered, with any HTTP status but the proxy's own refusal. */
export interface Reached {
  reached: boolean;
  /** `HTTP 200`, or the code or words of the failure: `ENOTFOUND`, `proxy: HTTP 407`. */
  answer: string;
  milliseconds: number;
}

/** Asks for the headers of a page, through an HTTP proxy where one is given. Never throws, never waits longer. */
export async function reach(url: string, proxy: string | undefined, timeoutMs: number): Promise<Reached> {
  const start = Date.now();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const since = (): number => Date.now() - start;
  try {
    const status = await head(new URL(url), proxy === undefined ? undefined : new URL(proxy), abort.signal);
    return { reached: true, answer: `HTTP ${status}`, milliseconds: since() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const answer = abort.signal.aborted ? `no answer in ${timeoutMs / 1000} s` : (code ?? messageOf(error));
    return { reached: false, answer, milliseconds: since() };
  } finally {
    clearTimeout(timer);
  }
}

async function head(url: URL, proxy: URL | undefined, signal: AbortSignal): Promise<number> {
  if (proxy === undefined) {
    return request((url.protocol === "http:" ? http : https).request(url, { method: "HEAD", signal }));
  }
  const common = { host: proxy.hostname, port: proxy.port || 80, headers: authorization(proxy), signal };
  if (url.protocol === "http:") {
    const headers = { ...common.headers, host: url.host };
    const status = await request(http.request({ ...common, headers, method: "HEAD", path: url.href }));
    if (status === 407) throw new Error("proxy: HTTP 407");
    return status;
  }
  const socket = await tunnel(http.request({ ...common, method: "CONNECT", path: authority(url) }));
  try {
    const secured = connectTls({ socket, servername: url.hostname });
    return await request(https.request(url, { method: "HEAD", signal, createConnection: () => secured }));
  } finally {
    socket.destroy();
  }
}

function authority(url: URL): string {
  return `${url.hostname}:${url.port || 443}`;
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(words).toString("base64")}` };
}

function request(sent: http.ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.end();
  });
}

function tunnel(sent: http.ClientRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("connect", (response, socket) => {
      if (response.statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(new Error(`proxy: HTTP ${response.statusCode ?? "?"}`));
      }
    });
    sent.once("response", (response) => reject(new Error(`proxy: HTTP ${response.statusCode ?? "?"}`)));
    sent.end();
  });
}

/**
 * The proxy that the environment names for an address, by the usual variables; NO_PROXY lists hosts and domains that
 * need none.
 */
export function proxyFor(url: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { protocol, hostname } = new URL(url);
  const without = (env["NO_PROXY"] ?? env["no_proxy"] ?? "").split(/[\s,]+/).filter(Boolean);
  const spared = without.some((one) => {
    const domain = one.replace(/:\d+$/, "").replace(/^\*?\.?/, "");
    return one === "*" || hostname === domain || (domain !== "" && hostname.endsWith(`.${domain}`));
  });
  if (spared) return undefined;
  const names = protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const found = [...names, "ALL_PROXY", "all_proxy"].map((name) => env[name]).find((value) => value);
  if (found === undefined) return undefined;
  return found.includes("://") ? found : `http://${found}`;
}
