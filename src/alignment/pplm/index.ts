export { attributeOfProbe, openAttribute, readAttributeHead, type AttributeModel } from "./attribute.js";
export { generatePerturbed } from "./generate.js";
export { PPLM_DEFAULTS, type PPLMOptions } from "./options.js";
export { perturbPast, type Perturbation } from "./perturb.js";
