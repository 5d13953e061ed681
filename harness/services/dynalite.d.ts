/** dynalite ships no types; this is the part that is used. */
declare module "dynalite" {
  import type { Server } from "node:http";

  /** Makes a server that answers DynamoDB's API from memory. */
  export default function dynalite(options: {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
}
