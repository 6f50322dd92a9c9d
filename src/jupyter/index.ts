export * from "./nbformat";
export { formatNotebook, giveCellIds, parseNotebook, readNotebook, writeNotebook } from "./notebook-file";
export { NotebookFormatter } from "./notebook-formatter";
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
export {
  dataFolders,
  isSearched,
  kernelsFolderOf,
  runtimeFolder,
  userDataFolder,
  type KernelPlace,
} from "./jupyter-folders";
export {
  installKernelspec,
  OWN_KERNEL,
  uninstallKernelspec,
  type Installed,
  type InstallOptions,
} from "./install-kernelspec";
export { describeKernelspecs, type ListedKernelspec } from "./kernelspec-listing";
export {
  findKernelspec,
  isKernelName,
  kernelCommand,
  kernelEnvironment,
  kernelspecFolders,
  listKernelspecs,
  type Kernelspec,
} from "./kernelspecs";
