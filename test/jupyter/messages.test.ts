import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidMessageError, MessageSigner, newMessage } from "../../src/jupyter/index.js";

const request = () => newMessage("execute_request", { code: "1 + 1 // é 😀" }, "session-1");

describe("messages of the Jupyter protocol", () => {
  it("arrive as they were sent, with identities in front and buffers behind", () => {
    const message = {
      ...request(),
      identities: [Buffer.from("client")],
      buffers: [Buffer.from([0, 255]), Buffer.alloc(0)],
    };
    const received = new MessageSigner("secret").parse(new MessageSigner("secret").serialise(message));
    expect(received).toEqual(message);
  });

  it("are signed with HMAC-SHA256 over the four JSON parts", () => {
    const frames = new MessageSigner("secret").serialise(request());
    expect(frames).toHaveLength(6);
    expect(frames[0]?.toString()).toBe("<IDS|MSG>");
    expect(frames[1]?.toString()).toMatch(/^[0-9a-f]{64}$/);
  });

  it("are refused when unsigned, signed with another key, or changed on the way", () => {
    const signer = new MessageSigner("secret");
    const signed = signer.serialise(request());
    const with1 = (index: number, bytes: string) =>
      signed.map((frame, at) => (at === index ? Buffer.from(bytes) : frame));
    expect(() => signer.parse(with1(1, ""))).toThrow("unsigned message");
    expect(() => new MessageSigner("other").parse(signed)).toThrow("wrong signature");
    expect(() => signer.parse(with1(5, '{"code":"evil()"}'))).toThrow("wrong signature");
  });

  it("are verified before they are parsed: bad JSON without a signature is a wrong signature, not bad JSON", () => {
    const frames = ["<IDS|MSG>", "00", "{", "{", "{", "{"].map((text) => Buffer.from(text));
    expect(() => new MessageSigner("secret").parse(frames)).toThrow("wrong signature");
    expect(() => new MessageSigner("").parse(frames)).toThrow("header is not JSON");
  });

  it("are refused the second time", () => {
    const signer = new MessageSigner("secret");
    const frames = signer.serialise(request());
    signer.parse(frames);
    expect(() => signer.parse(frames)).toThrow("seen before");
  });

  it("need no signature when the key is empty", () => {
    const frames = new MessageSigner("").serialise(request());
    expect(frames[1]).toHaveLength(0);
    expect(new MessageSigner("").parse(frames).header.msg_type).toBe("execute_request");
  });

  it("that are any other bytes are an InvalidMessageError and nothing else", () => {
    const anyFrames = fc.array(fc.oneof(fc.uint8Array(), fc.constant(Buffer.from("<IDS|MSG>")), fc.json()), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(anyFrames, fc.constantFrom("", "secret"), (frames, key) => {
        const bytes = frames.map((frame) => Buffer.from(frame as string));
        try {
          new MessageSigner(key).parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidMessageError);
        }
      }),
    );
  });
});
