import { Context, Effect, Layer, Ref, Stream } from "effect"
import { ensureImages } from "../../../building/environments.ts"
import type { DoctorEvent } from "../../../contract/rows/host.ts"
import { typedMessage } from "../../../contract/rows/next-steps.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import type { DiskSource } from "../../../lib/disk/workspace-disk.ts"
import { clockOffsetMs } from "../../../lib/vm/model/clock.ts"
import { Pool } from "../../../lib/vm/Pool.ts"
import { acquireWorkspace, type FreshWorkspace } from "../../../workspace/life/guest/boot.ts"
import { driverOf } from "../../../workspace/life/guest/driver.ts"
import { diskMib } from "../run.ts"
import { fine, inOrder, lineEvent, wrong } from "./line.ts"
import { clockVerdict, differ, inTime, script, selfPortrait, stdoutOf, verdict } from "./proof.ts"
import { checks, failClosed, leftOnHost } from "./selftest-checks.ts"
import { copyChecks } from "./selftest-copies.ts"

/** Proves that members of the pool differ from each other. */
const poolChecks = <E, R>(acquire: (hostname: string) => Effect.Effect<FreshWorkspace, E, R>) =>
  Effect.gen(function*() {
    const pool = Context.get(yield* Layer.build(Pool.layer({ membersPerKind: 2, quietMs: 0 })), Pool)
    const take = (hostname: string) => Effect.provideService(acquire(hostname), Pool, pool)
    // The first request fills the pool.
    yield* Effect.scoped(take("selftest-pool"))
    yield* pool.settled
    const { members } = yield* pool.status
    const portraits: Array<string> = []
    const offsets: Array<number> = []
    for (const hostname of ["selftest-d", "selftest-e"]) {
      const workspace = yield* take(hostname)
      portraits.push(yield* Effect.scoped(Effect.flatMap(workspace.claim(script(selfPortrait)), stdoutOf)))
      offsets.push(yield* clockOffsetMs(workspace.guest.channel))
    }
    return [
      verdict("pool", members === 2, `${members} VMs waited, stopped, and were taken`),
      ...differ(portraits, " of the pool's VMs"),
      clockVerdict("wall clock of the pool's VMs", Math.max(...offsets.map(Math.abs)))
    ]
  })

const environment = "debian:12"

/**
 * Restores two VMs from one template of the configured driver, takes two from a pool, resumes two from the memory of a third, and proves that no two share an
 * identity. Each line is a claim that was checked against the guests. Takes about ten seconds, five of them a pause.
 */
export const selftest = Stream.unwrap(Effect.gen(function*() {
  const images = yield* ensureImages(environment, () => {})
  const placeholder = yield* (yield* SeedImages).empty(diskMib)
  const driver = yield* driverOf({})
  const used = yield* Ref.make<ReadonlyArray<string>>([])
  const acquire = (hostname: string, disk: Pick<DiskSource, "top"> = {}) =>
    acquireWorkspace({
      ...disk,
      purpose: "selftest",
      driver,
      images,
      vcpuCount: 1,
      memoryMib: 512,
      seed: placeholder,
      placeholder,
      hostname,
      dieWithParent: true
    }).pipe(Effect.tap(({ guest }) => Ref.update(used, (ids) => [...ids, guest.vm.id])))
  const pair = Effect.all([acquire("selftest-a"), acquire("selftest-b")])

  const on = fine("driver", `the self-test's VMs run on ${driver === "firecracker" ? "Firecracker" : "QEMU"}`)
  const proved = Stream.unwrap(Effect.map(pair, ([one, other]) => checks(one, other)))
  const rest = inOrder(
    inTime("VMs of the pool", Effect.scoped(poolChecks(acquire))),
    inTime("snapshot and fork", Effect.scoped(copyChecks({ driver, images, placeholder, used }, acquire)))
  )
  const closed = Stream.fromEffect(
    inTime("a VM that cannot be reseeded", Effect.scoped(Effect.flatMap(acquire("selftest-c"), failClosed)))
  )
  const left = Stream.fromEffect(Effect.flatMap(Ref.get(used), leftOnHost))
  return Stream.concat(Stream.succeed(on), proved).pipe(
    Stream.concat(rest),
    Stream.concat(closed),
    Stream.concat(left),
    Stream.map(lineEvent)
  )
})).pipe(
  Stream.catch((failure) =>
    Stream.make(
      lineEvent(
        wrong(
          "selftest",
          failure._tag === "AgentCallFailed" ? failure.message : typedMessage(failure),
          "see docs/troubleshooting.md"
        )
      )
    )
  )
) satisfies Stream.Stream<DoctorEvent, never, unknown>
