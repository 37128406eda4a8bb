import { assert } from "@effect/vitest"
import { Effect, Option, type Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { GuestProcess } from "../../../src/lib/guest-channel/model/process.ts"
import { newGuestIdentity } from "../../../src/lib/vm/model/guest-steps.ts"
import type { RestoredGuest, RestoreRequest } from "../../../src/lib/vm/model/guest.ts"
import type { Pool } from "../../../src/lib/vm/Pool.ts"
import { basics, finish, script } from "../guest.ts"

/** A folder of the Scope's own. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-pool-"))),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

/** A request for a small guest, on an empty disk unless `wanted` names another one. */
export const requestFor = (wanted: Partial<RestoreRequest>) =>
  Effect.map(basics, ({ images, placeholder }): RestoreRequest => ({
    purpose: "run",
    images,
    vcpuCount: 1,
    memoryMib: 256,
    seed: placeholder,
    placeholder,
    dieWithParent: false,
    ...wanted
  }))

/** The stdout of a process that has to succeed. */
export const printed = <E, R>(spawned: Effect.Effect<GuestProcess, E, R | Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(spawned, finish)).pipe(Effect.map(({ exit, stderr, stdout }) => {
    assert.strictEqual(exit.code, 0, stderr)
    return stdout
  }))

/** Claims a guest with a script as its first command. */
export const claim = ({ channel, isMounted, vm }: RestoredGuest, text: string) =>
  printed(channel.spawnAfter(vm.steps.claim(newGuestIdentity("test"), { isMounted }), script(text)))

/** In a guest that was claimed. */
export const ran = ({ channel }: RestoredGuest, text: string) => printed(channel.spawn(script(text)))

/** A member of the pool that has to be there. */
export const taken = (
  pool: Pool["Service"],
  request: RestoreRequest
): Effect.Effect<RestoredGuest, never, Scope.Scope> =>
  Effect.map(pool.take(request), (guest) => {
    assert.strictEqual(guest._tag, "Some")
    return Option.getOrThrow(guest)
  })
