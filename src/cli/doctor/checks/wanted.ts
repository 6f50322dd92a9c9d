import type { Forecast } from "../../../pipeline/index.js";

/** The backend that a profile's notebooks are told to open, `auto` where nothing else is said. */
export function backendWanted(forecast: Forecast | undefined): string {
  const value = forecast?.parameters.find(({ name }) => name === "backend")?.value;
  return typeof value === "string" && value !== "" ? value : "auto";
}
