/** @module Which cell a fleet makes the load of, and what is up for it: from flags. */
import { ConfigError } from "#kit/errors.ts";
import type { CellPlan, ExperimentDefinition } from "#harness/experiment/define.ts";
import type { GivenSystem } from "#harness/experiment/fleet/remote/make-plan.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { withoutPassword } from "#shim/storage/target.ts";
import type { FleetPlanFlags } from "./fleet-flags.ts";
import { type LoadFlags, withLoad } from "./load-flags.ts";
import { resolvePlan } from "./plan.ts";

type CellFlags = LoadFlags & Pick<FleetPlanFlags, "profile" | "smoke" | "only">;
type GivenFlags = Pick<
  FleetPlanFlags,
  "store" | "aft" | "aftUsername" | "aftPasswordFile" | "aftCa"
>;

/** The cell that was selected. @throws ConfigError unless it is one */
export function oneCell(
  experiment: string,
  flags: CellFlags,
): {
  readonly definition: ExperimentDefinition;
  readonly cell: CellPlan;
  readonly profile: string;
} {
  const profile = flags.smoke === true ? "smoke" : flags.profile;
  const { parts, ...resolved } = resolvePlan({
    names: [experiment],
    only: flags.only,
    ...(profile !== undefined && { profile }),
  });
  // Functions run in the parts, wherever the experiment has them.
  const cells = parts.flatMap(({ definition, cells: own }) =>
    withLoad(own.map(inPart), flags).map((cell) => ({ definition, cell })),
  );
  const [only, ...others] = cells;
  if (only !== undefined && others.length === 0) return { ...only, profile: resolved.profile };
  const names = cells.map(
    ({ cell: { cell } }) => `${cell.system} over ${cell.storage} (emulation:${cell.emulation})`,
  );
  const what = `a fleet makes one cell's load, and these are ${cells.length}: ${names.join(", ")}`;
  const hint = "--only system:…, --only storage:…, --only emulation:none";
  throw new ConfigError([{ where: "--only", what, hint }]);
}

function inPart(plan: CellPlan): CellPlan {
  return { ...plan, platform: { ...plan.platform, name: "inline" } };
}

/** What is up. @throws ConfigError */
export function givenBy(flags: GivenFlags): GivenSystem {
  const { store, aft = "", aftUsername, aftPasswordFile, aftCa } = flags;
  if (store !== undefined && withoutPassword(store) !== store) {
    const what = "holds a password, which would stand in the plan and in every record";
    const hint = "let the network decide who may ask it";
    throw new ConfigError([{ where: "--store", what, hint }]);
  }
  return {
    endpoints: aft.split(",").filter((part) => part !== ""),
    ...(store !== undefined && { store: parseStorageUrl(store) }),
    ...(aftUsername !== undefined && { username: aftUsername }),
    ...(aftPasswordFile !== undefined && { passwordFile: aftPasswordFile }),
    ...(aftCa !== undefined && { caFile: aftCa }),
  };
}
