import { expect, it } from "vitest";
import { durabilityOf } from "./redis-durability.ts";

it("says what an acknowledged write survives, setting by setting", () => {
  const of = (appendonly: string, appendfsync: string, save = ""): string =>
    durabilityOf({ appendonly, appendfsync, save });
  expect(of("no", "everysec")).toMatch(/no snapshots: .* it acknowledged is lost/);
  expect(of("no", "everysec", "3600 1")).toMatch(/save 3600 1.* since the last snapshot is lost/);
  expect(of("yes", "always")).toMatch(/on the disk before it is acknowledged/);
  expect(of("yes", "everysec")).toMatch(
    /redis-server loses nothing, one of the machine about a second/,
  );
  expect(of("yes", "no")).toMatch(/one of the machine what the system had not flushed/);
});
