import { Effect, Scope } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { asNamespaceRoot, runTool } from "../processes/child.ts"
import { ensureFolder, exists, listFolder, makeFolder, removeFile } from "./entries.ts"
import { acquireLock, withLock } from "./lock.ts"
import { removeTree } from "./remove-tree.ts"
import { bytesBeneath } from "./usage.ts"

/** A working folder, and the lock file that its living owner holds. */
export interface Temporary {
  readonly path: string
  readonly alive: string
}

const gate = (parent: string) => path.join(parent, ".lock")
const aliveSuffix = ".alive"

/**
 * A folder beneath `parent` that the Scope removes. Its owner holds a lock beside the folder. The kernel releases the lock at the
 * owner's death, so `sweepTemporaries` finds folders of killed owners.
 */
export const makeTemporary = (parent: string, label: string) =>
  Effect.gen(function*() {
    yield* ensureFolder(parent)
    const folder = path.join(parent, `${label.replace(/[^a-z0-9.-]/g, "_")}-${randomBytes(6).toString("hex")}`)
    const alive = folder + aliveSuffix
    // Also runs if the acquisition of the lock is interrupted.
    yield* Effect.addFinalizer(() => Effect.ignoreCause(removeFile(alive)))
    // Within the gate, since a sweeper might otherwise find the lock file before it is locked.
    const scope = yield* Effect.scope
    yield* withLock(gate(parent), { timeoutMs: 30_000 })(Scope.provide(acquireLock(alive, { timeoutMs: 1000 }), scope))
    // Removed while locked, since a sweeper would otherwise count it as a dead owner's.
    yield* Effect.addFinalizer(() => Effect.ignoreCause(removeTemporary(folder)))
    yield* makeFolder(folder)
    return { path: folder, alive } satisfies Temporary
  })

/** Removes folders of dead owners beneath `parent`, and gives their bytes. */
export const sweepTemporaries = (parent: string) =>
  Effect.gen(function*() {
    if (!exists(parent)) return 0
    let freed = 0
    yield* withLock(gate(parent), { timeoutMs: 30_000 })(Effect.gen(function*() {
      const names = new Set((yield* listFolder(parent)).filter((name) => name !== ".lock").map(ownerOf))
      for (const name of names) {
        const folder = path.join(parent, name)
        const dead = yield* Effect.scoped(acquireLock(folder + aliveSuffix, { timeoutMs: 0 })).pipe(
          Effect.as(true),
          Effect.catchTag("LockTimeout", () => Effect.succeed(false))
        )
        if (!dead) continue
        freed += bytesBeneath(folder)
        yield* removeTemporary(folder)
      }
    }))
    return freed
  })

const ownerOf = (name: string) => name.endsWith(aliveSuffix) ? name.slice(0, -aliveSuffix.length) : name

/** The folder is removed first: while the lock file exists, a sweeper returns for the rest. */
const removeTemporary = (folder: string) =>
  removeTree(folder).pipe(
    // Files of an ordinary user's build belong to subordinate users: only root of that namespace may remove them.
    Effect.catch(() => {
      const [tool, ...args] = asNamespaceRoot(["rm", "-rf", "--one-file-system", folder])
      return runTool(tool, args)
    }),
    Effect.andThen(removeFile(folder + aliveSuffix))
  )
