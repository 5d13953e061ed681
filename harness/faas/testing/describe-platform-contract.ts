/** @module The platform contract as tests. */
import { describeContract } from "#kit/testing/describe-contract.ts";
import {
  openPlatformSubject,
  platformContract,
  type PlatformLimits,
} from "../platform.contract.ts";
import type { Platform } from "../port.ts";

export function describePlatformContract(
  name: string,
  open: () => Promise<Platform>,
  limits: PlatformLimits = {},
): void {
  describeContract(`platform contract: ${name}`, platformContract, () =>
    openPlatformSubject(open, limits),
  );
}
