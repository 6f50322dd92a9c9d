export * from "./nbformat.js";
export { formatNotebook, giveCellIds, parseNotebook, readNotebook, writeNotebook } from "./notebook-file.js";
export { NotebookFormatter } from "./notebook-formatter.js";
export {
  InvalidMessageError,
  MessageSigner,
  newMessage,
  PROTOCOL_VERSION,
  type JsonObject,
  type JupyterMessage,
  type MessageHeader,
} from "./messages.js";
export { Channel, SendQueue, type ChannelListener } from "./channel.js";
export { ClientChannels, type ClientChannelName } from "./client-channels.js";
export {
  newConnectionInfo,
  removeConnectionFile,
  socketAddress,
  writeConnectionFile,
  type ConnectionInfo,
} from "./connection.js";
export {
  dataFolders,
  isSearched,
  kernelsFolderOf,
  runtimeFolder,
  userDataFolder,
  type KernelPlace,
} from "./jupyter-folders.js";
export {
  findKernelspec,
  isKernelName,
  kernelCommand,
  kernelEnvironment,
  kernelspecCandidates,
  kernelspecFolders,
  listKernelspecs,
  packagedKernelFolders,
  readKernelspec,
  type Kernelspec,
} from "./kernelspecs.js";
