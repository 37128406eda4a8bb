import { Deferred, Effect, Exit, Queue, Schema, Scope, Stream } from "effect"
import { forEachEvent } from "../../src/contract/rows/event-batches.ts"
import type { AttachEvent } from "../../src/contract/rows/workspace-attach.ts"
import { ShellOpenPayload } from "../../src/contract/rows/workspace-shell.ts"
import type { Daemon } from "../daemon.ts"

/** A program that reads lines and prints nothing: the guest's kernel echoes. */
export const READER = ["/bin/sh", "-c", "while read -r line; do :; done"]

/** A terminal attached to a shell of a workspace, and a function that types one key and waits for its echo. */
export const openKeys = async (daemon: Daemon, workspace: string) => {
  const { shellId } = await daemon.call((pyro) =>
    pyro.workspace.shell.open(Schema.decodeSync(ShellOpenPayload())({ workspace, command: READER }))
  )
  const keys = Effect.runSync(Queue.make<Uint8Array>())
  const scope = Effect.runSync(Scope.make())
  let echoed = Effect.runSync(Deferred.make<void>())
  const attached = Effect.runSync(Deferred.make<void>())
  const seen = (event: AttachEvent) =>
    event._tag === "Attached"
      ? Deferred.succeed(attached, undefined)
      : event._tag === "Output"
      ? Deferred.succeed(echoed, undefined)
      : Effect.void
  const payload = { workspace, shellId, detachKey: "none", raw: false }
  await daemon.call((pyro) =>
    Effect.andThen(
      Effect.forkIn(
        Effect.ignore(forEachEvent(pyro.workspace.shell.attach, payload, { stdin: Stream.fromQueue(keys) }, seen)),
        scope
      ),
      Deferred.await(attached)
    )
  )
  let typed = 0
  const key = () => {
    echoed = Effect.runSync(Deferred.make<void>())
    // A terminal takes lines of some thousand bytes.
    Queue.offerUnsafe(keys, Uint8Array.of(++typed % 64 === 0 ? 0x0a : 0x78))
    return Effect.runPromise(Deferred.await(echoed))
  }
  return { key, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}
