import { Effect, Stream } from "effect"
import * as path from "node:path"
import { NoSpace } from "../../contract/errors/errors.ts"
import type { SpoolPutEvent } from "../../contract/rows/spool.ts"
import { attempt, type FileFailed } from "../../system/files/failure.ts"
import { freeMib } from "../../system/files/usage.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import type { KeptContents } from "./contents.ts"
import type { Holding } from "./holding.ts"
import { InputWrong, ManifestReader, unpacking } from "./input.ts"
import type { Checked } from "./manifest.ts"
import { ContentWriter, ContentWrong, copyKept, type FileEntry, finish, makeFrame } from "./tree.ts"

/** Free space that a client's files leave to the host, in MiB. */
const LEFT_MIB = 512

type Failure = InputWrong | ContentWrong | FileFailed

const failing = (root: string) => (cause: unknown): Effect.Effect<never, Failure> =>
  cause instanceof InputWrong || cause instanceof ContentWrong
    ? Effect.fail(cause)
    : attempt("write", root, (): never => {
      throw cause
    })

/** A step whose failure may be the client's. */
const step = <A>(root: string, work: () => A): Effect.Effect<A, Failure> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (cause) {
      return failing(root)(cause)
    }
  })

const stepLater = (root: string, work: () => Promise<void>): Effect.Effect<void, Failure> =>
  Effect.catchDefect(Effect.promise(work), failing(root))

const demandRoom = (folder: string, { sizeBytes }: Checked) =>
  Effect.gen(function*() {
    const neededMib = Math.ceil(sizeBytes / 1024 / 1024) + LEFT_MIB
    const availableMib = yield* freeMib(folder)
    if (neededMib > availableMib) {
      return yield* new NoSpace({ where: "state directory", path: folder, neededMib, availableMib })
    }
  })

/** Makes the tree with the contents that are here already. Gives the places of the others in the manifest. */
const prepare = (root: string, { entries }: Checked, known: KeptContents) =>
  attempt("write", root, () => {
    makeFrame(root, entries)
    return entries.flatMap((entry, at) => {
      if (entry[0] !== "f" || entry[4] === 0) return []
      const kept = known.find(entry[5])
      if (kept !== undefined && copyKept(root, entry, kept)) return []
      if (kept !== undefined) known.forget(entry[5])
      return [at]
    })
  })

/** Writes the files of an input, and keeps them under a new id. A failure leaves nothing. */
export const receive = (
  holding: Holding,
  known: KeptContents,
  stdin: Stream.Stream<Uint8Array>,
  notify: (event: SpoolPutEvent) => void
) =>
  Effect.scoped(Effect.gen(function*() {
    const id = newRequestId()
    const folder = yield* holding.begin(id)
    const root = path.join(folder, "files")
    const reader = new ManifestReader()
    let work: { readonly manifest: Checked; readonly writer: ContentWriter } | undefined
    const unpack = unpacking((bytes) => work!.writer.write(bytes))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        unpack.close()
        work?.writer.close()
      })
    )
    const begin = (manifest: Checked) =>
      Effect.gen(function*() {
        yield* demandRoom(folder, manifest)
        const wanted = yield* prepare(root, manifest, known)
        const files = wanted.map((at) => manifest.entries[at] as FileEntry)
        work = {
          manifest,
          writer: new ContentWriter(root, files, (file, at) => known.keep(file[5], file[4], at))
        }
        notify({ _tag: "Wanted", entries: wanted })
      })
    yield* Stream.runForEach(stdin, (piece) =>
      Effect.gen(function*() {
        let rest = piece
        if (work === undefined) {
          const found = yield* step(root, () => reader.add(piece))
          if (found === undefined) return
          yield* begin(found.manifest)
          rest = found.rest
        }
        if (rest.length > 0) yield* stepLater(root, () => unpack.add(rest))
      }))
    if (work === undefined) return yield* Effect.fail(new InputWrong("the input ends within the manifest"))
    const { manifest, writer } = work
    if (writer.receivedBytes > 0 || writer.isWaiting) yield* stepLater(root, unpack.end)
    yield* step(root, () => {
      writer.finish()
      finish(root, manifest.entries)
      known.prune()
    })
    const { facts, files, sizeBytes } = manifest
    yield* holding.add(id, { folder, path: root, facts, isOutput: false })
    return { _tag: "Kept" as const, id, files, sizeBytes, receivedBytes: writer.receivedBytes }
  }))
