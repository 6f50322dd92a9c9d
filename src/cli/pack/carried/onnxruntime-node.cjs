// In the place of onnxruntime-node, which this pack leaves out for its size: everything but running a model works.
"use strict";
const common = require("onnxruntime-common");

async function absent() {
  throw new Error(
    "onnxruntime-node is not in this pack, so no ONNX model can run: use a full install (npm ci) for that",
  );
}
for (const name of ["cpu", "cuda", "webgpu"])
  common.registerBackend(name, { init: absent, createInferenceSessionHandler: absent }, 100);

module.exports = { ...common, listSupportedBackends: () => [] };
