import { Effect, type Scope } from "effect"
import type { HostToolMissing } from "../../contract/errors/errors.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK, type GitMode } from "../../contract/text/git-mode.ts"
import { nativeTool } from "../processes/native.ts"
import { computerName, runsMicroVms } from "../settings/this-computer.ts"
import { putProcess } from "./put-process.ts"
import { PutRecords } from "./put-records.ts"
import { PutFailed } from "./put.ts"

/** A file before or after a change. The content of a link is its target. */
interface FileSide {
  /** Mode as in git: a file, an executable file or a link. */
  readonly mode: GitMode
  readonly content: Uint8Array
}

/** A change of a file, from what must be there to what comes in its place. */
interface FileChange {
  /** Relative to the directory. No two changes have the same path. */
  readonly path: Uint8Array
  /** Undefined: nothing must be there. */
  readonly before: FileSide | undefined
  /** Undefined: the file is removed. */
  readonly after: FileSide | undefined
}

interface ApplyRequest {
  /** Existing directory, without links on its way. Relative to `within` if that is given. */
  readonly directory: string
  /** Folder that `directory` cannot lead out of. */
  readonly within?: string | undefined
  /** Only compares: writes nothing in the directory. */
  readonly check: boolean
  readonly changes: ReadonlyArray<FileChange>
}

/** Changes whose files are all as expected. */
interface Apply {
  /** Paths that are already as the changes would make them. */
  readonly there: ReadonlyArray<Uint8Array>
  /** Makes all changes, or none. A file that changed meanwhile fails with a conflict. After a mere check, it changes nothing. */
  readonly commit: Effect.Effect<void, PutFailed>
}

/**
 * Compares the files of a directory with what they must be, byte by byte, and fails with the conflicts. Nothing is at its place until
 * `commit`. If the Scope closes before, or this process dies, nothing stays. Follows no link.
 */
export const applyChanges = (
  { changes, check, directory, within }: ApplyRequest
): Effect.Effect<Apply, PutFailed | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    if (!runsMicroVms()) {
      const detail = `this computer (${computerName()}) cannot change files here: it can export a patch for git`
      return yield* new PutFailed({ reason: "failed", detail, conflicts: [] })
    }
    const tool = yield* nativeTool("pyro-apply")
    const said = new PutRecords()
    const args = [...(check ? ["--check"] : []), ...(within === undefined ? [] : ["--within", within]), directory]
    const { ended, flush, ready, send } = yield* putProcess(tool, args, said, (detail) => failureOf(said, detail))
    for (const change of changes) yield* send(headOf(change))
    yield* send(Buffer.from("e"))
    for (const { after, before } of changes) {
      for (const side of [before, after]) if (side !== undefined) yield* send(side.content)
    }
    yield* flush
    yield* ready
    return {
      there: said.there,
      commit: check ? ended : Effect.andThen(Effect.andThen(send(Buffer.from("c")), flush), ended)
    }
  })

const kinds = { [GIT_FILE]: "f", [GIT_EXECUTABLE]: "x", [GIT_LINK]: "l" } as const

/** A change as in native/apply/changes.h. */
const headOf = ({ after, before, path }: FileChange): Buffer => {
  const head = Buffer.alloc(5 + path.length + 18)
  let at = head.write("c", "latin1")
  at = head.writeUInt32BE(path.length, at)
  head.set(path, at)
  at += path.length
  for (const side of [before, after]) {
    at += head.write(side === undefined ? "-" : kinds[side.mode], at, "latin1")
    at = head.writeBigUInt64BE(BigInt(side?.content.length ?? 0), at)
  }
  return head
}

const failureOf = ({ conflicts, counts, error }: PutRecords, detail: string) =>
  new PutFailed({
    reason: error?.outcome === "conflict" || error?.outcome === "full" ? error.outcome : "failed",
    detail: error?.detail ?? detail,
    conflicts,
    needed: counts.get("neededBytes"),
    free: counts.get("freeBytes")
  })
