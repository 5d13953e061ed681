/**
 * @module A history as plume text.
 *
 * Cannot say: which aborted writes belong together (they become one aborted transaction a session),
 * and an unknown outcome (written as committed if somebody read from it, left out otherwise).
 */
import type { History } from "../history.ts";
import { numbersOf } from "./numbering.ts";
import { isWritten } from "./written.ts";

const chunkLength = 65_536;

export function* writePlume(history: History): Generator<string> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  let text = "";
  for (let transaction = 1; transaction < history.transactionCount; transaction += 1) {
    if (!written(transaction)) continue;
    const aborted = history.statusOf(transaction) === "aborted";
    const name = aborted ? "-1" : numbers.transaction(transaction);
    const session = numbers.session(history.sessionOf[transaction] ?? 0);
    const end = history.end[transaction] ?? 0;
    for (let index = history.start[transaction] ?? 0; index < end; index += 1) {
      const { kind, key, value } = history.operation(index);
      if (kind === "read" && aborted) continue;
      const letter = kind === "read" ? "r" : "w";
      text += `${letter}(${numbers.key(key)},${numbers.value(value)},${session},${name})\n`;
      if (text.length < chunkLength) continue;
      yield text;
      text = "";
    }
  }
  yield text;
}
