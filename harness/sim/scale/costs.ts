/**
 * @module What things cost that virtual time does not know of: CPU, by which processes wait for each other
 * and for themselves. Measured on a real machine (`aft-bench sim --calibrate`), kept as data.
 */
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";

const us = z.number().nonnegative();

const scaleCostsSchema = z.object({
  v: z.literal(1),
  /** Where the figures come from: run directories and machine. */
  source: z.string(),
  /** CPU of a transaction at its replica, at the store and where functions run. */
  replicaUs: us,
  storeUs: us,
  loadUs: us,
  /** What a transaction of the run took longer than emulated waits and CPU explain: timers, kernel. */
  otherUs: us,
  /** CPU of one end of an exchange between peers, and of each member and commit in it. */
  messageUs: us,
  memberUs: us,
  recordOutUs: us,
  recordInUs: us,
  /** Of the fault manager, for each commit it hears. */
  managedUs: us,
  /** Bytes of each in a message. */
  memberBytes: us,
  recordBytes: us,
});

export type ScaleCosts = z.infer<typeof scaleCostsSchema>;

/** The file is no calibration of this version. */
export class CalibrationError extends ProjectError {
  readonly code = "bad_calibration";
  readonly disposition = "abort";
}

/** @throws CalibrationError */
export function parseCosts(text: string, where: string): ScaleCosts {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CalibrationError(`${where} is not JSON`, { cause: error });
  }
  const parsed = scaleCostsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CalibrationError(
    `${where} is no calibration: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}; make one with sim --calibrate`,
  );
}
