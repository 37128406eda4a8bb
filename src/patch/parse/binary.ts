import { inflateExactly } from "../../system/files/git-blob.ts"
import { type BinaryContent, limits } from "../patch.ts"
import { decodeBase85Line } from "../text/base85.ts"
import type { Used } from "./hunks.ts"
import type { LineReader } from "./line-reader.ts"

/** Reads the forward part behind `GIT binary patch`, and skips the reverse part. */
export const readBinary = (reader: LineReader, used: Used): BinaryContent => {
  const forward = readPiece(reader, used)
  if (forward === undefined) return reader.fail("a binary patch has to go on with literal or delta")
  if (/^(literal|delta) \d+\r?$/.test(reader.peek() ?? "")) skipPiece(reader)
  return forward
}

const readPiece = (reader: LineReader, used: Used): BinaryContent | undefined => {
  const [, kind, count] = /^(literal|delta) (\d{1,10})\r?$/.exec(reader.peek() ?? "") ?? []
  if (kind === undefined) return undefined
  reader.skip()
  const size = Number(count)
  used.inflated += size
  if (size > limits.file || used.inflated > limits.inflated) reader.fail("its binary content is too large")
  const pieces: Array<Uint8Array> = []
  for (;;) {
    const line = reader.take().replace(/\r$/, "")
    if (line === "") break
    const bytes = decodeBase85Line(line)
    if (bytes === undefined) return reader.fail("this is no line of a binary patch")
    pieces.push(bytes)
    if (reader.isAtEnd) break
  }
  const bytes = inflateExactly(Buffer.concat(pieces), size)
  if (bytes === undefined) return reader.fail("its binary content is damaged")
  return { kind: kind === "literal" ? "literal" : "delta", bytes }
}

const skipPiece = (reader: LineReader) => {
  reader.skip()
  while (!reader.isAtEnd && reader.take().replace(/\r$/, "") !== "");
}
