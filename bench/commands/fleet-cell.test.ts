/**
 * Goal    A fleet makes the load of one cell, of a system whose address holds no secret.
 * Method  Flags as the command line gives them; refusals by place.
 */
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { givenBy, oneCell } from "./fleet-cell.ts";

describe("the cell of a fleet", () => {
  it("is the one that was selected, with its functions in the parts and the load that was asked for", () => {
    const only = ["system:aft", "storage:redis"];
    const { cell, definition, profile } = oneCell("overhead", { only, smoke: true, rate: 50 });
    expect([definition.id, profile]).toEqual(["overhead", "smoke"]);
    expect(cell.platform.name).toBe("inline");
    expect(cell.load).toMatchObject({ model: "open", slots: 256 });
  });

  it("is refused when it is more than one, and all are named", () => {
    expect(() => oneCell("overhead", { only: ["storage:redis"] })).toThrow(ConfigError);
    expect(() => oneCell("overhead", { only: ["storage:redis"] })).toThrow(
      /these are 2: direct over redis \(emulation:none\), aft over redis/,
    );
  });
});

describe("what is up", () => {
  it("is named by addresses and files", () => {
    const flags = { aft: "a:1,b:2", aftUsername: "u", aftPasswordFile: "/p", store: "redis://r:1" };
    expect(givenBy(flags)).toEqual({
      endpoints: ["a:1", "b:2"],
      username: "u",
      passwordFile: "/p",
      store: { engine: "redis", urls: ["redis://r:1"], cluster: false },
    });
  });

  it("is refused with a password in it, which is not shown", () => {
    const refused = (): unknown => givenBy({ store: "redis://u:secret@h:1" });
    expect(refused).toThrow(/--store: holds a password/);
    expect(refused).not.toThrow(/secret/);
  });
});
