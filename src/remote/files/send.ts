import { Deferred, Effect, Stream } from "effect"
import * as fs from "node:fs"
import { Readable } from "node:stream"
import { createGzip, gzipSync } from "node:zlib"
import { type PyroError, SeedRejected } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { SpoolManifest } from "../../contract/wire/spool.ts"
import { openPlain, type Tree } from "./entries.ts"

/** Cheap: source code shrinks to a third at this level already, and a fast line must not wait for the processor. */
const LEVEL = 1
const PIECE_BYTES = 256 * 1024

/** The manifest as the input begins with it (`SpoolManifest`). */
const head = (manifest: SpoolManifest): Buffer => {
  const packed = gzipSync(JSON.stringify(manifest), { level: LEVEL })
  const length = Buffer.alloc(4)
  length.writeUInt32BE(packed.length)
  return Buffer.concat([length, packed])
}

/** The contents of some entries, one after the other. A file that has another size by now ends them: the daemon refuses the rest. */
function* contentsOf({ contents, entries, placeOf }: Tree, wanted: ReadonlyArray<number>): Generator<Uint8Array> {
  for (const at of wanted) {
    const entry = entries[at]
    if (entry?.[0] !== "f") continue
    const content = contents.get(at)
    if (content !== undefined) {
      yield content
      continue
    }
    const fd = openPlain(placeOf(at))
    try {
      for (let left = entry[4]; left > 0;) {
        // A new one each time: the stream keeps it.
        const piece = Buffer.allocUnsafe(Math.min(left, PIECE_BYTES))
        const count = fs.readSync(fd, piece, 0, piece.length, null)
        if (count === 0) return
        left -= count
        yield piece.subarray(0, count)
      }
    } finally {
      fs.closeSync(fd)
    }
  }
}

/** The same in gzip. */
const packedContents = (tree: Tree, wanted: ReadonlyArray<number>): Stream.Stream<Uint8Array> =>
  wanted.length === 0 ? Stream.empty : Stream.suspend(() => {
    const source = Readable.from(contentsOf(tree, wanted), { objectMode: true, highWaterMark: 4 })
    const gzip = createGzip({ level: LEVEL, chunkSize: 65_536 })
    // A file that is gone ends the contents: the daemon then says that bytes are missing.
    source.on("error", () => gzip.end())
    return Stream.orDie(Stream.fromAsyncIterable(source.pipe(gzip) as AsyncIterable<Uint8Array>, (cause) => cause))
      .pipe(
        Stream.ensuring(Effect.sync(() => {
          source.destroy()
          gzip.destroy()
        }))
      )
  })

/** Sends a tree to the spool of the other machine. Gives its id there. Contents that the machine has already are not sent. */
export const send = (
  pyro: PyroService,
  tree: Tree,
  { facts, path }: { readonly facts?: unknown; readonly path: string }
): Effect.Effect<string, PyroError> =>
  Effect.gen(function*() {
    const wanted = yield* Deferred.make<ReadonlyArray<number>>()
    const manifest: SpoolManifest = { format: 1, entries: tree.entries, ...(facts === undefined ? {} : { facts }) }
    const stdin = Stream.concat(
      Stream.sync(() => head(manifest)),
      Stream.unwrap(Effect.map(Deferred.await(wanted), (list) => packedContents(tree, list)))
    )
    let id: string | undefined
    yield* Stream.runForEach(pyro.spool.put({}, { stdin }), (event) =>
      event._tag === "Wanted"
        ? Deferred.succeed(wanted, event.entries)
        : Effect.sync(() => {
          id = event.id
        }))
    return id ?? (yield* new SeedRejected({ path, detail: "the other machine did not keep the files" }))
  })
