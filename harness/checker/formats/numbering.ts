/**
 * @module Names as numbers, for formats that have nothing else.
 *
 * Numbers stay what they are where all names of a role are numbers from `least` on; otherwise all are
 * numbered by first appearance.
 */
import type { History } from "../history.ts";
import { initialValue } from "../names.ts";

export interface Numbers {
  key(key: number): string;
  session(session: number): string;
  transaction(transaction: number): string;
  /** "0" for the initial value. */
  value(value: number): string;
}

export function numbersOf(history: History): Numbers {
  const { keyCount, sessionCount, transactionCount } = history;
  const keys = texts(0, keyCount, (key) => history.keyName(key), 0);
  const sessions = texts(0, sessionCount, (session) => history.sessionName(session), 0);
  const transactions = texts(1, transactionCount, (one) => history.transactionName(one), 0);
  const values = valueTexts(history);
  return {
    key: (key) => keys?.[key] ?? String(key),
    session: (session) => sessions?.[session] ?? String(session),
    transaction: (transaction) => transactions?.[transaction - 1] ?? String(transaction),
    value: (value) => (value === initialValue ? "0" : values(value)),
  };
}

/** The names, if all are different whole numbers; undefined if one must be numbered. */
function texts(
  from: number,
  to: number,
  nameOf: (id: number) => string,
  least: number,
): string[] | undefined {
  const names: string[] = [];
  for (let id = from; id < to; id += 1) {
    const name = nameOf(id);
    if (!isNumber(name, least)) return undefined;
    names.push(name);
  }
  return new Set(names).size === names.length ? names : undefined;
}

function valueTexts(history: History): (value: number) => string {
  let numbered = false;
  for (const value of history.value) {
    if (value === initialValue || (value > 0 && value < 2 ** 31)) continue;
    if (!isNumber(history.valueText(value), 1)) numbered = true;
  }
  if (!numbered) return (value) => history.valueText(value);
  const numbers = new Map<number, number>();
  return (value) => {
    const known = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, known);
    return String(known);
  };
}

function isNumber(name: string, least: number): boolean {
  return /^(0|[1-9]\d{0,17})$/.test(name) && Number(name) >= least;
}
