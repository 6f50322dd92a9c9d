/** Types of parameters: reading declarations, checking and reading values, showing them, and keeping secrets. */
export { accepts } from "./check";
export { fitValue, problemLine, type GivenValue } from "./check-parameters";
export { coerce, readText } from "./coerce";
export { parameterHelp } from "./help";
export { ParameterError } from "./parameter-error";
export {
  isSecret,
  MASK,
  maskParameters,
  refuseSecretsInPath,
  soundsSecret,
  type MaskOption,
} from "./secret-names";
export { choicesOf, typeText, type FieldType, type LiteralValue, type ParameterType } from "./types";
