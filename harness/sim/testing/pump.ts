/** @module For tests: lets virtual time run for as long as somebody waits for it. */
import type { StorageEngine } from "#shim/storage/port.ts";
import type { SimLoop } from "../loop.ts";

/** The same engine; every call lets time pass until it has its answer. */
export function pumped(engine: StorageEngine, loop: SimLoop): StorageEngine {
  const pump = async <T>(call: Promise<T>): Promise<T> => {
    let done = false;
    const finished = call.finally(() => {
      done = true;
    });
    finished.catch(() => {});
    await running(loop, () => done);
    return finished;
  };
  return {
    name: engine.name,
    capabilities: engine.capabilities,
    get: (key) => pump(engine.get(key)),
    multiGet: (keys) => pump(engine.multiGet(keys)),
    put: (key, value) => pump(engine.put(key, value)),
    multiPut: (entries) => pump(engine.multiPut(entries)),
    putIfAbsent: (key, value) => pump(engine.putIfAbsent(key, value)),
    putSealed: (groups) => pump(engine.putSealed(groups)),
    delete: (key) => pump(engine.delete(key)),
    multiDelete: (keys) => pump(engine.multiDelete(keys)),
    list: (prefix, options) => pump(engine.list(prefix, options)),
    close: () => engine.close(),
  };
}

const pumps = new WeakMap<SimLoop, Promise<void>>();

/** One at a time: callers may wait together. */
async function running(loop: SimLoop, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    const already = pumps.get(loop);
    if (already !== undefined) {
      await already;
      continue;
    }
    const pumping = loop.run(loop.nowUs + 60_000_000, isDone).finally(() => {
      pumps.delete(loop);
    });
    pumps.set(loop, pumping);
    await pumping;
  }
}
