/**
 * @module What functions on `lambda` can reach, and what they cannot: an archive holds no native module,
 * memory belongs to one process, and AWS does not see this machine's loopback.
 */
import { NotAvailableError } from "#kit/errors.ts";
import { allowed } from "#harness/faas/lambda/open.ts";
import { isAws, type LambdaTarget } from "#harness/faas/lambda/settings.ts";
import type { StorageService } from "#harness/services/port.ts";
import type { StorageTarget } from "#shim/storage/target.ts";
import type { CellPlan } from "./define.ts";

export interface LambdaPlace {
  readonly target: LambdaTarget;
  /** A store that functions reach; absent: the suite starts its own on loopback. */
  readonly store?: StorageTarget;
  /** `host:port` of a replica over that store. */
  readonly aftEndpoint?: string;
}

/** Before anything is started. @throws NotAvailableError saying what a cell on `lambda` lacks */
export function checkReach(plan: CellPlan, place?: LambdaPlace, ownSystem = false): void {
  const { platform, storage, system } = plan;
  checkEvents(plan, place);
  if (ownSystem || storage.modulePath !== undefined) checkArchive(plan);
  if (platform.name !== "lambda") return;
  allowed(place?.target);
  if (place === undefined) return;
  const what = `${system} over ${storage.service} on lambda`;
  const { target, store, aftEndpoint } = place;
  if (store === undefined && ["memory", "lmdb"].includes(storage.service)) {
    const why = `${storage.service} cannot be opened by a function from an archive`;
    throw new NotAvailableError({ what, why, get: "--only storage:redis, dynamodb or s3" });
  }
  if (!isAws(target.settings.endpoint)) return;
  const why = "functions on AWS do not reach this machine's 127.0.0.1";
  if (store === undefined)
    throw new NotAvailableError({ what, why, get: "--lambda-store redis://HOST:PORT" });
  if (system === "aft" && aftEndpoint === undefined)
    throw new NotAvailableError({ what, why, get: "serve a replica, and --lambda-aft HOST:PORT" });
}

/** @throws NotAvailableError where functions are archives, made without a module from outside */
function checkArchive({ platform, system, storage }: CellPlan): void {
  if (!["lambda", "serverless-offline"].includes(platform.name)) return;
  const what = `${system} over ${storage.service} on ${platform.name}`;
  const why = "an archive holds nothing from outside this repository";
  throw new NotAvailableError({ what, why, get: "--platform local" });
}

/** @throws NotAvailableError where the platform does not try events again, or nobody would see it */
function checkEvents({ platform, retriedBy }: CellPlan, place?: LambdaPlace): void {
  if (retriedBy === undefined) return;
  const what = `events that ${platform.name} tries again`;
  const endpoint = place?.target.settings.endpoint;
  if (!["local", "lambda"].includes(platform.name)) {
    const why = `${platform.name} does not try events again`;
    throw new NotAvailableError({ what, why, get: "--only platform:local, or a Lambda endpoint" });
  }
  if (platform.name === "lambda" && place !== undefined && isAws(endpoint)) {
    const why = "functions on AWS do not reach the driver, which counts their attempts";
    throw new NotAvailableError({ what, why, get: "--only retriedBy:driver" });
  }
}

/** A store that is up and not the suite's: it is neither started nor emptied. */
export function elsewhere(target: StorageTarget): StorageService {
  return {
    name: target.engine,
    pids: [],
    description: { startedBy: "somebody else" },
    target,
    stop: () => Promise.resolve(),
  };
}
