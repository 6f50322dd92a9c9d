export { describeBackend, openBackend, type BackendDescription } from "./backend.js";
export { BACKENDS, type BackendName } from "./opened.js";
