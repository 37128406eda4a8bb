import { Effect, Ref, Stream } from "effect"
import type { DoctorEvent } from "../../contract/rows/host.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { acquireWorkspace } from "../../workspace/life/boot.ts"
import { ensureImages } from "../images.ts"
import { diskMib } from "../run.ts"
import { inOrder, lineEvent, wrong } from "./line.ts"
import { checks } from "./selftest-checks.ts"
import { copyChecks, poolChecks } from "./selftest-copies.ts"
import { inTime } from "./selftest-deadline.ts"
import { failClosed } from "./selftest-fail-closed.ts"
import { leftOnHost } from "./selftest-leftovers.ts"

const environment = "debian:12"

/**
 * Restores two VMs from one template, takes two from a pool, has two go on from the memory of a third, and proves that they are as many:
 * each line is a claim that was checked against the guests themselves. Takes about ten seconds, five of them a pause.
 */
export const selftest = Stream.unwrap(Effect.gen(function*() {
  const images = yield* ensureImages(environment, () => {})
  const placeholder = yield* (yield* SeedImages).empty(diskMib)
  const used = yield* Ref.make<ReadonlyArray<string>>([])
  const acquire = (hostname: string) =>
    acquireWorkspace({
      purpose: "selftest",
      images,
      vcpuCount: 1,
      memoryMib: 512,
      seed: placeholder,
      placeholder,
      hostname,
      dieWithParent: true
    }).pipe(Effect.tap(({ guest }) => Ref.update(used, (ids) => [...ids, guest.vm.id])))
  const pair = Effect.all([acquire("selftest-a"), acquire("selftest-b")])

  const proved = Stream.unwrap(Effect.map(pair, ([one, other]) => checks(one, other)))
  const rest = inOrder(
    inTime("VMs of the pool", Effect.scoped(poolChecks(acquire))),
    inTime("snapshot and fork", Effect.scoped(copyChecks({ images, placeholder, used }, acquire)))
  )
  const closed = Stream.fromEffect(
    inTime("a VM that cannot be reseeded", Effect.scoped(Effect.flatMap(acquire("selftest-c"), failClosed)))
  )
  const left = Stream.fromEffect(Effect.flatMap(Ref.get(used), leftOnHost))
  return Stream.concat(proved, rest).pipe(Stream.concat(closed), Stream.concat(left), Stream.map(lineEvent))
})).pipe(
  Stream.catch((failure) => Stream.make(lineEvent(wrong("selftest", failure.message, "see docs/troubleshooting.md"))))
) satisfies Stream.Stream<DoctorEvent, never, unknown>
