import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { messageOf } from "@alignscope/base/errors";
import { readDriver, type CudaDriver } from "./driver.js";
import { openLibrary } from "./library.js";

/** How far the installation of a native package has come. */
export interface NativePackage {
  name: string;
  /** null where it is not installed. */
  folder: string | null;
  /** Whether the addon that Node.js loads is there, for a version of Node-API that this Node.js has. */
  addon: boolean;
  libtensorflow: boolean;
}

/** What the diagnosis of the CUDA backend rests on. */
export interface CudaProbe {
  platform: NodeJS.Platform;
  arch: string;
  package: NativePackage;
  driver: CudaDriver;
  /** Each library that libtensorflow opens by this name, and why it does not load (null where it does). */
  libraries: { name: string; error: string | null }[];
}

/** The CUDA libraries that libtensorflow 2.9.1 opens; without any one of them it goes on without the GPU. */
export const CUDA_LIBRARIES = [
  "libcudart.so.11.0",
  "libcublas.so.11",
  "libcublasLt.so.11",
  "libcufft.so.10",
  "libcurand.so.10",
  "libcusolver.so.11",
  "libcusparse.so.11",
  "libcudnn.so.8",
] as const;

/** Looks at this machine: files of the package, the driver, the libraries. The libraries that load stay loaded. */
export function probeCuda(packageName: string): CudaProbe {
  const installed = probePackage(packageName);
  return {
    platform: process.platform,
    arch: process.arch,
    package: installed,
    driver: readDriver(),
    libraries: CUDA_LIBRARIES.map((name) => ({ name, error: loadError(name, installed.folder) })),
  };
}

/** Looks at the files of a native package; nothing of it is run. */
export function probePackage(name: string): NativePackage {
  let folder: string;
  try {
    folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return { name, folder: null, addon: false, libtensorflow: false };
  }
  return { name, folder, ...probeFolder(folder) };
}

/** @param folder an installed package's folder, laid out as its install script leaves it */
export function probeFolder(folder: string): { addon: boolean; libtensorflow: boolean } {
  const addonVersions = entries(join(folder, "lib"))
    .filter((name) => existsSync(join(folder, "lib", name, "tfjs_binding.node")))
    .map((name) => Number(/^napi-v(\d+)$/.exec(name)?.[1]));
  return {
    addon: addonVersions.some((version) => version <= Number(process.versions["napi"])),
    libtensorflow: [
      join(folder, "deps", "lib"),
      ...entries(join(folder, "lib")).map((n) => join(folder, "lib", n)),
    ]
      .flatMap((place) => entries(place).map((name) => join(place, name)))
      .some((path) => /[/\\](lib)?tensorflow\.(so|dll|\d+\.dylib|dylib)/.test(path) && existsSync(path)),
  };
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** By the system's search path, or beside libtensorflow, where its own search path looks as well. */
function loadError(name: string, packageFolder: string | null): string | null {
  const beside = packageFolder ? join(packageFolder, "deps", "lib", name) : null;
  try {
    openLibrary(beside && existsSync(beside) ? beside : name);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
