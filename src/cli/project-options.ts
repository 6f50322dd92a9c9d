import { type Command, InvalidArgumentError } from "commander";
import { addMask } from "papermill-ts";
import type { ProjectOptions } from "../pipeline/index.js";

interface ParsedOptions {
  profile: string;
  parameter?: string[];
  backend?: string;
  outputs?: string;
  pipeline?: string;
  /** Patterns; false after `--no-mask-parameters`. */
  maskParameters?: false | string[];
}

/** Adds the options that say which series is meant; read them with {@link projectOptions}. */
export function addProjectOptions(command: Command): Command {
  return command
    .option("--profile <name>", "lab, lab-full, gpt2 or paper", "lab")
    .option("-p, --parameter <name value...>", "set a notebooks' parameter (repeatable)")
    .option("--backend <name>", "short for -p backend NAME")
    .option("--outputs <dir>", "where results go (default: outputs/PROFILE)")
    .option("--pipeline <file>", "another series of notebooks (default: notebooks/pipeline.yaml)")
    .option(
      "--mask-parameters <pattern>",
      "also mask parameters with such names in all that is written (repeatable)",
      addMask,
    )
    .option("--no-mask-parameters", "mask none, not even passwords and tokens");
}

export function projectOptions(parsed: ParsedOptions): ProjectOptions {
  const { profile, outputs, pipeline, maskParameters } = parsed;
  const parameters: Record<string, string> = {};
  const words = parsed.parameter ?? [];
  for (let i = 0; i < words.length; i += 2) parameters[words[i] ?? ""] = words[i + 1] ?? "";
  if (parsed.backend !== undefined) parameters["backend"] = parsed.backend;
  return {
    profile,
    parameters,
    ...(outputs === undefined ? {} : { outputs }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(maskParameters === undefined ? {} : { maskParameters }),
  };
}

/** A whole number above 0. */
export function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a whole number above 0");
  return Number(text);
}

/** Words given once or several times, each possibly a list with commas. */
export function collectWords(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(",").filter((word) => word !== "")];
}
