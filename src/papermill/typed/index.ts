/** Types of parameters: reading declarations, checking and reading values, showing them, and keeping secrets. */
export { accepts } from "./check.js";
export { fitValue, problemLine, type GivenValue } from "./check-parameters.js";
export { coerce, readText } from "./coerce.js";
export { parameterHelp } from "./help.js";
export { ParameterError } from "./parameter-error.js";
export {
  isSecret,
  MASK,
  maskParameters,
  refuseSecretsInPath,
  soundsSecret,
  type MaskOption,
} from "./secret-names.js";
export { choicesOf, typeText, type FieldType, type LiteralValue, type ParameterType } from "./types.js";
