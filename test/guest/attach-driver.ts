import { Effect, References } from "effect"
import { services } from "../../src/daemon/app/services.ts"
import { newGuestIdentity } from "../../src/lib/vm/model/guest-steps.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { basics, memoryMib, script } from "../support/guest.ts"

/**
 * A process of its own that starts a workspace's VM with a command in it, says so, and then waits to be killed, or with `leave`
 * leaves the VM running and ends. Reads nothing of the command's output.
 */
const [verb = "", command = ""] = process.argv.slice(2)

const program = Effect.scoped(Effect.gen(function*() {
  const { images, placeholder } = yield* basics
  const guest = yield* (yield* Vmm).restore({
    purpose: "workspace",
    images,
    vcpuCount: 1,
    memoryMib,
    seed: placeholder,
    placeholder,
    dieWithParent: false
  })
  yield* guest.channel.chain(guest.vm.steps.claim(newGuestIdentity("test"), guest))
  const running = yield* Effect.flatten(guest.channel.launch(script(command)))
  const say = Effect.sync(() => process.stdout.write(JSON.stringify({ vm: guest.vm.id, exec: running.id }) + "\n"))
  if (verb === "leave") return yield* Effect.andThen(guest.vm.leave, say)
  yield* say
  // The connections to the VM keep this process.
  return yield* Effect.never
}))

await Effect.runPromise(
  program.pipe(Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "None"))
)
