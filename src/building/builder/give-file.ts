import { Deferred, Effect, Stream } from "effect"
import type { InvalidRequest, NoSpace, PyroError, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { OnProgress } from "../../lib/environment/Environments.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { readPieces, sizeOf } from "../../system/files/pieces.ts"
import { ofOwnWorkspace } from "../model/own-workspace.ts"

/** Writes bytes to a file of a builder. A source that fails must not look like its end: the file would be a part of it. */
export const giveFile = <E extends PyroError>(
  pyro: PyroService,
  { path, workspace }: { readonly workspace: string; readonly path: string },
  bytes: Stream.Stream<Uint8Array, E>
) =>
  Effect.gen(function*() {
    const failed = yield* Deferred.make<never, E>()
    const stdin = Stream.catch(
      bytes,
      (failure) => Stream.concat(Stream.fromEffectDrain(Deferred.fail(failed, failure)), Stream.never)
    )
    const payload = payloadOf("workspace.file.upload", { workspace, path })
    yield* Effect.raceFirst(
      Stream.runDrain(ofOwnWorkspace(pyro.workspace.file.upload(payload, { stdin }))),
      Deferred.await(failed)
    )
  })

const mib = 1024 * 1024

/** Bytes between two steps of a progress without a known end. */
const TOLD = 64 * mib

/** Why the bytes of a file end too early. */
export type FileUnreadable = InvalidRequest | NoSpace | StateDirectoryUnusable

/** A file for a builder. */
export interface Upload<E = FileUnreadable> {
  readonly bytes: Stream.Stream<Uint8Array, E>
  /** Number of the bytes, if it is known. */
  readonly sizeBytes?: number | undefined
}

/** Bytes on their way, for a person who waits. */
export interface Counted {
  readonly step: string
  /** Number of all of them, if it is known. */
  readonly sizeBytes?: number | undefined
  /** Completed shares of the work before and after. */
  readonly from: number
  readonly to: number
}

/** Tells how much has passed: the share of a known size, else the number. */
export const counting = ({ from, sizeBytes, step, to }: Counted, onProgress: OnProgress) => {
  let passed = 0
  let told = 0
  const tell = (text: string, share: number) => onProgress({ step: text, fraction: from + (to - from) * share })
  tell(step, 0)
  return (bytes: Uint8Array): void => {
    passed += bytes.length
    const every = sizeBytes === undefined ? TOLD : sizeBytes / 50
    if (passed - told < every) return
    told = passed
    if (sizeBytes === undefined) tell(`${step}: ${Math.floor(passed / mib)} MiB`, 0)
    else tell(step, Math.min(1, passed / sizeBytes))
  }
}

/** The bytes of an open file of the host, from its beginning to its end. */
export const bytesOfFile = (fd: number, path: string) => Stream.mapError(readPieces(fd, path), toHostErrorOf(path))

/** The same, with their number. */
export const uploadOfFile = (fd: number, path: string) =>
  sizeOf(fd, path).pipe(
    Effect.mapError(toHostErrorOf(path)),
    Effect.map((sizeBytes) => ({ bytes: bytesOfFile(fd, path), sizeBytes }))
  )
