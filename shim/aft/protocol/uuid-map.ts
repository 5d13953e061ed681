/**
 * @module A map from transaction ids that come and go by the thousand.
 *
 * Own code because of what JavaScript's `Map` does when it makes room: the table it has outgrown keeps all it held
 * and leads to the next one. Once the first has become old, V8 takes each next one for alive, and all that these ever
 * held, until it marks everything: most of what a loaded replica's collections copied. Here nothing leads from the
 * old arrays to the new ones. And an id of a command is a new string each time, of which a map hashes every
 * character and then compares them; here the last twelve of a uuid, which are random, are enough to find it.
 *
 * Open addressing with linear probing; a deletion moves back what it left a gap in front of. Cost: O(1) expected for
 * random ids; ids that a client picks so that they collide cost it O(n).
 */
const leastCapacity = 16;
const uuidLength = 36;
/** At the end of a uuid. */
const hashedCharacters = 12;

export class UuidMap<Value> {
  #uuids: (string | undefined)[];
  #values: (Value | undefined)[];
  /** Told apart by it first: strings are compared only where it is the same. */
  #hashes: Int32Array;
  #mask: number;
  #size = 0;

  constructor() {
    this.#uuids = nothing(leastCapacity);
    this.#values = nothing(leastCapacity);
    this.#hashes = new Int32Array(leastCapacity);
    this.#mask = leastCapacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  has(uuid: string): boolean {
    return this.#uuids[this.#find(uuid, hashOf(uuid))] !== undefined;
  }

  get(uuid: string): Value | undefined {
    return this.#values[this.#find(uuid, hashOf(uuid))];
  }

  set(uuid: string, value: Value): void {
    const hash = hashOf(uuid);
    let place = this.#find(uuid, hash);
    if (this.#uuids[place] === undefined) {
      if (2 * (this.#size + 1) > this.#uuids.length) {
        this.#resize(2 * this.#uuids.length);
        place = this.#find(uuid, hash);
      }
      this.#size += 1;
      this.#uuids[place] = uuid;
      this.#hashes[place] = hash;
    }
    this.#values[place] = value;
  }

  /** Whether it was there. */
  delete(uuid: string): boolean {
    const place = this.#find(uuid, hashOf(uuid));
    if (this.#uuids[place] === undefined) return false;
    this.#size -= 1;
    this.#close(place);
    const capacity = this.#uuids.length;
    if (capacity > leastCapacity && 16 * this.#size < capacity) this.#resize(capacity / 4);
    return true;
  }

  /** In no order that means anything; not to be changed meanwhile. */
  *values(): Generator<Value> {
    for (const [place, uuid] of this.#uuids.entries())
      if (uuid !== undefined) yield this.#values[place] as Value;
  }

  /** Where it is, or would go. */
  #find(uuid: string, hash: number): number {
    const mask = this.#mask;
    let place = hash & mask;
    for (;;) {
      const there = this.#uuids[place];
      if (there === undefined || (this.#hashes[place] === hash && there === uuid)) return place;
      place = (place + 1) & mask;
    }
  }

  /** Moves into the gap what would not be found behind it, and so on. */
  #close(from: number): void {
    const mask = this.#mask;
    let gap = from;
    for (let place = (gap + 1) & mask; ; place = (place + 1) & mask) {
      const uuid = this.#uuids[place];
      if (uuid === undefined) break;
      const hash = this.#hashes[place] ?? 0;
      const home = hash & mask;
      // Between the gap and its place, in a ring: it is found where it is.
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      this.#uuids[gap] = uuid;
      this.#values[gap] = this.#values[place];
      this.#hashes[gap] = hash;
      gap = place;
    }
    this.#uuids[gap] = undefined;
    this.#values[gap] = undefined;
  }

  #resize(capacity: number): void {
    const [uuids, values, hashes] = [this.#uuids, this.#values, this.#hashes];
    this.#uuids = nothing(capacity);
    this.#values = nothing(capacity);
    this.#hashes = new Int32Array(capacity);
    this.#mask = capacity - 1;
    for (let place = 0; place < uuids.length; place += 1) {
      const uuid = uuids[place];
      if (uuid === undefined) continue;
      const hash = hashes[place] ?? 0;
      const to = this.#find(uuid, hash);
      this.#uuids[to] = uuid;
      this.#values[to] = values[place];
      this.#hashes[to] = hash;
    }
  }
}

function nothing(length: number): undefined[] {
  return Array.from({ length }, () => undefined);
}

/** FNV-1a of the last characters of the uuid in front; of all there are where it is none. */
function hashOf(uuid: string): number {
  const end = Math.min(uuid.length, uuidLength);
  let hash = 0x811c9dc5;
  for (let place = Math.max(0, end - hashedCharacters); place < end; place += 1)
    hash = Math.imul(hash ^ uuid.charCodeAt(place), 0x01000193);
  return hash ^ (hash >>> 15);
}
