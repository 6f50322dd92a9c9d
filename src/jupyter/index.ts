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
  installKernelspec,
  OWN_KERNEL,
  uninstallKernelspec,
  type Installed,
  type InstallOptions,
} from "ts-jupyter-kernel/install/install-kernelspec";
export { describeKernelspecs, type ListedKernelspec } from "ts-jupyter-kernel/install/kernelspec-listing";
export {
  findKernelspec,
  isKernelName,
  kernelCommand,
  kernelEnvironment,
  kernelspecFolders,
  listKernelspecs,
  type Kernelspec,
} from "./kernelspecs.js";
