export * from "./messages";
export * from "./frames";
