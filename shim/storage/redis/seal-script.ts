/**
 * @module The script that seals transactions on one Redis server: data first, then the record.
 *
 * Why a script: Redis runs it as a whole, so nobody sees a part of it; and it is one command with
 * one reply for any number of transactions, where MULTI … EXEC is four commands for each.
 *
 * Why it cannot leave a record without its data: Redis checks memory, role and persistence when a
 * script makes its first write, and not again; an error of a later write (an ACL that forbids one
 * of the keys) ends the script, and the record is written last. What was written before such an
 * error stays, which is why only refusals of the first write count as "no effect".
 */
import { createHash } from "node:crypto";
import type { SealedWrite } from "../port.ts";
import { toBuffer } from "./values.ts";

/**
 * KEYS: of each group its entries, then its seal. ARGV: the number of groups, the number of entries
 * of each, then the values in the order of KEYS. Answers 1 for each group sealed, 0 where a seal
 * existed.
 */
const text = `
local groups = tonumber(ARGV[1])
local key, value, answers = 0, groups + 1, {}
for group = 1, groups do
  for _ = 1, tonumber(ARGV[group + 1]) do
    key, value = key + 1, value + 1
    redis.call('SET', KEYS[key], ARGV[value])
  end
  key, value = key + 1, value + 1
  answers[group] = redis.call('SET', KEYS[key], ARGV[value], 'NX') and 1 or 0
end
return answers
`;

export const sealScript = { text, sha1: createHash("sha1").update(text).digest("hex") };

/** Refusals of a script before its first write. */
export const sealRefused =
  /^(OOM|READONLY|MISCONF|NOAUTH|LOADING|MASTERDOWN|NOREPLICAS|BUSY|NOSCRIPT)\b/;

/** What follows the digest in EVALSHA: the number of keys, the keys, the arguments. */
export function sealArguments(groups: readonly SealedWrite[]): [number, ...(string | Buffer)[]] {
  const keys: string[] = [];
  const counts: string[] = [];
  const values: Buffer[] = [];
  for (const { entries, seal } of groups) {
    counts.push(String(entries.length));
    for (const { key, value } of entries) {
      keys.push(key);
      values.push(toBuffer(value));
    }
    keys.push(seal.key);
    values.push(toBuffer(seal.value));
  }
  return [keys.length, ...keys, String(groups.length), ...counts, ...values];
}
