/**
 * @module What members of a cluster say to each other, and what clients ask about it.
 *
 *   AFT.PEER message    → answer; both JSON (`cluster/codec.ts`). For peers only
 *                         (+@peer, or a peer's certificate).
 *   AFT.MEMBERS         → JSON list of the members: id, role, address, state
 *   AFT.DEBUG LOSE-PEERS ms   → how many messages were lost before; for administrators, where
 *                         `cluster.debug` is configured
 */
import { describeError } from "#kit/errors.ts";
import { decodeMessage, encodePeer, PeerMessageError } from "../cluster/codec.ts";
import { LostOnPurposeError } from "../cluster/peer-loss.ts";
import { grants } from "./access/users.ts";
import type { PlainCommand } from "./command.ts";
import { bulk, errorReply, integer, type Reply } from "./reply.ts";

const alone: Reply = errorReply("AFT_NO_CLUSTER", "this replica belongs to no cluster");

export const peerCommands: Readonly<Record<string, PlainCommand>> = {
  "AFT.PEER": {
    arity: 2,
    needs: grants.peer,
    run: ({ cluster }, args) => {
      const endpoint = cluster?.();
      if (endpoint === undefined) return alone;
      try {
        const message = decodeMessage((args[1] ?? Buffer.alloc(0)).toString("utf8"));
        return bulk(encodePeer(endpoint.handle(message)));
      } catch (error) {
        if (error instanceof LostOnPurposeError) return errorReply("AFT_LOST", error.message);
        if (!(error instanceof PeerMessageError)) throw error;
        return errorReply("AFT_BAD_PEER_MESSAGE", describeError(error));
      }
    },
  },
  "AFT.DEBUG": {
    arity: 3,
    needs: grants.admin,
    run: ({ peerLoss }, args) => {
      const loss = peerLoss?.();
      const [, what = "", milliseconds = ""] = args.map(String);
      if (loss === undefined) return errorReply("ERR", "debugging is off: cluster.debug");
      if (what.toUpperCase() !== "LOSE-PEERS" || !/^\d{1,7}$/.test(milliseconds))
        return errorReply("ERR", "usage: AFT.DEBUG LOSE-PEERS milliseconds");
      const { lost } = loss;
      loss.loseFor(Number(milliseconds));
      return integer(lost);
    },
  },
  "AFT.MEMBERS": {
    arity: 1,
    run: ({ cluster }) => {
      const endpoint = cluster?.();
      return endpoint === undefined ? alone : bulk(JSON.stringify(endpoint.members()));
    },
  },
};
