import { createHash } from "node:crypto"
import { assert, describe, it } from "vitest"
import {
  archiveHead,
  ArchiveReader,
  MARK,
  PIECE_BYTES,
  pieceHead,
  piecesOf
} from "../../../../../src/workspace/disk/saved/archive.ts"

const SIZE = 5_000_000

const sealed = (...parts: ReadonlyArray<Buffer>) => {
  const all = Buffer.concat(parts)
  return Buffer.concat([all, createHash("sha256").update(all).digest()])
}

/** The content of an archive with one file of `SIZE` bytes. */
const readAll = async (archive: Buffer) => {
  let position = 0
  const reader = new ArchiveReader((length) => Promise.resolve(archive.subarray(position, position += length)))
  const manifest = await reader.manifest()
  const file = Buffer.alloc(SIZE)
  for (let from = 0;;) {
    const piece = await reader.piece(from, SIZE)
    if (piece === undefined) break
    piece.bytes.copy(file, piece.offset)
    from = piece.offset + piece.length
  }
  return { manifest, file, digest: await reader.end() }
}
const refusal = (...parts: ReadonlyArray<Buffer>) =>
  readAll(sealed(...parts)).then(() => "accepted", ({ message }: Error) => message)

const head = archiveHead({ some: "words" })
const piece = (offset: number, bytes: Buffer, length = bytes.length) =>
  Buffer.concat([pieceHead(offset, length), bytes])
const end = pieceHead(0, 0)
const bytes = Buffer.from("content")

describe("an exported snapshot", () => {
  it("what is written is read, with its holes and its digest", async () => {
    const large = Buffer.alloc(PIECE_BYTES + 3, 7)
    const parts = [...piecesOf(1000, 1000 + large.length)].map(({ length, offset }) =>
      piece(offset, large.subarray(offset - 1000, offset - 1000 + length))
    )
    const archive = sealed(head, ...parts, piece(SIZE - bytes.length, bytes), end)
    const read = await readAll(archive)
    const wanted = Buffer.alloc(SIZE)
    large.copy(wanted, 1000)
    bytes.copy(wanted, SIZE - bytes.length)
    assert.isTrue(read.file.equals(wanted))
    assert.deepStrictEqual(read.manifest, { some: "words" })
    assert.strictEqual(read.digest, archive.subarray(-32).toString("hex"))
  })

  it.each<readonly [string, ReadonlyArray<Buffer>, string]>([
    ["beyond the file", [head, piece(SIZE - 1, bytes), end], "a piece has no place"],
    ["before the last one", [head, piece(100, bytes), piece(50, bytes), end], "a piece has no place"],
    ["over the last one", [head, piece(100, bytes), piece(100, bytes), end], "a piece has no place"],
    ["that is too large", [head, piece(0, bytes, PIECE_BYTES + 1), end], "a piece has no place"],
    [
      "at no place",
      [head, Buffer.concat([Buffer.alloc(8, 0xff), pieceHead(0, 7).subarray(8), bytes]), end],
      "no place"
    ],
    ["without its bytes", [head, piece(0, bytes, PIECE_BYTES)], "it is cut off"]
  ])("a piece %s is refused", async (_, parts, said) => {
    assert.include(await refusal(...parts), said)
  })

  it.each<readonly [string, Buffer, string]>([
    ["another mark", Buffer.concat([Buffer.from("pyro-saved-snapshot-2\n"), head.subarray(MARK.length)]), "no saved"],
    ["a large manifest", Buffer.concat([MARK, Buffer.alloc(4, 0xff)]), "its manifest is too large"],
    ["a manifest of no JSON", Buffer.concat([MARK, Buffer.from([0, 0, 0, 1, 123])]), "its manifest is no JSON"]
  ])("a head with %s is refused", async (_, wrong, said) => {
    assert.include(await refusal(wrong, end), said)
  })
})
