export * from "./compiled.js";
export * from "./frames.js";
export * from "./messages.js";
export * from "./names.js";
