import { Effect, Ref } from "effect"
import type { SeedImage } from "../../../lib/disk/SeedImages.ts"
import {
  type DiskSource,
  layerCount,
  linkSeed,
  makeWorkspaceDisk,
  readWorkspaceDisk,
  shareLayers
} from "../../../lib/disk/workspace-disk.ts"
import { clockOffsetMs } from "../../../lib/vm/model/clock.ts"
import type { DriverName, Guest, GuestImages } from "../../../lib/vm/model/guest.ts"
import { frozenIn } from "../../../lib/vm/model/machine.ts"
import { newFolderName, newVmId } from "../../../lib/vm/model/record.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { ensureFolder, makeFolder } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import type { FreshWorkspace } from "../../../workspace/life/guest/boot.ts"
import { layerFormatOf } from "../../../workspace/life/guest/driver.ts"
import { renew } from "../../../workspace/life/snapshot/restore.ts"
import { clockVerdict, differ, script, selfPortrait, stdoutOf, verdict } from "./proof.ts"

/** The parts of the self-test's VMs, and the list of the VMs. */
interface Material {
  readonly driver: DriverName
  readonly images: GuestImages
  readonly placeholder: SeedImage
  readonly used: Ref.Ref<ReadonlyArray<string>>
}

const shell = ({ channel }: Guest, text: string) => Effect.scoped(Effect.flatMap(channel.spawn(script(text)), stdoutOf))

/**
 * A folder for disks and memory, which the Scope removes. It lies beside the VMs, as a VM's folder before its start: a VM and its disk must
 * be on one file system, and the next sweep removes what a killed process leaves.
 */
const makeWorkFolder = Effect.gen(function*() {
  const vms = `${(yield* Paths).stateDir}/vms`
  yield* ensureFolder(vms)
  const folder = `${vms}/${newFolderName(newVmId())}`
  yield* Effect.acquireRelease(makeFolder(folder), () => Effect.ignoreCause(removeTree(folder)))
  return folder
}).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

/** A copy of a captured VM with an identity of its own. */
const copyOf =
  (parent: Guest, { images, placeholder, used }: Material, folder: string, layers: number) => (hostname: string) =>
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
      const disk = `${folder}/${hostname}`
      yield* shareLayers(`${folder}/disk`, disk, layers)
      yield* makeWorkspaceDisk(disk, placeholder.virtualBytes)
      const guest = yield* reserved.restore({
        statePath: frozen.statePath,
        disk: yield* readWorkspaceDisk(disk, placeholder.virtualBytes)
      })
      yield* renew(guest, hostname)
      return guest
    })

/**
 * Proves that a snapshot holds memory and disk, that the VMs restored from it differ from each other and from their origin, and that a
 * fresh VM on the seed has none of its content, as after a reset.
 */
export const copyChecks = <E, R>(
  material: Material,
  acquire: (hostname: string, disk?: Pick<DiskSource, "top">) => Effect.Effect<FreshWorkspace, E, R>
) =>
  Effect.gen(function*() {
    const folder = yield* makeWorkFolder
    const { driver, placeholder } = material
    const disk = `${folder}/disk`
    yield* linkSeed(disk, placeholder.path)
    const top = yield* makeWorkspaceDisk(
      disk,
      placeholder.virtualBytes,
      layerFormatOf(driver === "firecracker" ? { driver } : {})
    )
    const { claim, guest: parent } = yield* acquire("selftest-f", { top })
    yield* claim(script("echo kept > /dev/shm/page; echo kept > /workspace/file; sync; exec sleep infinity"))
    yield* Effect.repeat(shell(parent, "cat /workspace/file 2>/dev/null"), { until: (text) => text === "kept\n" })
    const layers = yield* layerCount(disk)
    const { pauseMs } = yield* parent.vm.capture(parent.channel, {
      top: yield* makeWorkspaceDisk(disk, placeholder.virtualBytes),
      frozen: frozenIn(folder),
      memoryUid: process.getuid?.() ?? 0
    })
    const copies = yield* Effect.all(["selftest-g", "selftest-h"].map(copyOf(parent, material, folder, layers)))
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
