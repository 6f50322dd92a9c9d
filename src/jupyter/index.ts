export * from "./nbformat";
export { formatNotebook, giveCellIds, parseNotebook, readNotebook, writeNotebook } from "./notebook-file";
