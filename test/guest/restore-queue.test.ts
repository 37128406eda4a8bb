import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { listVmIds, readRecord, vmPaths } from "../../src/lib/vm/model/record.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { coreCount } from "../../src/system/processes/host.ts"
import { guestServices } from "../support/guest.ts"
import { lapse } from "../support/until.ts"
import { requestFor } from "../support/vm/pool-guests.ts"

/** One for each core, and one that waits for a file meanwhile. */
const mostAtOnce = coreCount() + 1
const many = mostAtOnce * 3

const request = requestFor({ dieWithParent: true })

/** VMs that are announced, made or there. */
const announced = Effect.gen(function*() {
  const paths = yield* Paths
  let count = 0
  for (const id of listVmIds(paths.stateDir)) {
    const record = yield* Effect.orElseSucceed(readRecord(vmPaths(paths, id)), Option.none)
    if (Option.isSome(record)) count++
  }
  return count
})

layer(guestServices, { excludeTestServices: true, timeout: "5 minutes" })("guests that are restored at once", (it) => {
  it.effect("queued VMs start one after the other, and all start", () =>
    Effect.gen(function*() {
      const vmm = yield* Vmm
      const wanted = yield* request
      // Makes the template.
      yield* Effect.scoped(vmm.restore(wanted))
      let up = 0
      let mostOnTheWay = 0
      const look = Effect.map(announced, (count) => {
        mostOnTheWay = Math.max(mostOnTheWay, count - up)
      })
      const watch = yield* look.pipe(Effect.andThen(lapse(2)), Effect.forever, Effect.forkChild)
      yield* Effect.forEach(
        Array.from({ length: many }),
        () => Effect.map(vmm.restore(wanted), () => void up++),
        { concurrency: "unbounded", discard: true }
      )
      yield* Fiber.interrupt(watch)
      assert.strictEqual(up, many)
      assert.isAtLeast(mostOnTheWay, 2)
      assert.isAtMost(mostOnTheWay, mostAtOnce)
    }))

  it.effect("a VM that is cancelled in the queue leaves nothing, and the others start", () =>
    Effect.gen(function*() {
      const vmm = yield* Vmm
      const wanted = yield* request
      const before = yield* announced
      const all = yield* Effect.forEach(
        Array.from({ length: many }),
        () => Effect.forkChild(Effect.scoped(vmm.restore(wanted)))
      )
      // The first ones start, and this one has asked for its turn.
      yield* lapse(30)
      const [last] = all.slice(-1)
      yield* Fiber.interrupt(last!)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(last!)))
      for (const fiber of all.slice(0, -1)) yield* Fiber.join(fiber)
      assert.strictEqual(yield* announced, before)
    }))
})
