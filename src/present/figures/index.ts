export { activationBars } from "./activation-bars.js";
export { cosinePanels } from "./cosine-panels.js";
export { pairedShift, type PairedShiftOptions } from "./paired-shift.js";
export { type DrawnPlane, shiftPlaneFigure } from "./shift-plane.js";
