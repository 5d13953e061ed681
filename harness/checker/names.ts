/**
 * @module Names of keys, sessions and values as dense numbers, and back.
 *
 * Numbers have a path without a string or a `Map`: a history of 10 M operations is mostly looking
 * up names. 1 and "1" are different names; a format uses one kind.
 */

import { Int32List } from "./int32-list.ts";

export type Name = number | string;

/** Integers below this are looked up in an array; the rest in a `Map`. */
const directBound = 2 ** 20;

/** Names by index. Four bytes each as long as all are integers in 0 … 2^31-1, which most are. */
export class NameList {
  readonly #numbers = new Int32List();
  /** All of them, once one is no such integer. */
  #others: Name[] | undefined;

  get length(): number {
    return this.#others?.length ?? this.#numbers.length;
  }

  push(name: Name): void {
    if (this.#others !== undefined) this.#others.push(name);
    else if (typeof name === "number" && (name | 0) === name && name >= 0) this.#numbers.push(name);
    else this.#others = [...this.#numbers.view(), name];
  }

  /** Undefined beyond the last. */
  at(index: number): Name | undefined {
    if (this.#others !== undefined) return this.#others[index];
    return index >= 0 && index < this.#numbers.length ? this.#numbers.at(index) : undefined;
  }
}

const leastDirect = 1_024;

/** Names ↔ 0, 1, 2 … in order of first appearance. */
export class Interner {
  /** Made when the first number comes: names of the suite's own record are texts. */
  #direct = new Int32Array(0);
  readonly #others = new Map<Name, number>();
  readonly #names = new NameList();

  get size(): number {
    return this.#names.length;
  }

  id(name: Name): number {
    if (typeof name === "number" && name >= 0 && name < this.#direct.length) {
      const known = this.#direct[name];
      // Fractions are no index, hence undefined.
      if (known !== undefined && known !== 0) return known - 1;
    }
    return this.#idSlowly(name);
  }

  name(id: number): Name {
    return this.#names.at(id) ?? "";
  }

  #idSlowly(name: Name): number {
    if (typeof name === "number" && Number.isInteger(name) && name >= 0 && name < directBound) {
      if (name >= this.#direct.length) {
        const larger = new Int32Array(Math.max(leastDirect, 2 ** Math.ceil(Math.log2(name + 1))));
        larger.set(this.#direct);
        this.#direct = larger;
      }
      this.#names.push(name);
      this.#direct[name] = this.#names.length;
      return this.#names.length - 1;
    }
    const known = this.#others.get(name);
    if (known !== undefined) return known;
    this.#names.push(name);
    this.#others.set(name, this.#names.length - 1);
    return this.#names.length - 1;
  }
}

/** The code of the value every key has before anybody wrote it. */
export const initialValue = -1;

/**
 * Values as codes: an integer in 0 … 2^31-1 is its own code, -1 is the initial value, every other
 * name gets -2, -3 …. So the usual histories intern no value at all.
 */
export class ValueCodes {
  readonly #codes = new Map<Name, number>();
  readonly #names: Name[] = [];

  code(value: Name): number {
    if (typeof value === "number" && (value | 0) === value && value >= 0) return value;
    const known = this.#codes.get(value);
    if (known !== undefined) return known;
    this.#names.push(value);
    const code = -1 - this.#names.length;
    this.#codes.set(value, code);
    return code;
  }

  value(code: number): Name {
    if (code >= 0) return code;
    return this.#names[-2 - code] ?? "";
  }

  /** Whether every value so far was its own code. */
  get areNumbers(): boolean {
    return this.#names.length === 0;
  }
}
