/** @module What the process's exit code tells; one list, printed by `--help`. */

export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  invalid: 3,
  inconclusive: 4,
  violation: 5,
  replayMismatch: 6,
  thresholdMissed: 99,
  interrupted: 130,
} as const;

export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "all that was asked for ran, and what could be judged holds",
  internal: "a mistake in aft-bench itself",
  usage: "bad flags, files or combinations; nothing was started, or a history got no verdict",
  invalid: "the measurement is not valid (generator saturated, machine unfit)",
  inconclusive: "the measurement, or the check, cannot tell",
  violation: "a promise or a level is violated; see the witness",
  replayMismatch: "a replayed run differs from its record",
  thresholdMissed: "a gate or threshold was missed",
  interrupted: "stopped by Ctrl-C or SIGTERM; what was measured is kept and marked partial",
};

export function helpText(): string {
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  const lines = names.map(
    (name) => `  ${String(exitCodes[name]).padStart(3)}  ${exitCodeMeanings[name]}`,
  );
  return `\nExit codes:\n${lines.join("\n")}`;
}
