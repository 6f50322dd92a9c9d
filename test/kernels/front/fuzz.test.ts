import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { Dealer, Request } from "zeromq";
import { MessageSigner, newMessage, socketAddress } from "../../../src/jupyter/index.js";
import { endFronts, Front } from "./front.js";

afterAll(endFronts);

type Junk = (signer: MessageSigner, seen: Buffer[]) => Buffer[];
const execute = (code: string) => newMessage("execute_request", { code }, randomUUID());
const POISON = `require("node:fs").writeSync(2, "poisoned")`;

/** Each is something that may not be run or answered. */
const JUNK: Junk[] = [
  () => [randomBytes(Math.floor(Math.random() * 200))],
  () => [Buffer.from("<IDS|MSG>")],
  () => [Buffer.from("<IDS|MSG>"), randomBytes(32), randomBytes(10), randomBytes(10)],
  // Unsigned.
  () => new MessageSigner("").serialise(execute(POISON)),
  // Signed with another key.
  () => new MessageSigner("another key").serialise(execute(POISON)),
  // Changed after it was signed.
  (signer) => signer.serialise(execute("1")).with(5, Buffer.from(JSON.stringify({ code: POISON }))),
  // Cut short.
  (signer) => signer.serialise(execute(POISON)).slice(0, -1),
  // Seen before.
  (_, seen) => seen,
  // Signed, but of types and forms that nobody knows.
  (signer) => signer.serialise(newMessage("hasOwnProperty", { a: 1 }, "s")),
  (signer) => signer.serialise(newMessage("comm_msg", { comm_id: "nobody's", data: [] }, "s")),
  (signer) => signer.serialise({ ...execute("1"), header: [] as never }),
];

it("10,000 messages that are malformed, unsigned or replayed change nothing, and leave no memory behind", async () => {
  const front = await Front.start();
  const signer = new MessageSigner(front.info.key);
  const replayed = signer.serialise(newMessage("execute_request", { code: `k.out("once")` }, "s"));
  const sockets = (["shell", "control", "stdin", "hb"] as const).map((name) => {
    const socket = new Dealer({ linger: 0 });
    socket.connect(socketAddress(front.info, name));
    return socket;
  });
  const [shell] = sockets;
  await shell?.send(replayed);
  await front.until(() => front.received.some(({ message }) => message.content["text"] === "once"));

  const flood = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await sockets[n % 4]?.send(JUNK[n % JUNK.length]?.(signer, replayed) ?? []);
    }
    // What comes after it is answered after it.
    await front.run("");
  };
  await flood(2000);
  const before = front.memory();
  // Each flood is remembered a while to refuse its replay, and leaves what V8 has not collected yet; neither grows for ever.
  await flood(10_000);
  expect(front.memory() - before).toBeLessThan(60);

  const counted = await front.run(`k.out("well")`);
  // The replayed one, one after each flood, and this.
  expect(counted.reply.content).toMatchObject({ status: "ok", execution_count: 4 });
  const texts = front.received.map(({ message }) => message.content["text"]).filter(Boolean);
  expect(texts).toEqual(["once", "well"]);
  expect(front.printed).toBe("");
  const heart = new Request({ linger: 0 });
  heart.connect(socketAddress(front.info, "hb"));
  await heart.send("ping");
  expect(String(await heart.receive())).toBe("ping");
  for (const socket of [...sockets, heart]) socket.close();
});

it("without a key nothing needs a signature", async () => {
  const front = await Front.start({ info: { key: "" } });
  expect((await front.run(`k.out("open")`)).text("stdout")).toBe("open");
});
