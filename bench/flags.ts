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
