import { Deferred, Effect, Mailbox, Scope, Stream } from "effect"
import type { AttachEvent } from "../../src/contract/operations/workspace-attach.ts"
import { ShellOpenPayload } from "../../src/contract/operations/workspace-shell-open.ts"
import { echo, mustSucceed, terminalEcho } from "../floors/channel.ts"
import { openRequests } from "../floors/request.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

/** Keys of one round. */
const count = 100

export const shellEcho: Plan = {
  name: "shell-echo",
  unit: "ms",
  about:
    "one key through an attached terminal: daemon, guest, its terminal's echo, and back; floor: an echo over the channel, and a terminal's " +
    "echo of one byte as the guest times it; granted on top: a request to another process that does nothing",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => runs,
  warmups: 30,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(() =>
      inARow(async () => {
        const ms = await timed(() => vm.channel.call(echo))
        const answers = await vm.channel.call(terminalEcho)
        mustSucceed([terminalEcho], answers)
        return ms + Number(answers[0]?.payload.readBigUInt64LE()) / 1e6
      }, count), vm.destroy)
  },
  granted: async ({ floorSources, room }) => {
    const { close, request } = await openRequests(room.disk, floorSources)
    return side(() => inARow(() => timed(request), count), close)
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    // A program that reads lines and prints nothing: the guest's kernel echoes.
    const { shellId } = await daemon.call((pyro) =>
      pyro.workspace.shell.open(
        ShellOpenPayload().make({ workspace, command: ["/bin/sh", "-c", "while read -r line; do :; done"] })
      )
    )
    const keys = Effect.runSync(Mailbox.make<Uint8Array>())
    const scope = Effect.runSync(Scope.make())
    let echoed = Effect.runSync(Deferred.make<void>())
    const attached = Effect.runSync(Deferred.make<void>())
    const seen = (event: AttachEvent) =>
      event._tag === "Attached"
        ? Deferred.succeed(attached, undefined)
        : event._tag === "Output"
        ? Deferred.succeed(echoed, undefined)
        : Effect.void
    const payload = { workspace, shellId, detachKey: "none" }
    await daemon.call((pyro) =>
      Effect.zipRight(
        Effect.forkIn(
          Effect.ignore(
            Stream.runForEach(pyro.workspace.shell.attach(payload, { stdin: Mailbox.toStream(keys) }), seen)
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
      keys.unsafeOffer(Uint8Array.of(++typed % 64 === 0 ? 0x0a : 0x78))
      return Effect.runPromise(Deferred.await(echoed))
    }
    return side(() => inARow(() => timed(key), count), () => daemon.remove(workspace))
  }
}
