/**
 * Goal    A fault plan means the same as data and as text, and nothing half understood is carried out.
 */
import { describe, expect, it } from "vitest";
import { describeFaultPlan, parseFaultPlan } from "./plan.ts";

describe("fault plans as text", () => {
  it.each([
    "none",
    "kill-clients:2/s",
    "fail-operations:0%",
    "fail-operations:0.1%",
    "mishaps:0%",
    "mishaps:1%",
    "mishaps:die-between-writes=0.5%+slow=2%",
    "mishaps:storage-timeout=100%",
    "kill-replica@6s",
    "kill-2-replicas@6s+kill-manager@6s",
    "pause-replica:10s@2.5s",
    "pause-manager:1s@0s+kill-replica@0.2s",
  ])("%s is read and written back", (text) => {
    expect(describeFaultPlan(parseFaultPlan(text))).toBe(text);
  });

  it.each([
    "",
    "kill",
    "kill-replica",
    "kill-replica:3s@1s",
    "pause-replica@1s",
    "kill-0-replicas@1s",
    "kill-store@1s",
    "kill-clients:0/s",
    "fail-operations:101%",
    "kill-replica@1s+",
    "mishaps",
    "mishaps:101%",
    "mishaps:slow",
    "mishaps:slow=1%+slow=2%",
    "mishaps:earthquake=1%",
    "mishaps:slow=1%,duplicate=1%",
  ])('refuses "%s"', (text) => {
    expect(() => parseFaultPlan(text)).toThrow(/no fault plan/);
  });
});
