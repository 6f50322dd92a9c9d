/**
 * How the learning rate goes, in steps: warm-up, stable, decay (Hu et al. 2024, MiniCPM). While it is stable a run has no
 * end that was planned for it: any checkpoint can be taken aside and decayed to a model.
 */
export interface Schedule {
  /** The rate grows linearly for so many steps. */
  warmupSteps: number;
  /** From this step on it falls, as 1 − √t (Hägele et al. 2024, section 4), to nothing after `decaySteps`. */
  decayFrom?: number;
  decaySteps?: number;
}

/** The learning rate at a step, counted from 0, as a share of the peak. */
export function rateAt(
  step: number,
  { warmupSteps, decayFrom = Infinity, decaySteps = 1 }: Schedule,
): number {
  if (step < decayFrom) return Math.min(1, (step + 1) / warmupSteps);
  return Math.max(0, 1 - Math.sqrt((step - decayFrom + 1) / decaySteps));
}
