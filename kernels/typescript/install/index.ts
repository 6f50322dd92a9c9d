/** Installing a kernelspec for Jupyter, removing it, and which there are. */
export { addKernelCommands, type OwnKernel } from "./commands.js";
export {
  installKernelspec,
  uninstallKernelspec,
  type Installed,
  type InstallOptions,
} from "./install-kernelspec.js";
export { describeKernelspecs, type ListedKernelspec } from "./kernelspec-listing.js";
export { THIS_PACKAGE, type Owner } from "./kernelspec-owner.js";
