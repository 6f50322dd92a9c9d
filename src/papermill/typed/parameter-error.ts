import { UserError } from "@alignscope/base/errors";

/** Everything that was wrong with the parameters of one run, a line each. */
export class ParameterError extends UserError {
  /** One line for each parameter, or part of one, that was refused. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
