/** @module Whether what a plan names can be reached from another machine. Pure. */
import type { FleetPlan } from "./plan.ts";

const loopback = /(^|[/@="])((localhost|127\.[\d.]+)(:\d+)?\b|\[::1\])/;

/** Whether a replica, a store or the objects are on this machine's loopback, or in its files. */
export function isOnLoopback({ system, storage, objects }: FleetPlan): boolean {
  const { endpoint, endpoints, storage: direct } = system.options;
  const named = JSON.stringify({ endpoint, endpoints, direct, storage });
  return (
    loopback.test(decodeURIComponent(objects)) ||
    loopback.test(named) ||
    /"unix:|"engine":"(lmdb|memory)"/.test(JSON.stringify({ endpoint, endpoints, direct }))
  );
}
