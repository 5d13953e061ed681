/**
 * @module The scripts of `redis-occ`. Redis runs each as a whole, so nobody sees a part of it.
 *
 * A stored value begins with its version, the uuid of the attempt that wrote it, in 36 bytes: comparing
 * versions then moves no values, and a version never comes back, as a number could after a restart of the
 * server without its data.
 *
 * Redis checks memory, role and persistence at a script's first write and not again, so a refusal leaves
 * nothing behind; what fails later (an ACL that forbids one of the keys) is an outcome nobody knows.
 */
import { createScript } from "#shim/redis/server.ts";

export const versionBytes = 36;

const sameVersions = `
local function stale(first, count)
  for index = first, first + count - 1 do
    local version = redis.call('GETRANGE', KEYS[index], 0, ${versionBytes - 1})
    if version ~= ARGV[index] then return index - first + 1 end
  end
  return 0
end
`;

/**
 * KEYS: record of the request, fence of the attempt, counter of commits, keys read, keys written. ARGV: id of
 * the attempt, milliseconds to keep the record, number of keys read, versions read, values written (with
 * their version). Answers `done` and the record, `fenced`, `stale` and which of the keys read, or
 * `committed` and the count.
 */
export const commitScript = createScript(`${sameVersions}
local record = redis.call('GET', KEYS[1])
if record then return {'done', record} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {'fenced'} end
local reads = tonumber(ARGV[3])
local changed = stale(4, reads)
if changed > 0 then return {'stale', changed} end
local count = string.format('%.0f', redis.call('INCR', KEYS[3]))
for index = 4 + reads, #KEYS do redis.call('SET', KEYS[index], ARGV[index]) end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. count, 'PX', ARGV[2])
return {'committed', count}
`);

/** KEYS: keys read. ARGV: their versions. Answers 0, or which of them has another version by now. */
export const validateScript = createScript(`${sameVersions}
return stale(1, #KEYS)
`);

/**
 * KEYS: record of the request, fence of the attempt. ARGV: milliseconds to keep the fence. Answers the record,
 * or nothing, and then the attempt cannot commit any more.
 */
export const outcomeScript = createScript(`
local record = redis.call('GET', KEYS[1])
if not record then redis.call('SET', KEYS[2], '', 'PX', ARGV[1]) end
return record
`);
