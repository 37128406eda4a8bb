import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { readIfReadable } from "../../../system/files/content.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { removeStaged } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten, type WorkspaceFolder } from "../../entry/record.ts"

/** Time for which the candidates of a finished try stay: a person who looks at the results the next morning finds them. */
export const TRIED_FOR_MS = 24 * 60 * 60 * 1000

/** The candidates of a workspace's last finished try. Each has a hidden snapshot of its disk. */
const Tried = Schema.Struct({
  format: Schema.Literal(1),
  endedAtMs: Schema.Number,
  /** Boot of the host at that time: the disks are not made durable. */
  hostBoot: Schema.String,
  candidates: Schema.Array(Schema.Struct({ name: Schema.String, snapshot: Schema.String }))
})
export type Tried = typeof Tried.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Tried))

const triedFile = (directory: string) => path.join(directory, "tried.json")

/** Undefined without a try, and for a damaged file: then the candidates are lost, and nothing else. */
export const readTried = (directory: string): Tried | undefined =>
  Option.getOrUndefined(decode(readIfReadable(triedFile(directory))))

/** Names of the hidden snapshots that candidates of the last try have. */
export const triedSnapshots = (directory: string): ReadonlySet<string> =>
  new Set(readTried(directory)?.candidates.map(({ snapshot }) => snapshot))

export const writeTried = (folder: WorkspaceFolder, tried: Omit<Tried, "format" | "hostBoot">) =>
  Effect.mapError(
    writeJsonAtomic(triedFile(folder.directory), Tried, { format: 1, hostBoot: hostBootId(), ...tried }),
    unwritten(folder)
  )

/** Without the file, nothing keeps the snapshots: the next process removes them. */
const forgetTried = (directory: string) => Effect.ignore(removeTree(triedFile(directory)))

/** Removes the candidates of the last try, if they are still there. No lifecycle step may need them: its caller has the workspace alone. */
export const removeTried = ({ folder: { directory, snapshots } }: Pick<Entry, "folder">) =>
  Effect.gen(function*() {
    const names = triedSnapshots(directory)
    yield* forgetTried(directory)
    yield* Effect.forEach(names, (name) => removeStaged(snapshots, path.join(snapshots, name)), { discard: true })
  })

/** Whether the candidates of a try have stayed for their time. A clock that went back keeps them longer, and never for ever. */
export const isOver = ({ endedAtMs, hostBoot }: Tried, nowMs: number): boolean =>
  hostBoot !== hostBootId() ||
  nowMs - endedAtMs >= TRIED_FOR_MS || endedAtMs - nowMs >= TRIED_FOR_MS
