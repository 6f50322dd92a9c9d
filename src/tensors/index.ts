export { BACKENDS, describeBackend, openBackend, type BackendDescription, type BackendName } from "./backend.js";
