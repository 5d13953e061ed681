/**
 * @module A process of its own for one simulation: a heap that is its own, on a core that is. Configuration in, result
 * out, as messages; ends when whoever asked is gone.
 */
import { type ScaleConfig, simulateScale } from "./scale.ts";

process.on("disconnect", () => process.exit(1));
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; whoever asked ends this process.
});
process.once("message", (config) => {
  void simulateScale(config as ScaleConfig).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
