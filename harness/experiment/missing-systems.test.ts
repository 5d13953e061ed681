/**
 * Goal    Systems whose npm package is missing are left out by name, once each, and nobody else with them.
 * Method  Systems with and without a missing package; every registered system is asked for real once.
 */
import { expect, it } from "vitest";
import { NotAvailableError } from "#kit/errors.ts";
import { findPackage } from "#kit/node/optional-package.ts";
import { packagesOf, stateSystemNames } from "#shim/state/registry.ts";
import { missingSystems } from "./missing-systems.ts";

const cellsOf = (...systems: readonly string[]) => systems.map((system) => ({ system }));

it("names each system that lacks a package once, and does not ask about those from outside", async () => {
  const asked: string[] = [];
  const missing = await missingSystems(
    cellsOf("there", "lacking", "lacking", "outside"),
    new Set(["outside"]),
    (system) => {
      asked.push(system);
      const error = new NotAvailableError({ what: system, get: "npm install it" });
      return Promise.resolve(system === "lacking" ? error : undefined);
    },
  );
  expect([...missing.keys()]).toEqual(["lacking"]);
  expect(asked).toEqual(["there", "lacking"]);
});

it("says of every registered system what is true here, with a command for what is missing", async () => {
  const missing = await missingSystems(cellsOf(...stateSystemNames), new Set());
  for (const system of stateSystemNames) {
    const needs = await packagesOf(system);
    const isMissing = needs.some((one) => findPackage(one) === undefined);
    expect([system, missing.has(system)]).toEqual([system, isMissing]);
    for (const { name, version } of isMissing ? needs : [])
      expect(missing.get(system)?.get).toContain(`${name}@${version}`);
  }
});

it("asks nothing of a row that has a name of its own, such as AFT with other settings", async () => {
  expect(await packagesOf("aft-no-cache")).toEqual([]);
  expect(await missingSystems(cellsOf("aft-no-cache", "aft"), new Set())).toEqual(new Map());
});
