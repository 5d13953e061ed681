/**
 * Goal    `aft-bench check` judges files, directories and pipes, and its exit codes can be relied on.
 * Method  Real processes on real files: verdicts, witness, picture, and every kind of bad input.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { allFormats } from "#harness/checker/formats/registry.ts";
import { parse } from "#harness/checker/formats/testing.ts";
import type { CheckDocument } from "./commands/check.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "aft-bench-check-"));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `feed` writes to stdin; it stops when the process no longer reads. */
function check(args: readonly string[], feed?: Iterable<Uint8Array>): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["bench/cli.ts", "check", ...args], { cwd: root });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout, stderr });
    });
    // The process may refuse the input before it has read it all.
    child.stdin.on("error", () => {});
    const chunks = (feed ?? [])[Symbol.iterator]();
    const write = (): void => {
      for (let next = chunks.next(); next.done !== true; next = chunks.next())
        if (!child.stdin.write(next.value)) {
          child.stdin.once("drain", write);
          return;
        }
      child.stdin.end();
    };
    write();
  });
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const valid = "w(1,1,1,1)\nw(2,2,1,1)\nr(1,1,2,2)\nr(2,2,2,2)\nw(1,3,2,3)\n";
const fractured = "w(1,1,1,1)\nr(1,1,2,2)\nw(1,3,2,2)\nw(2,4,2,2)\nr(1,1,3,3)\nr(2,4,3,3)\n";

describe("check", () => {
  it("passes a valid history with 0 and one JSON document", async () => {
    const path = file("valid.txt", valid);
    const { code, stdout, stderr } = await check([path, "--level", "all", "--json"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      file: path,
      format: "plume",
      transactions: 3,
      verdicts: { rc: "pass", ra: "pass", cc: "pass", pc: "pass", si: "pass", ser: "pass" },
      witness: null,
    });
  });

  it("rejects a fractured read with 5, in words and as a picture", async () => {
    const svg = join(folder, "fractured.svg");
    const args = [file("fractured.txt", fractured), "--explain", "--svg", svg];
    const { code, stdout } = await check(args);
    expect(code).toBe(5);
    expect(stdout).toMatch(/rc +pass\n +ra +violation +fractured read/);
    expect(stdout).toContain("3 knows of 2, which writes 1, but reads 1 = 1 from 1");
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg [\s\S]*transaction 2[\s\S]*<\/svg>\n$/);
  });

  it("reads every format from a file, gzipped, and from a pipe, and says the same", async () => {
    const { history } = parse("plume", fractured);
    const inputs: string[] = [];
    for (const format of allFormats()) {
      const directory = join(folder, format.name);
      mkdirSync(directory);
      for (const { suffix, chunks } of format.write(history)) {
        const bytes = Buffer.concat([...chunks].map((chunk) => Buffer.from(chunk)));
        const packed = format.manyFiles === true ? bytes : gzipSync(bytes);
        writeFileSync(join(directory, suffix === "" ? "history.any" : suffix), packed);
      }
      inputs.push(directory);
    }
    const { code, stdout } = await check([...inputs, "-", "--json"], [Buffer.from(fractured)]);
    expect(code).toBe(5);
    const documents = JSON.parse(stdout) as CheckDocument[];
    expect(documents).toHaveLength(allFormats().length + 1);
    for (const { verdicts, witness } of documents) {
      expect(verdicts).toEqual({ rc: "pass", ra: "violation", cc: "violation" });
      expect(witness?.transactions).toHaveLength(3);
    }
  });

  it("says undecided with 4 when a search would be too large", async () => {
    const lines: string[] = [];
    for (let session = 1; session <= 24; session += 1)
      for (let index = 0; index < 20; index += 1) {
        const id = session * 100 + index;
        lines.push(`w(${id % 17},${id},${session},${id})`);
      }
    // Nobody can order these two readers, and the search must try everything else first.
    lines.push("r(1,0,98,9001)", "w(2,9001,98,9001)", "r(2,0,99,9002)", "w(1,9002,99,9002)");
    const { code, stdout } = await check(
      ["-", "--level", "ser", "--states", "20000"],
      [Buffer.from(lines.join("\n"))],
    );
    expect({ code, stdout }).toMatchObject({ code: 4 });
    expect(stdout).toMatch(/ser +undecided +too large/);
  });
});

