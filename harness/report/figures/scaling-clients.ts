/** @module Fig. 7: throughput of one replica over its clients. */
import { storeName } from "../format.ts";
import { coreUse } from "../saturation.ts";
import { type FigureDefinition, paperColour, sharedConfig, subtitle } from "./figure.ts";
import { serviceColours } from "./scaling.ts";

const spare = "cores to spare";

export const scalingClientsFigure: FigureDefinition = {
  id: "scaling-clients",
  title: "One replica, more clients (paper: Fig. 7)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "scaling-clients");
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.map((run) => {
      const use = coreUse(run, suite.machine.cores);
      return {
        service: storeName(run.cell),
        clients: run.cell.clients,
        throughput: run.throughputPerSecond,
        cores: Math.round(use.total * 100) / 100,
        room: use.saturated === undefined ? spare : use.saturated,
        runId: run.runId,
      };
    });
    const services = [...new Set(rows.map(({ service }) => service))];
    const x = { field: "clients", type: "quantitative", title: "clients (closed loop)" };
    const y = { field: "throughput", type: "quantitative", title: "transactions per second" };
    const color = {
      field: "service",
      type: "nominal",
      title: "ours, over emulated",
      scale: { domain: services, range: services.map((name) => serviceColours[name] ?? "#000") },
    };
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: scalingClientsFigure.title,
        subtitle: [
          ...subtitle(suite, "scaling-clients"),
          "emulated cloud latencies, Lambda's included; hollow: the machine's cores were used up",
        ],
      },
      config: sharedConfig,
      width: 560,
      height: 340,
      layer: [
        {
          data: { values: paper.fig7.values.filter(({ storage }) => services.includes(storage)) },
          mark: { type: "point", filled: false, size: 60, strokeWidth: 1.6, color: paperColour },
          encoding: {
            x,
            y,
            shape: {
              field: "storage",
              type: "nominal",
              title: "the paper, on AWS in 2019",
              scale: { domain: services, range: ["circle", "triangle-up"] },
            },
          },
        },
        {
          data: { values: rows },
          mark: { type: "line", strokeWidth: 2 },
          encoding: { x, y, color },
        },
        ...[true, false].map((filled) => ({
          data: { values: rows.filter(({ room }) => (room === spare) === filled) },
          mark: { type: "point", size: 60, strokeWidth: 2, filled, opacity: 1 },
          encoding: { x, y, color },
        })),
      ],
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};
