/**
 * @module The scripts of `step-log`: a step and its entry in the log are one command, so there is no instant
 * at which one is there without the other. Redis runs each as a whole.
 *
 * Of a request there is a log (a hash: a field for each step, its kind and keys; of a read further fields
 * with what was read; `author`, who did the last write that was done) and, once it has committed, a record
 * with that author, after which nothing is written for it any more.
 */
import { createScript } from "#shim/redis/server.ts";

/**
 * KEYS: log, record, keys to read. ARGV: step, what it is, milliseconds to keep the log. Answers `values` and
 * what this step read when it was done first, or `other` and what the step was then.
 */
export const readScript = createScript(`
local step, what = ARGV[1], ARGV[2]
local known = redis.call('HGET', KEYS[1], step)
if known and known ~= what then return {'other', known} end
local values = {}
if known then
  for index = 3, #KEYS do
    values[index - 2] = redis.call('HGET', KEYS[1], step .. '/' .. (index - 2))
  end
  return {'values', values}
end
local isDone = redis.call('EXISTS', KEYS[2]) == 1
for index = 3, #KEYS do
  local value = redis.call('GET', KEYS[index])
  values[index - 2] = value
  if value and not isDone then
    redis.call('HSET', KEYS[1], step .. '/' .. (index - 2), value)
  end
end
if not isDone then
  redis.call('HSET', KEYS[1], step, what)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {'values', values}
`);

/**
 * KEYS: log, record, keys to write. ARGV: step, what it is, milliseconds to keep the log, id of the attempt,
 * values. Answers `written`, `replayed` where an earlier attempt has done it, or `other` and what the step
 * was then. The log is written last: a step that fails half-way is done again and not taken for done.
 */
export const writeScript = createScript(`
local step, what = ARGV[1], ARGV[2]
local known = redis.call('HGET', KEYS[1], step)
if known and known ~= what then return {'other', known} end
if known or redis.call('EXISTS', KEYS[2]) == 1 then return {'replayed'} end
for index = 3, #KEYS do redis.call('SET', KEYS[index], ARGV[index + 2]) end
redis.call('HSET', KEYS[1], step, what, 'author', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'written'}
`);

/**
 * KEYS: log, record. ARGV: milliseconds to keep the record, and the log from now on. Answers the author, or
 * nothing where the request has written nothing.
 */
export const commitScript = createScript(`
local author = redis.call('GET', KEYS[2])
if author then return author end
author = redis.call('HGET', KEYS[1], 'author')
if author then redis.call('SET', KEYS[2], author, 'PX', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return author
`);
