/** @module Flags that several commands have. */
import { InvalidArgumentError, Option } from "commander";

/** For repeatable flags. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

export function numberOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new InvalidArgumentError("a whole number, zero or more");
  });
}

/** A number between two bounds, both included. */
export function fractionOption(
  flags: string,
  description: string,
  [least, most]: readonly [number, number],
): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a number from ${least} to ${most}`);
  });
}

/** A date or time of ISO 8601, as milliseconds. */
export function dateOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Date.parse(text);
    if (/^\d{4}-\d{2}-\d{2}/.test(text) && Number.isFinite(value)) return value;
    throw new InvalidArgumentError("a date such as 2026-11-25");
  });
}
