export { attributeOfProbe, openAttribute, readAttributeHead, type AttributeModel } from "./attribute";
export { generatePerturbed, type PerturbedGenerationOptions } from "./generate";
export { PPLM_DEFAULTS, type PPLMOptions } from "./options";
export { perturbPast, type IterationLosses, type Perturbation } from "./perturb";
