import { createHmac, randomUUID } from "node:crypto";
import { Dealer } from "zeromq";
import { afterAll, beforeAll, expect, it } from "vitest";
import { socketAddress } from "../../src/jupyter/index.js";
import { endSessions, KernelSession } from "./kernel-session.js";

const SEED = 20240101;
const MESSAGES = 10_000;
/** Requests in between, each of which must be answered. */
const CHECKS = 20;
/**
 * Megabytes that the front may have more in the end than halfway: what its allocator keeps, and the signatures it
 * remembers. Until then the compiler still grows into its work, by some 60 MB and no further.
 */
const MARGIN = 45;

type Random = (below: number) => number;

/** Mulberry32: the same numbers each time. */
function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const DELIMITER = Buffer.from("<IDS|MSG>");

/** Frames of a message whose four parts are any bytes, rightly signed. */
function signed(key: string, ...parts: (string | Buffer)[]): Buffer[] {
  const whole = [...parts, "{}", "{}", "{}"].slice(0, 4);
  const frames = whole.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  const hmac = createHmac("sha256", key);
  for (const frame of frames) hmac.update(frame);
  return [DELIMITER, Buffer.from(hmac.digest("hex")), ...frames];
}

function header(type: unknown): string {
  const fields = { msg_id: randomUUID(), session: "fuzz", username: "x", date: "", version: "5.3" };
  return JSON.stringify({ ...fields, msg_type: type });
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

const oneOf = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T;

const TYPES = "execute complete inspect is_complete history comm_info"
  .split(" ")
  .map((one) => `${one}_request`);
const OTHERS = ["comm_open", "comm_msg", "comm_close", "input_reply"];
const FIELDS = "code cursor_pos comm_id target_name data value n hist_access_type stop".split(" ");
const ODD_TYPES = [5, null, {}, [], true, "constructor", "__proto__", "toString"];

/** Kinds of messages that nobody should send. `good` is rightly made, and was sent before. */
const KINDS: Record<string, (random: Random, key: string, good: Buffer[]) => Buffer[]> = {
  noise: (random) => Array.from({ length: 1 + random(8) }, () => bytes(random, random(200))),
  unsigned: () => [DELIMITER, Buffer.alloc(0), ...["{}", "{}", "{}", "{}"].map((part) => Buffer.from(part))],
  "wrongly signed": (random, key) => signed(key, header("kernel_info_request")).with(1, bytes(random, 64)),
  "changed after it was signed": (_, key) =>
    signed(key, header("execute_request")).with(5, Buffer.from('{"code":"process.exit(1)"}')),
  replayed: (_, __, good) => good,
  truncated: (random, key) => signed(key, header("kernel_info_request")).slice(0, 1 + random(5)),
  "a frame cut short": (random, key) => {
    const text = header("kernel_info_request");
    return signed(key, text.slice(0, random(text.length)));
  },
  "signed, no JSON": (random, key) => signed(key, "{", bytes(random, 20), "nul", "[}"),
  "signed, no objects": (random, key) => signed(key, oneOf(random, ["null", "[]", "5", '"text"'])),
  "a header of other types": (random, key) => signed(key, header(oneOf(random, ODD_TYPES))),
  "content of other types": (random, key) => {
    const value = oneOf(random, ["null", "5", "[]", "{}", "-1", "1e999", '"\\ud800"']);
    const content = FIELDS.map((name) => `"${name}":${value}`).join();
    return signed(key, header(oneOf(random, [...TYPES, ...OTHERS])), "{}", "{}", `{${content}}`);
  },
  "deeply nested": (random, key) => {
    const depth = 1000 + random(20_000);
    const content = `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    return signed(key, header("kernel_info_request"), "{}", "{}", content);
  },
  "many frames": (random, key) => [
    ...signed(key, header("kernel_info_request")),
    ...Array.from({ length: random(300) }, () => Buffer.alloc(1)),
  ],
  "many identities": (random, key) => [
    ...Array.from({ length: random(300) }, () => bytes(random, 4)),
    ...signed(key, header("kernel_info_request")),
  ],
};

let kernel: KernelSession;
beforeAll(async () => void (kernel = await KernelSession.start()));
afterAll(endSessions);

const title = `${MESSAGES} messages that nobody should send (seed ${SEED}) keep no request from its answer, and no memory`;
it(title, { timeout: 180_000 }, async () => {
  const random = seeded(SEED);
  const { key } = kernel.info;
  const sockets = (["shell", "control", "stdin"] as const).map((channel) => {
    const socket = new Dealer({ linger: 0 });
    socket.connect(socketAddress(kernel.info, channel));
    // Some of what is sent is answered.
    const read = async (): Promise<void> => {
      for (;;) await socket.receive();
    };
    read().catch(() => undefined);
    return socket;
  });
  const good = signed(key, header("kernel_info_request"));
  const answers = async (): Promise<void> => {
    expect((await kernel.request("control", "kernel_info_request")).content["status"]).toBe("ok");
    expect((await kernel.execute("6 * 7", { stop_on_error: false })).content["status"]).toMatch(
      /^(ok|aborted)$/,
    );
  };
  await sockets[0]?.send(good);
  await answers();
  let start = 0;
  for (let sent = 0; sent < MESSAGES; sent++) {
    if (sent === MESSAGES / 2) start = kernel.frontMemory();
    const frames = oneOf(random, Object.values(KINDS))(random, key, good);
    // A frame of many megabytes now and then.
    const huge = sent % 1000 === 999 ? [Buffer.alloc(20_000_000)] : [];
    await oneOf(random, sockets).send([...frames, ...huge]);
    if (sent % (MESSAGES / CHECKS) === 0) await answers();
  }
  await answers();
  // Among the last messages, which came by other sockets, may be an interrupt, or a cell that fails.
  await expect.poll(async () => (await kernel.execute("6 * 7")).result).toBe("42");
  for (const socket of sockets) socket.close();
  // What is free goes back to the system little by little.
  await expect
    .poll(() => kernel.frontMemory() - start, { timeout: 30_000, interval: 500 })
    .toBeLessThan(MARGIN);
});
