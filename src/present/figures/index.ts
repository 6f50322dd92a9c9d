export { activationBars } from "./activation-bars";
export { cosinePanels } from "./cosine-panels";
export { pairedShift, type PairedShiftOptions } from "./paired-shift";
export { type DrawnPlane, shiftPlaneFigure } from "./shift-plane";
