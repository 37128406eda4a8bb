import { Effect, Scope } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { runTool } from "../system/child.ts"
import { exists, removeFile } from "../system/files/entries.ts"
import { ensureFolder, listFolder, makeFolder, removeTree } from "../system/files/folders.ts"
import { bytesBeneath } from "../system/files/usage.ts"
import { acquireLock, withLock } from "../system/lock.ts"
import { asNamespaceRoot } from "./namespace.ts"

/** A working folder, and the lock file that its owner holds for as long as it lives. */
export interface Temporary {
  readonly path: string
  readonly alive: string
}

const gate = (parent: string) => path.join(parent, ".lock")
const aliveSuffix = ".alive"

/**
 * A folder beneath `parent` that goes when the Scope closes. Its owner holds a lock beside it that the kernel frees when the
 * process dies in any way, so `sweepTemporaries` knows what a killed one left.
 */
export const makeTemporary = (parent: string, label: string) =>
  Effect.gen(function*() {
    yield* ensureFolder(parent)
    const folder = path.join(parent, `${label.replace(/[^a-z0-9.-]/g, "_")}-${randomBytes(6).toString("hex")}`)
    const alive = folder + aliveSuffix
    // Also where it is given up before it has the lock.
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(removeFile(alive)))
    // Within the gate, or a sweeper might find the lock file before it is locked.
    const scope = yield* Effect.scope
    yield* withLock(gate(parent), { timeoutMs: 30_000 })(Scope.extend(acquireLock(alive, { timeoutMs: 1000 }), scope))
    // It goes while it is locked, or a sweeper would count it among the dead.
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(removeTemporary(folder)))
    yield* makeFolder(folder)
    return { path: folder, alive } satisfies Temporary
  })

/** Removes what dead owners left beneath `parent`, and gives the bytes that it held. */
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

/** The folder goes first: while the lock file is there, a sweeper comes back for what is left. */
const removeTemporary = (folder: string) =>
  removeTree(folder).pipe(
    // What an ordinary user's build made belongs to subordinate users: only that namespace's root may remove it.
    Effect.catchAll(() => {
      const [tool, ...args] = asNamespaceRoot(["rm", "-rf", "--one-file-system", folder])
      return runTool(tool, args)
    }),
    Effect.zipRight(removeFile(folder + aliveSuffix))
  )
