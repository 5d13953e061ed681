/**
 * Goal    Users are read strictly, logins are limited and refusals told once; nothing repeats a secret.
 * Method  Hand cases per clause, on a clock that the test sets.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { Access, type AccessEvent } from "./access.ts";
import { FailedAttempts, networkOf } from "./attempts.ts";
import { Bursts } from "./bursts.ts";
import { isLoopback, refuseUnprotected } from "./security.ts";
import { authenticate, grants, parseUsers, usersOfPassword } from "./users.ts";

function problemsOf(text: string): string[] {
  try {
    parseUsers(text, "users.acl");
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map(({ where, what }) => `${where}: ${what}`);
  }
  return [];
}

const given = (username: string, password: string) => ({
  username,
  password: Buffer.from(password),
});

describe("a users file", () => {
  it("gives each user its passwords and rights", () => {
    const hash = createHash("sha256").update("other").digest("hex").toUpperCase();
    const users = parseUsers(`# all\n\nuser a on >one #${hash} +@client\r\nuser b off +@all`, "f");
    expect(users.get("a")?.grants).toBe(grants.client | grants.session);
    expect(users.get("b")?.grants).toBe(grants.all);
    for (const password of ["one", "other"])
      expect(authenticate(users, given("a", password))?.user.name).toBe("a");
    for (const wrong of [given("a", "two"), given("a", ""), given("b", "one"), given("c", "one")])
      expect(authenticate(users, wrong)).toBeUndefined();
  });

  it.each([
    ["nonsense", "users.acl:1: does not begin with: user NAME"],
    ["user", "users.acl:1: does not begin with: user NAME"],
    ["user a/b on >x", "users.acl:1: the user's name may have 64 letters, digits and _ . : -"],
    ["user a >x +@client", "users.acl:1: says neither on nor off"],
    ["user a on +@client", "users.acl:1: is on and has no password"],
    ["user a on > +@client", "users.acl:1: rule 2 of the user is not understood"],
    ["user a on #12 +@client", "users.acl:1: rule 2 of the user is not understood"],
    ["user a on nopass +@client", "users.acl:1: rule 2 of the user is not understood"],
    ["user a on >x +@pear", "users.acl:1: rule 3 of the user is not understood"],
    ["user a off\nuser a off", "users.acl:2: names a user again"],
    ["# nobody", "users.acl: names no users, so nobody could log in"],
  ])("refuses %j", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it("names every bad line at once, and repeats no word of them", () => {
    const problems = problemsOf("user a on forgotten-mark\nuser b on >fine\nsecret");
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toMatch(/forgotten|secret/);
  });

  it("has one user with every right where there is only a password", () => {
    const found = authenticate(usersOfPassword("p"), given("default", "p"));
    expect(found?.user.grants).toBe(grants.all);
  });
});

describe("failed logins", () => {
  it("are free up to the burst, then one each refill", () => {
    const attempts = new FailedAttempts({ burst: 3, refillMs: 1_000, maxAddresses: 10 });
    for (let failure = 0; failure < 3; failure += 1) {
      expect(attempts.waitMs("1.2.3.4", 0)).toBe(0);
      attempts.failed("1.2.3.4", 0);
    }
    expect(attempts.waitMs("1.2.3.4", 0)).toBe(1_000);
    expect(attempts.waitMs("1.2.3.4", 400)).toBe(600);
    expect(attempts.waitMs("1.2.3.4", 1_000)).toBe(0);
    expect(attempts.waitMs("5.6.7.8", 0)).toBe(0);
    attempts.failed("1.2.3.4", 1_000);
    expect(attempts.waitMs("1.2.3.4", 1_000)).toBe(1_000);
    expect(attempts.waitMs("1.2.3.4", -5_000)).toBeGreaterThan(0);
    expect(attempts.waitMs("1.2.3.4", 100_000)).toBe(0);
  });

  it("are remembered for a bounded number of addresses", () => {
    const attempts = new FailedAttempts({ burst: 1, refillMs: 1_000, maxAddresses: 5 });
    for (let index = 0; index < 100; index += 1) attempts.failed(`10.0.0.${index}`, index);
    expect(attempts.remembered).toBe(5);
    expect(attempts.waitMs("10.0.0.99", 99)).toBeGreaterThan(0);
  });

  it.each([
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["local", "local"],
  ])("of %s count for %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe("bursts", () => {
  it("are told once, again after a silence with what was not told, and now and then if endless", () => {
    const bursts = new Bursts({ quietMs: 10, repeatMs: 100, maxBursts: 2 });
    expect(bursts.note("a", 0)).toEqual({ untold: 0 });
    expect(bursts.note("a", 5)).toBeUndefined();
    expect(bursts.note("a", 14)).toBeUndefined();
    expect(bursts.note("b", 14)).toEqual({ untold: 0 });
    expect(bursts.note("a", 30)).toEqual({ untold: 2 });
    const told = Array.from({ length: 40 }, (_, step) => bursts.note("a", 31 + step * 5));
    expect(told.filter((one) => one !== undefined)).toHaveLength(1);
  });
});

describe("access", () => {
  const users = parseUsers("user default on >p +@client\nuser peer on >q +@peer", "f");

  it("gives strangers nothing, verified peers their own, and everybody everything without users", () => {
    const secured = new Access({ users, hasPeersAuthority: true, nowMs: () => 0 });
    expect(secured.grantsOf({ isVerifiedPeer: false })).toBe(grants.none);
    expect(secured.grantsOf({ isVerifiedPeer: true })).toBe(grants.peer | grants.session);
    const certificatesOnly = new Access({ hasPeersAuthority: true, nowMs: () => 0 });
    expect(certificatesOnly.grantsOf({ isVerifiedPeer: false }) & grants.peer).toBe(0);
    expect(certificatesOnly.grantsOf({ isVerifiedPeer: true })).toBe(grants.all);
    expect(new Access({ nowMs: () => 0 }).grantsOf({ isVerifiedPeer: false })).toBe(grants.all);
  });

  it("takes not even the right password from an address that failed too often", () => {
    const events: AccessEvent[] = [];
    let nowMs = 0;
    const access = new Access({
      users,
      nowMs: () => nowMs,
      onEvent: (event) => events.push(event),
    });
    const login = (password: string, remote = "10.0.0.1") =>
      access.login({ remote, ...given("default", password) }).kind;
    for (let failure = 0; failure < 10; failure += 1) expect(login("wrong")).toBe("wrong");
    expect(login("p")).toBe("limited");
    expect(login("p", "10.0.0.2")).toBe("ok");
    nowMs = 1_000;
    expect(login("p")).toBe("ok");
    expect(access.stats()).toMatchObject({ authFailuresTotal: 10, authLimitedTotal: 1 });
    expect(events.map(({ kind }) => kind)).toEqual(["auth_failed", "auth_limited"]);
    expect(JSON.stringify(events)).not.toContain("wrong-");
  });

  it("ends a login whose user is off, gone or has another password", () => {
    const access = new Access({ users, nowMs: () => 0 });
    const answer = access.login({ remote: "local", ...given("default", "p") });
    if (answer.kind !== "ok") throw new Error(answer.kind);
    const login = { username: "default", password: answer.password };
    access.replaceUsers(parseUsers("user default on >new >p +@all", "f"));
    expect(access.renewed(login)).toBe(grants.all);
    for (const text of ["user default on >new +@all", "user default off >p", "user x on >p"]) {
      access.replaceUsers(parseUsers(text, "f"));
      expect(access.renewed(login)).toBeUndefined();
    }
  });
});

it("serves other machines only with users, or when told to", () => {
  const refuse =
    (host: string, hasUsers: boolean, allowUnprotected = false) =>
    () => {
      refuseUnprotected({ host, hasUsers, config: { allowUnprotected } });
    };
  expect(refuse("10.0.0.1", false)).toThrow(ConfigError);
  expect(refuse("example.org", false)).toThrow(ConfigError);
  expect(refuse("10.0.0.1", true)).not.toThrow();
  expect(refuse("10.0.0.1", false, true)).not.toThrow();
  expect(refuse("127.0.0.1", false)).not.toThrow();
  expect(["127.0.0.1", "127.3.2.1", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["127.0.0.1.example.org", "10.127.0.1", "::"].some(isLoopback)).toBe(false);
});
