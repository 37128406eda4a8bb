import { Context, Effect, Layer, Ref, Stream } from "effect"
import type { DoctorEvent } from "../../contract/rows/host.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import type { Seed } from "../../disk/workspace-disk.ts"
import { Paths } from "../../system/files/Paths.ts"
import { makeTemporary } from "../../system/files/temporary.ts"
import { clockOffsetMs } from "../../vm/clock.ts"
import type { Guest, GuestImages } from "../../vm/guest.ts"
import { frozenIn } from "../../vm/machine.ts"
import { Pool } from "../../vm/Pool.ts"
import { Vmm } from "../../vm/Vmm.ts"
import { acquireWorkspace, type FreshWorkspace } from "../../workspace/life/boot.ts"
import { renew } from "../../workspace/life/snapshot/restore.ts"
import { ensureImages } from "../environments.ts"
import { diskMib } from "../run.ts"
import { inOrder, lineEvent, wrong } from "./line.ts"
import { clockVerdict, differ, inTime, script, selfPortrait, stdoutOf, verdict } from "./proof.ts"
import { checks, failClosed, leftOnHost } from "./selftest-checks.ts"

/** The parts of the self-test's VMs, and the list of the VMs. */
interface Material {
  readonly images: GuestImages
  readonly placeholder: Seed
  readonly used: Ref.Ref<ReadonlyArray<string>>
}

const shell = ({ channel }: Guest, text: string) => Effect.scoped(Effect.flatMap(channel.spawn(script(text)), stdoutOf))

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

/** A copy of a captured VM with an identity of its own. */
const copyOf =
  (parent: Guest, { images, placeholder, used }: Material, folder: string, hostname: string) =>
  (layers: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const frozen = frozenIn(folder)
      const vmm = yield* Vmm
      const reserved = yield* vmm.reserve({
        purpose: "selftest",
        spec: parent.vm.spec,
        images,
        seed: placeholder,
        dieWithParent: true
      })
      yield* Ref.update(used, (ids) => [...ids, reserved.record.id])
      yield* vmm.admit([reserved])
      yield* reserved.fill(frozen.memoryPath)
      const guest = yield* reserved.restore({
        statePath: frozen.statePath,
        disk: { seed: placeholder, layers }
      })
      yield* renew(guest, hostname)
      return guest
    })

/**
 * Proves that a snapshot holds memory and disk, that the VMs restored from it differ from each other and from their origin, and that a
 * fresh VM on the seed has none of its content, as after a reset.
 */
const copyChecks = <E, R>(
  material: Material,
  acquire: (hostname: string) => Effect.Effect<FreshWorkspace, E, R>
) =>
  Effect.gen(function*() {
    const { cacheDir } = yield* Paths
    // A folder that is swept after a killed process.
    const { path: folder } = yield* makeTemporary(`${cacheDir}/environments/tmp`, "selftest")
    const { claim, guest: parent } = yield* acquire("selftest-f")
    yield* claim(script("echo kept > /dev/shm/page; echo kept > /workspace/file; sync; exec sleep infinity"))
    yield* Effect.repeat(shell(parent, "cat /workspace/file 2>/dev/null"), { until: (text) => text === "kept\n" })
    const { layers, pauseMs } = yield* parent.vm.capture(parent.channel, {
      frozen: frozenIn(folder),
      memoryUid: process.getuid?.() ?? 0
    })
    const copies = yield* Effect.all(
      ["selftest-g", "selftest-h"].map((hostname) => copyOf(parent, material, folder, hostname)(layers))
    )
    const portraits = yield* Effect.forEach([parent, ...copies], (guest) => shell(guest, selfPortrait))
    const offsets = yield* Effect.forEach(copies, ({ channel }) => clockOffsetMs(channel))
    const held = yield* Effect.forEach(copies, (guest) =>
      Effect.andThen(
        guest.channel.call.sync({ dropCaches: 1 }),
        shell(guest, "cat /dev/shm/page /workspace/file; pgrep -c -x sleep")
      ))
    yield* shell(copies[0]!, "echo changed | tee /dev/shm/page > /workspace/file; sync")
    const untouched = yield* Effect.forEach([parent, copies[1]!], (guest) =>
      shell(guest, "cat /dev/shm/page /workspace/file"))
    const { claim: claimFresh } = yield* acquire("selftest-i")
    const fresh = yield* Effect.scoped(
      Effect.flatMap(claimFresh(script("cat /dev/shm/page /workspace/file 2>/dev/null; echo end")), stdoutOf)
    )
    return [
      verdict(
        "snapshot",
        held.every((text) =>
          text === "kept\nkept\n1\n"
        ),
        `memory, file and process of the moment, twice; its VM stood still for ${pauseMs.toFixed(0)} ms`
      ),
      ...differ(portraits, " of forks"),
      clockVerdict("wall clock of forks", Math.max(...offsets.map(Math.abs))),
      verdict(
        "what a fork writes the others do not see",
        untouched.every((text) => text === "kept\nkept\n"),
        untouched.join("").trim().replaceAll("\n", " ")
      ),
      verdict("a reset finds nothing of it", fresh === "end\n", "a fresh VM on the same seed has neither page nor file")
    ]
  })

const environment = "debian:12"

/**
 * Restores two VMs from one template, takes two from a pool, resumes two from the memory of a third, and proves that no two share an
 * identity. Each line is a claim that was checked against the guests. Takes about ten seconds, five of them a pause.
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
