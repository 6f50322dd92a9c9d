import type { Command } from "commander";
import { projectRoot } from "@alignscope/base/paths";
import { addKernelCommands, type Owner } from "ts-jupyter-kernel/install";

/** This project as the owner of kernelspecs: its `kernels/alignscope` is the TypeScript kernel with the library at hand. */
function kernelOwner(): Owner {
  return { name: "alignscope", folder: projectRoot() };
}

/** `alignscope kernel`: installing the TypeScript kernel for Jupyter, removing it, and which kernels there are. */
export function kernelCommand(program: Command): void {
  const group = program
    .command("kernel")
    .alias("kernelspec")
    .description("install the TypeScript kernel for Jupyter and VS Code, remove it, list the kernels here");
  addKernelCommands(group, {
    owner: kernelOwner(),
    kernel: "alignscope",
    displayName: "TypeScript (alignscope)",
  });
}
