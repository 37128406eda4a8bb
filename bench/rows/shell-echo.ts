import { Deferred, Effect, Queue, Schema, Scope, Stream } from "effect"
import { forEachEvent } from "../../src/contract/rows/event-batches.ts"
import type { AttachEvent } from "../../src/contract/rows/workspace-attach.ts"
import { ShellOpenPayload } from "../../src/contract/rows/workspace-shell.ts"
import type { Bench } from "../bench.ts"
import { mustSucceed, terminalEcho } from "../floors/channel.ts"
import { openRequests } from "../floors/request.ts"
import { type Plan, side, timed } from "../measure.ts"
import { apart } from "./in-a-row.ts"

/** Keys of one round. */
export const KEYS = 50
/** Pause between two keys, in ms: a held key repeats 25 to 40 times in a second, and nobody types as fast. */
export const PAUSE_MS = 25

/** A program that reads lines and prints nothing: the guest's kernel echoes. */
export const READER = ["/bin/sh", "-c", "while read -r line; do :; done"]

/** One request that the guest answers with the echo of a byte by a terminal. */
export const echoFloor = async ({ floor }: Pick<Bench, "floor">) => {
  const { vm } = await floor.restore("/bin/true")
  const key = async () => mustSucceed([terminalEcho], await vm.channel.call(terminalEcho))
  return side(() => apart(() => timed(key), PAUSE_MS, KEYS), vm.destroy)
}

export const shellEcho: Plan = {
  name: "shell-echo",
  unit: "ms",
  about:
    "one key through an attached terminal: daemon, guest, its terminal's echo, and back; floor: one request over the channel that the " +
    "guest answers with the echo of one byte by a terminal; granted on top: a request to another process that does nothing",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => runs,
  warmups: 3,
  floor: echoFloor,
  granted: async ({ floorSources, room }) => {
    const { close, request } = await openRequests(room.disk, floorSources)
    return side(() => apart(() => timed(request), PAUSE_MS, KEYS), close)
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
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
          Effect.ignore(
            forEachEvent(pyro.workspace.shell.attach, payload, { stdin: Stream.fromQueue(keys) }, seen)
          ),
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
    return side(() => apart(() => timed(key), PAUSE_MS, KEYS), () => daemon.remove(workspace))
  }
}
