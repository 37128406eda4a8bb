import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { writingPlace } from "../../system/files/caller-places.ts"
import { put, type PutFailed } from "../../system/files/put.ts"
import { executableEntries, executableRefusal } from "./executable-config.ts"
import { failureOf, hostOutput } from "./host-output.ts"

// Exports that are one file, such as the image of a disk.

/** Permission bits of the file: an image may have private data of its owner. */
const IMAGE_MODE = 0o600

/** The file to write. A guest may have chosen the image's first bytes, so no tool of the host may execute a file of this name. */
export const outputOf = (asked: string) =>
  Effect.gen(function*() {
    const output = hostOutput(asked, yield* writingPlace(asked))
    if (output._tag === "InvalidRequest" || output._tag === "ExportRefused") return yield* output
    const wrong = (detail: string) => new InvalidRequest({ field: "output", detail })
    if (output._tag === "stdout") return yield* wrong("must be a file: an image has holes")
    if (output.asDirectory) return yield* wrong("must name a file, without / at the end")
    const entries = [{ path: "", type: "file", mode: IMAGE_MODE, size: 0 }] as const
    const executable = executableEntries(entries, output.tail)
    if (executable.size > 0) return yield* executableRefusal(executable)
    return output
  })

export type Output = Effect.Success<ReturnType<typeof outputOf>>

/** Begins a file of `bytes`. Fails if another file is in its place, or if the host has too little space. */
export const putImage = (
  { name, parent, within }: Output,
  { overwrite }: { readonly overwrite: boolean },
  bytes: number
) => {
  const entries = [{ path: new Uint8Array(0), type: "file", mode: IMAGE_MODE, size: bytes }] as const
  return put({ parent, name, within, overwrite, entries })
}

export const refused = ({ path }: Output, bytes: number) => (failure: PutFailed) =>
  Effect.fail(failureOf({ path, isDirectory: false, bytes }, failure))
