// An executor for tests: a cell is the body of an async function with `k`, which speaks the wire, in scope.
const { writeSync } = require("node:fs");
const { Socket } = require("node:net");
const { join } = require("node:path");
const wire = require(join(__dirname, "../../../kernels/typescript/dist/wire/index.js"));

function write(frame) {
  for (let at = 0; at < frame.length;) {
    try {
      at += writeSync(wire.TO_FRONT_FD, frame, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
const send = (message) => write(wire.messageFrame(message));
const state = { interrupts: [], stop: undefined, inputs: new Map(), comms: [] };
let question = 0;

const interrupts = new wire.InterruptReader();
// Sockets, not files: a read that waits in a thread would hold up process.exit.
new Socket({ fd: wire.LIFELINE_FD })
  .on("data", (chunk) => {
    for (const execution of interrupts.read(chunk)) {
      state.interrupts.push(execution);
      state.stop?.(Object.assign(new Error("interrupted"), { name: "Interrupted" }));
    }
  })
  .on("close", () => process.exit(0));

function toolsOf({ execution, allowStdin }) {
  const bytes = (kind, text) => write(wire.textFrame(kind, execution, Buffer.from(text)));
  const bundle = (data) => ({ execution, data, metadata: {} });
  return {
    state,
    send,
    execution,
    allowStdin,
    out: (text) => bytes(wire.STDOUT, text),
    err: (text) => bytes(wire.STDERR, text),
    display: (data, displayId, update = false) =>
      send({ type: "display", displayId, update, ...bundle(data) }),
    result: (data) => send({ type: "result", ...bundle(data) }),
    clear: (wait) => send({ type: "clear", execution, wait }),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    input(prompt, password = false) {
      const input = ++question;
      send({ type: "input", execution, input, prompt, password });
      return new Promise((resolve) => state.inputs.set(input, resolve));
    },
  };
}

const AsyncFunction = (async () => undefined).constructor;

async function execute(message) {
  const { execution } = message;
  const k = toolsOf(message);
  const stopped = new Promise((_, reject) => (state.stop = reject));
  const expressions = {};
  try {
    await Promise.race([new AsyncFunction("k", "require", message.code)(k, require), stopped]);
    for (const [name, { cell }] of Object.entries(message.expressions)) {
      const data = { "text/plain": String(eval(cell.script.code)) };
      expressions[name] = { status: "ok", data, metadata: {} };
    }
    send({ type: "executed", execution, expressions });
  } catch (thrown) {
    const error = { ename: thrown.name, evalue: thrown.message, traceback: [String(thrown)] };
    send({ type: "error", execution, ...error });
    send({ type: "executed", execution, error, expressions });
  }
  state.stop = undefined;
}

async function handle(message) {
  const { request } = message;
  switch (message.type) {
    case "execute":
      return execute(message);
    case "ping":
      return send({ type: "pong", request });
    case "comm-open":
      state.comms.push(message);
      if (message.target === "unknown") send({ ...message, type: "comm-close", data: {} });
      return;
    case "comm-message":
      state.comms.push(message);
      return send({ ...message, data: { echo: message.data } });
    default:
      state.comms.push(message);
  }
}

let last = Promise.resolve();
const frames = new wire.FrameReader();
new Socket({ fd: wire.TO_EXECUTOR_FD }).on("data", (chunk) => {
  for (const { payload } of frames.read(chunk)) {
    const message = JSON.parse(payload.toString());
    if (message.type === "input-reply") {
      state.inputs.get(message.input)?.("value" in message ? message.value : null);
    } else {
      last = last.then(() => handle(message));
    }
  }
});
// Some tests have executors that fail to start, or take their time.
if (process.argv[2]) eval(process.argv[2]);
setTimeout(() => send({ type: "ready" }), Number(process.argv[3] ?? 0));
