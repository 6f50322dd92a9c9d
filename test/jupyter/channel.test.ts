import { Router } from "zeromq";
import { describe, expect, it } from "vitest";
import {
  Channel,
  ClientChannels,
  MessageSigner,
  newConnectionInfo,
  newMessage,
} from "../../src/jupyter/index.js";

describe("channels", () => {
  it("carry thousands of messages sent at once, in order, and drop what is not signed", async () => {
    const info = await newConnectionInfo("test");
    const count = 3000;
    const received: number[] = [];
    const invalid: string[] = [];
    let done!: () => void;
    const all = new Promise<void>((resolve) => (done = resolve));

    const kernel = new Router({ linger: 0, sendHighWaterMark: 0 });
    await kernel.bind(`tcp://127.0.0.1:${info.shell_port}`);
    const signer = new MessageSigner(info.key);
    const server = new Channel(kernel, signer, {
      onMessage: ({ header, identities }) => {
        const stranger = new MessageSigner("another key");
        const unsigned = stranger.serialise({ ...newMessage("reply", {}, "kernel", header), identities });
        const answers = Array.from({ length: count }, (_, n) =>
          server.send({ ...newMessage("reply", { n }, "kernel", header), identities }),
        );
        void Promise.all(answers).then(() => kernel.send(unsigned));
      },
    });
    const client = new ClientChannels(info, () => ({
      onMessage: (message) => received.push(Number(message.content["n"])),
      onInvalid: (reason) => {
        invalid.push(reason);
        done();
      },
    }));
    await client.request("shell", "ask", {}, () => undefined);
    await all;
    expect(received).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(invalid).toEqual(["message with a wrong signature"]);
    await Promise.all([client.close(), server.close()]);
  });
});
