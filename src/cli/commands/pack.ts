import { size } from "@alignscope/base/size";
import { InvalidArgumentError, type Command } from "commander";
import { collectWords } from "../project-options.js";

interface Options {
  out?: string;
  notebooks?: string[];
  limit: number;
  quality: number;
  json?: boolean;
}

/** `alignscope pack`: everything in one archive, for a host that has nothing. */
export function packCommand(program: Command): void {
  program
    .command("pack")
    .description("write one archive that runs on a Linux x86-64 host without network, Node.js or npm")
    .option("--out <file>", "the archive (default: alignscope-VERSION-linux-x64.tar.gz here)")
    .option("--notebooks <name...>", "carry these, and those they need (default: all)", collectWords)
    .option("--limit <MB>", "fail rather than write a larger archive, in 10⁶ bytes", megabytes, 60)
    .option("--quality <n>", "of the compression, 0 to 11; 11 takes minutes", quality, 11)
    .option("--json", "for machines: path, bytes, sha256 and files")
    .action(async ({ out, notebooks, limit, quality, json }: Options) => {
      const { pack } = await import("../pack/index.js");
      const summary = await pack({
        ...(out === undefined ? {} : { out }),
        ...(notebooks === undefined ? {} : { notebooks }),
        limitBytes: limit * 1e6,
        quality,
        onProgress: (message) => console.error(`[pack] ${message}`),
      });
      if (json) console.log(JSON.stringify(summary, null, 2));
      else {
        console.log(
          `${summary.path}: ${size(summary.bytes)}, ${summary.files} files, sha256 ${summary.sha256}`,
        );
        console.log(
          `On the host: tar xzf ${summary.path}, then ./unpack-and-run.sh in the folder that it makes.`,
        );
      }
    });
}

function megabytes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("expected a number above 0");
  return value;
}

function quality(text: string): number {
  if (!/^(\d|1[01])$/.test(text)) throw new InvalidArgumentError("expected a whole number from 0 to 11");
  return Number(text);
}
