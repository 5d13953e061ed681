/**
 * Goal    Answers come out of the byte stream whole, however it is cut; nonsense is refused.
 * Method  Every cut of known answers, a property over random cuts, one bad answer per rule.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerParser, type HttpAnswer, HttpProtocolError } from "./answer.ts";

const withLength =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-One: a b \r\n\r\nhello";
const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n";
const empty = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

/** Feeds parts through one reused buffer, as the client does. */
function parse(parts: readonly Buffer[]): HttpAnswer | undefined {
  const parser = new AnswerParser();
  const shared = Buffer.alloc(4_096);
  let answer: HttpAnswer | undefined;
  for (const part of parts) {
    part.copy(shared);
    answer = parser.push(shared.subarray(0, part.length));
  }
  shared.fill(0);
  return answer;
}

describe("AnswerParser", () => {
  it.each([withLength, chunked])("reads an answer however it is cut", (text) => {
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const parts = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const answer = parse(parts.filter((part) => part.length > 0));
        expect(answer?.status).toBe(200);
        expect(answer?.body.toString()).toBe("hello");
      }),
    );
  });

  it("finds headers whatever their case, and only at the start of a line", () => {
    const answer = parse([Buffer.from(withLength)]);
    expect(answer?.header("x-one")).toBe("a b");
    expect(answer?.header("one")).toBeUndefined();
    expect(answer?.close).toBe(false);
  });

  it("knows answers without a body, and that the server will close", () => {
    expect(parse([Buffer.from(empty)])).toMatchObject({ status: 204, close: true });
  });

  it.each([
    ["another protocol", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["no length", "HTTP/1.1 200 OK\r\n\r\n"],
    ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
    ["a huge length", "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"],
    ["more than it says", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"],
    ["a bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
    ["an endless head", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}`],
  ])("refuses %s", (_what, text) => {
    expect(() => new AnswerParser().push(Buffer.from(text))).toThrow(HttpProtocolError);
  });
});
