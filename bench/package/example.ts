/** @module The README's worked example as data: its files and its commands, as they are printed. */
import { ConfigError } from "#kit/errors.ts";

export interface Example {
  /** By name, which the first line of each says. */
  readonly files: ReadonlyMap<string, string>;
  /** Without their comments. */
  readonly commands: readonly string[];
}

/** @throws ConfigError when the text has no such example */
export function readExample(readme: string): Example {
  const [, between = ""] = /<!-- own: begin -->(.*)<!-- own: end -->/s.exec(readme) ?? [];
  const blocks = [...between.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const files = new Map<string, string>();
  const commands: string[] = [];
  for (const [, language, text = ""] of blocks) {
    if (language === "sh") commands.push(...text.split("\n").map(withoutComment).filter(Boolean));
    const [, name] = /^\/\/ ([\w-]+\.ts):/.exec(text) ?? [];
    if (name !== undefined) files.set(name, text);
  }
  if (files.size > 0 && commands.length > 0) return { files, commands };
  throw new ConfigError([
    { where: "README.md", what: "has no example between `own: begin` and `own: end`" },
  ]);
}

function withoutComment(line: string): string {
  return line.replace(/\s+#.*$/, "").trim();
}
