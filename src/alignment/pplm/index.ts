export { attributeOfProbe, openAttribute, readAttributeHead, type AttributeModel } from "./attribute.js";
export { generatePerturbed, type PerturbedGenerationOptions } from "./generate.js";
export { PPLM_DEFAULTS, type PPLMOptions } from "./options.js";
export { perturbPast, type IterationLosses, type Perturbation } from "./perturb.js";
