import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A package that cells may import by its name although it is not installed where the kernel works. */
export interface OfferedPackage {
  name: string;
  folder: string;
  /** The file with its types. */
  types: string;
}

/** What package.json says of the packages in these folders. */
export function readPackages(folders: readonly string[]): OfferedPackage[] {
  return folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      types?: string;
    };
    return { name: manifest.name, folder, types: join(folder, manifest.types ?? "index.d.ts") };
  });
}
