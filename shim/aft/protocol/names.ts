/**
 * @module Names of stored objects.
 *
 *   <ns>/d/<escaped key>/<uuid>   one version of a key; never overwritten once committed
 *   <ns>/c/<uuid>                 the commit record, or the marker that decided against it
 *   <ns>/c/<tag>, <ns>/c/<tag>.1, …   the same for a request that is to happen once: one place
 *                                 for all its attempts, so that one conditional put decides
 *                                 among them. Each marker against one attempt uses up a slot.
 *
 * A user's key may be any string; in a name everything but letters, digits and `._-` is escaped,
 * so that `/` separates and nothing else does.
 */
import { type StorageKey, storageKey } from "#shim/storage/port.ts";
import { type Key, isTransactionUuid, key, requestTagOf } from "./types.ts";

export interface Names {
  readonly dataPrefix: string;
  readonly commitPrefix: string;
  readonly version: (key: Key, uuid: string) => StorageKey;
  readonly commit: (uuid: string, slot?: number) => StorageKey;
  readonly commitAt: (place: string) => StorageKey;
  /** The parts of a version's name; `undefined` for anything else. */
  readonly parseVersion: (name: StorageKey) => { key: Key; uuid: string } | undefined;
  /** The place (`commitPlace`) of a commit record's name; `undefined` for anything else. */
  readonly parseCommit: (name: StorageKey) => string | undefined;
}

const plain = /^[A-Za-z0-9._-]*$/;
const taggedPlace = /^[A-Za-z0-9_-]{22}(\.[1-9]\d{0,5})?$/;

/** Where in the commit set the outcome of a transaction stands. */
export function commitPlace(uuid: string, slot = 0): string {
  const tag = requestTagOf(uuid);
  if (tag === undefined) return uuid;
  return slot === 0 ? tag : `${tag}.${slot}`;
}

/** Names under one namespace, for instance `aft`. */
export function createNames(namespace: string): Names {
  const dataPrefix = `${namespace}/d/`;
  const commitPrefix = `${namespace}/c/`;
  return {
    dataPrefix,
    commitPrefix,
    version: (userKey, uuid) => storageKey(`${dataPrefix}${escapeKey(userKey)}/${uuid}`),
    commit: (uuid, slot) => storageKey(`${commitPrefix}${commitPlace(uuid, slot)}`),
    commitAt: (place) => storageKey(`${commitPrefix}${place}`),
    parseVersion: (name) => {
      if (!name.startsWith(dataPrefix)) return undefined;
      const slash = name.indexOf("/", dataPrefix.length);
      const uuid = name.slice(slash + 1);
      if (slash < 0 || !isTransactionUuid(uuid)) return undefined;
      const text = unescapeKey(name.slice(dataPrefix.length, slash));
      return text === undefined ? undefined : { key: key(text), uuid };
    },
    parseCommit: (name) => {
      if (!name.startsWith(commitPrefix)) return undefined;
      const place = name.slice(commitPrefix.length);
      return taggedPlace.test(place) || isUntagged(place) ? place : undefined;
    },
  };
}

/** Whether a place belongs to a request, and not to one transaction. */
export function isRequestPlace(place: string): boolean {
  return taggedPlace.test(place);
}

function isUntagged(place: string): boolean {
  return isTransactionUuid(place) && requestTagOf(place) === undefined;
}

/**
 * Printable ASCII for any string, reversibly: UTF-16 code units outside the plain set become
 * `%XX` (below 256) or `%uXXXX`. Code units rather than UTF-8, so that lone surrogates survive.
 */
export function escapeKey(text: string): string {
  if (plain.test(text)) return text;
  return text.replaceAll(/[^A-Za-z0-9._-]/gu, (character) => {
    let escaped = "";
    for (let unit = 0; unit < character.length; unit += 1) {
      const code = character.charCodeAt(unit);
      const hex = code.toString(16);
      escaped += code < 256 ? `%${hex.padStart(2, "0")}` : `%u${hex.padStart(4, "0")}`;
    }
    return escaped;
  });
}

/** The inverse of `escapeKey`; `undefined` for text it cannot have made. */
export function unescapeKey(escaped: string): string | undefined {
  if (plain.test(escaped)) return escaped;
  const text = escaped.replaceAll(/%u([0-9a-f]{4})|%([0-9a-f]{2})/g, (_all, wide, narrow) =>
    String.fromCharCode(Number.parseInt(String(wide ?? narrow), 16)),
  );
  return escapeKey(text) === escaped ? text : undefined;
}