describe("check --generate", () => {
  it("writes what is judged as it was planted, in any format, the same for the same seed", async () => {
    const sizes = ["--sessions", "4", "--transactions", "30", "--keys", "20", "--seed", "7"];
    const generated = await check(["--generate", ...sizes]);
    expect(generated.code).toBe(0);
    expect((await check(["--generate", ...sizes])).stdout).toBe(generated.stdout);
    const passed = await check(["-", "--level", "all", "--json"], [Buffer.from(generated.stdout)]);
    expect(passed.code).toBe(0);

    const out = join(folder, "planted");
    const plant = ["--plant", "stale-read:ra", "--format", "cobra", "--out", out];
    const planted = await check(["--generate", ...sizes, ...plant]);
    expect(planted.code).toBe(0);
    const { planted: what } = JSON.parse(planted.stdout) as { planted: { level: string } };
    expect(what.level).toBe("ra");
    const judged = await check([out, "--json"]);
    expect(judged.code).toBe(5);
    expect(JSON.parse(judged.stdout)).toMatchObject({
      format: "cobra",
      verdicts: { rc: "pass", ra: "violation", cc: "violation" },
    });
  });

  it("refuses sizes and names that make no sense, all at once", async () => {
    const args = ["--generate", "--sessions", "0", "--plant", "nonsense", "--format", "tape"];
    const { code, stderr, stdout } = await check(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const flag of ["--sessions", "--plant", "--format"]) expect(stderr).toContain(flag);
  });
});

describe("bad input", () => {
  const gibibytes2 = function* (): Generator<Uint8Array> {
    const chunk = Buffer.alloc(1_048_576, "r(1,1,");
    for (let sent = 0; sent < 2_048; sent += 1) yield chunk;
  };
  const longJson = function* (): Generator<Uint8Array> {
    yield Buffer.from('[[{"events":[');
    const chunk = Buffer.alloc(1_048_576, '["w",1,1],');
    for (let sent = 0; sent < 2_048; sent += 1) yield chunk;
  };

  const broken: readonly (readonly [name: string, content: string | Uint8Array, where: string])[] =
    [
      ["truncated.txt", "w(1,1,1,1)\nr(1,1,2", ":2:8: "],
      ["duplicate.txt", "w(1,5,1,1)\nw(2,6,1,1)\nw(1,5,2,2)\n", ":3:1: value 5 of key 1"],
      ["negative.txt", "w(1,1,1,1)\nr(-3,1,2,2)\n", ":2:3: "],
      [
        "garbage.bin",
        Uint8Array.from({ length: 9_999 }, (_, index) => (index * 7919) % 251),
        ":1:1: ",
      ],
      ["empty.txt", "", "the input is empty"],
      ["cut.gz", gzipSync(Buffer.from(valid.repeat(2_000))).subarray(0, 60), "cannot be read"],
      ["half.json", '[[{"events":[["w",1,1]],"committed":true}', ":1:42: "],
    ];

  it("is refused with its place and gets no verdict, whatever is broken", async () => {
    const names = broken.map(([name, content]) => file(name, content));
    const { code, stdout, stderr } = await check([...names, "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual(
      names.map((name) => expect.objectContaining({ file: name, error: expect.any(String) })),
    );
    expect(stdout).not.toContain("verdicts");
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(broken.length);
    for (const [index, [name, , where]] of broken.entries()) {
      expect(lines[index]).toContain(name);
      expect(lines[index]).toContain(where);
    }
    expect(stderr).toMatch(/duplicate\.txt:3:1: .*\(first written at .*duplicate\.txt:1:1\)/);
  });

  it("alone leaves nothing on stdout", async () => {
    const { code, stdout } = await check([join(folder, "half.json"), "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it.each([
    ["plume", gibibytes2],
    ["dbcop-json", longJson],
  ])("refuses a 2 GiB line of %s long before its end", async (format, feed) => {
    let sent = 0;
    const counted = function* (): Generator<Uint8Array> {
      for (const chunk of feed()) {
        sent += chunk.length;
        yield chunk;
      }
    };
    const { code, stdout, stderr } = await check(["-", "--format", format], counted());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/standard input:1:\d+: /);
    expect(sent).toBeLessThan(128 * 1_048_576);
  });

  it("refuses bad flags and files that are not there, before anything is judged", async () => {
    const cases = [
      [join(folder, "nothing.txt")],
      [join(folder, "valid.txt"), "--level", "rx"],
      [join(folder, "valid.txt"), "--format", "parquet", "--level", "ra"],
      [join(folder, "valid.txt"), join(folder, "fractured.txt"), "--svg", "x.svg"],
      [folder],
    ];
    for (const args of cases) {
      const { code, stdout, stderr } = await check(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr.length).toBeGreaterThan(10);
    }
  });

  it("judges the other files when one cannot be read, and says which could not", async () => {
    const args = ["valid.txt", "negative.txt"].map((name) => join(folder, name));
    const { code, stdout, stderr } = await check([...args, "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([
      { verdicts: { ra: "pass" } },
      { error: "bad_history" },
    ]);
    expect(stderr).toContain("negative.txt:2:3");
  });
});
