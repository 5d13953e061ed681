/** @module What may go wrong with a fleet of generators on other machines, told apart by class. */
import { ProjectError } from "#kit/errors.ts";

abstract class FleetError extends ProjectError {
  readonly disposition = "abort";
}

/** The place where parts meet cannot be reached, read or written. */
export class ObjectStoreError extends FleetError {
  readonly code = "fleet_objects";

  constructor(action: string, place: string, options: { cause: unknown }) {
    super(`cannot ${action} ${place}`, options);
  }
}

/** What lies there belongs to another plan. */
export class ForeignPartError extends FleetError {
  readonly code = "foreign_part";
}

/** Some parts left nothing that is complete. */
export class MissingPartError extends FleetError {
  readonly code = "missing_part";
}

/** Two different records claim to be one part. */
export class DuplicatePartError extends FleetError {
  readonly code = "duplicate_part";
}

/** A record is not what it was when it was put there. */
export class DamagedPartError extends FleetError {
  readonly code = "damaged_part";
}

/** A part came after the load it was to make; what it made now would disturb whatever follows. */
export class StartMissedError extends FleetError {
  readonly code = "start_missed";
}

/** The others did not come, or the load did not end, within the plan's time. */
export class FleetTimeoutError extends FleetError {
  readonly code = "fleet_timeout";
}

/** A part was stopped before it was done; nothing of it is kept. */
export class PartStoppedError extends FleetError {
  readonly code = "part_stopped";
}

/** How people read which part it is; files and variables count from 0. */
export function partName(index: number, of: number): string {
  return `part ${index + 1} of ${of}`;
}
