/** Goal  Options of a client that cannot be meant are refused before anything is connected. */
import { expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { stateSystem } from "./system.ts";

it.each([-1, 1.5, "64", Number.NaN, null])(
  "refuses maxRidingWrites %s",
  async (maxRidingWrites) => {
    const one = stateSystem.open({ endpoint: "unix:/nowhere", maxRidingWrites });
    await expect(one).rejects.toThrow(ConfigError);
    const many = stateSystem.open({ endpoints: ["unix:/nowhere"], maxRidingWrites });
    await expect(many).rejects.toThrow("aft.maxRidingWrites");
  },
);
