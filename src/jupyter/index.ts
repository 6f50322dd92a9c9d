export * from "./nbformat";
export { formatNotebook, giveCellIds, parseNotebook, readNotebook, writeNotebook } from "./notebook-file";
export {
  InvalidMessageError,
  MessageSigner,
  newMessage,
  PROTOCOL_VERSION,
  type JsonObject,
  type JupyterMessage,
  type MessageHeader,
} from "./messages";
export { Channel, SendQueue, type ChannelListener } from "./channel";
export { ClientChannels, type ClientChannelName } from "./client-channels";
export {
  newConnectionInfo,
  removeConnectionFile,
  socketAddress,
  writeConnectionFile,
  type ConnectionInfo,
} from "./connection";
export { dataFolders, runtimeFolder, userDataFolder } from "./jupyter-folders";
export {
  findKernelspec,
  kernelCommand,
  kernelEnvironment,
  kernelspecFolders,
  listKernelspecs,
  type Kernelspec,
} from "./kernelspecs";
