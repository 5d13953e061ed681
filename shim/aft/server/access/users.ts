/**
 * @module Users of the server, in a subset of the syntax of Redis ACL files. Pure.
 *
 *   user NAME on|off (>password | #SHA256HEX)… (+@client | +@peer | +@admin | +@all)…
 *
 * One user a line; empty lines and lines that begin with `# ` are skipped. The user `default` is who
 * `AUTH password` means. Passwords are compared as SHA-256, as in Redis; that is no slow hash, so they
 * must be long and random.
 *
 * No message made here repeats a word of the text: a password with its `>` forgotten is a word too.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";

/** What a connection may do, as bits; a command names the one it needs. */
export const grants = {
  none: 0,
  /** Commands about the connection itself: whoever has logged in, whatever else they may do. */
  session: 1,
  client: 2,
  peer: 4,
  admin: 8,
  all: 15,
} as const;

export interface User {
  readonly name: string;
  readonly isOn: boolean;
  /** SHA-256, in hexadecimal. */
  readonly passwords: readonly string[];
  /** Bits of `grants`. */
  readonly grants: number;
}

export type Users = ReadonlyMap<string, User>;

const categories: ReadonlyMap<string, number> = new Map([
  ["+@client", grants.client],
  ["+@peer", grants.peer],
  ["+@admin", grants.admin],
  ["+@all", grants.all],
]);

const ruleHint = "on, off, >password, #SHA256HEX, +@client, +@peer, +@admin, +@all";

/** Reads users. `where` names the text in errors. @throws ConfigError with every bad line. */
export function parseUsers(text: string, where: string): Users {
  const users = new Map<string, User>();
  const problems: ConfigProblem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length === 0 || words[0] === "#") continue;
    const at = `${where}:${index + 1}`;
    const user = parseUser(words);
    if (typeof user === "string") problems.push({ where: at, what: user, hint: ruleHint });
    else if (users.has(user.name)) problems.push({ where: at, what: "names a user again" });
    else users.set(user.name, user);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  if (users.size === 0) {
    const what = "names no users, so nobody could log in";
    throw new ConfigError([{ where, what, hint: "user NAME on >password +@client" }]);
  }
  return users;
}

/** The user of a line, or what is wrong with it. */
function parseUser(words: readonly string[]): User | string {
  const [keyword, name, ...rules] = words;
  if (keyword !== "user" || name === undefined) return "does not begin with: user NAME";
  // A name is repeated in answers and logs.
  if (!/^[A-Za-z0-9_.:-]{1,64}$/.test(name))
    return "the user's name may have 64 letters, digits and _ . : -";
  let isOn: boolean | undefined;
  let bits: number = grants.session;
  const passwords: string[] = [];
  for (const [index, rule] of rules.entries()) {
    const category = categories.get(rule);
    if (rule === "on" || rule === "off") isOn = rule === "on";
    else if (category !== undefined) bits |= category;
    else if (/^>./.test(rule)) passwords.push(sha256(rule.slice(1)).toString("hex"));
    else if (/^#[0-9a-fA-F]{64}$/.test(rule)) passwords.push(rule.slice(1).toLowerCase());
    else return `rule ${index + 1} of the user is not understood`;
  }
  if (isOn === undefined) return "says neither on nor off";
  if (isOn && passwords.length === 0) return "is on and has no password";
  return { name, isOn, passwords, grants: bits };
}

/** One user with every right: what a single password stands for. */
export function usersOfPassword(password: string): Users {
  const passwords = [sha256(password).toString("hex")];
  return new Map([["default", { name: "default", isOn: true, passwords, grants: grants.all }]]);
}

/** Stands in for the password of a user that does not exist, so that this takes as long. */
const nobodys = "00".repeat(32);

/**
 * The user and which of its passwords was given, or `undefined`. In time that depends neither on the
 * password nor on whether there is such a user.
 */
export function authenticate(
  users: Users,
  given: { readonly username: string; readonly password: Uint8Array },
): { readonly user: User; readonly password: string } | undefined {
  const user = users.get(given.username);
  const digest = sha256(given.password);
  let matched: string | undefined;
  for (const password of user?.passwords ?? [nobodys])
    if (timingSafeEqual(digest, Buffer.from(password, "hex"))) matched = password;
  if (user === undefined || !user.isOn || matched === undefined) return undefined;
  return { user, password: matched };
}

function sha256(text: string | Uint8Array): Buffer {
  return createHash("sha256").update(text).digest();
}
