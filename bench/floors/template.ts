import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import type { Room } from "../room.ts"
import { exec, mount, mustSucceed, type Request, reseed, sync, unmount } from "./channel.ts"
import type { Machine } from "./machine.ts"
import { emptyQcow2 } from "./qcow2.ts"
import { type FloorVm, freeze, type Frozen, startVm, thaw } from "./vm.ts"

/** Resources for a floor's VMs. */
export interface Floor {
  readonly machine: Machine
  readonly frozen: Frozen
  /** Copy of the template's memory, restore, reseed, mounts and `argv`, all at once: the VM, and `argv`'s output. */
  readonly restore: (...argv: ReadonlyArray<string>) => Promise<{ readonly vm: FloorVm; readonly output: string }>
  /**
   * A stopped VM that was restored and went through a claim. `claim` switches a new overlay in, resumes the VM, and does reseed,
   * mounts and `argv`, all at once. It gives `argv`'s output. Call once.
   */
  readonly member: () => Promise<Member>
  /** A copy of the template's memory alone. */
  readonly copyMemory: (to: string) => Promise<void>
  /** A sparse copy of any file. */
  readonly copy: (from: string, to: string) => Promise<void>
}

export interface Member {
  readonly vm: FloorVm
  readonly claim: (...argv: ReadonlyArray<string>) => Promise<string>
}

/** A boot takes 1.2 to 2 s on an idle host. */
const bootDeadlineMs = 15_000

/** Final root of the guest. */
export const guestRoot = "/root"

const claim = (): ReadonlyArray<Request> => [
  reseed(),
  mount("/dev/vdb", "/disk", "ext4", "noinit_itable"),
  mount("overlay", guestRoot, "overlay", "lowerdir=/lower,upperdir=/disk/upper,workdir=/disk/work"),
  mount("/disk/workspace", `${guestRoot}/workspace`, "bind")
]

/** Boots a guest, freezes it with the environment mounted and no disk, and gives its restore functions. */
export const makeFloor = async (room: Room, host: string, machine: Machine, attempts: number): Promise<Floor> => {
  let made = 0
  const place = () => {
    const name = `vm${++made}`
    return { folder: path.join(room.disk, name), memory: path.join(room.memory, name) }
  }
  const frozen = await retry(attempts, () => makeTemplate(room, host, machine, place()))
  const run = promisify(execFile)
  const copy = async (from: string, to: string) => void await run(host, ["copy", from, to])
  const copyMemory = (to: string) => copy(frozen.memory, to)
  const restore: Floor["restore"] = async (...argv) => {
    const at = place()
    await copyMemory(at.memory)
    const vm = await startVm(machine, at, frozen)
    try {
      await thaw(vm)
      const requests = [...claim(), exec(guestRoot, ...argv)]
      const answers = await vm.channel.call(...requests)
      mustSucceed(requests, answers)
      return { vm, output: answers.at(-1)?.payload.toString("utf8") ?? "" }
    } catch (cause) {
      await vm.destroy()
      throw cause
    }
  }
  const member: Floor["member"] = async () => {
    const { vm } = await restore("/bin/cat", "/etc/debian_version")
    try {
      const undo = unmount(`${guestRoot}/workspace`, guestRoot, "/disk")
      mustSucceed([undo], await vm.channel.call(undo))
      await vm.monitor.execute(["stop"])
      return { vm, claim: (...argv) => claimMember(vm, machine, argv) }
    } catch (cause) {
      await vm.destroy()
      throw cause
    }
  }
  return { machine, frozen, restore, member, copyMemory, copy }
}

const claimMember = async (vm: FloorVm, machine: Machine, argv: ReadonlyArray<string>) => {
  fs.writeFileSync(path.join(vm.folder, "claimed.qcow2"), emptyQcow2(machine.diskBytes))
  const switched = vm.monitor.execute(
    ["blockdev-add", {
      driver: "qcow2",
      "node-name": "w1",
      file: { driver: "file", filename: "claimed.qcow2", locking: "off" },
      backing: "s0"
    }],
    ["qom-set", { path: "/machine/peripheral/vdb", property: "drive", value: "w1" }],
    ["cont"]
  )
  await switched
  const requests = [...claim(), exec(guestRoot, ...argv)]
  const answers = await vm.channel.call(...requests)
  mustSucceed(requests, answers)
  return answers.at(-1)?.payload.toString("utf8") ?? ""
}

const makeTemplate = async (
  room: Room,
  host: string,
  machine: Machine,
  place: { readonly folder: string; readonly memory: string }
): Promise<Frozen> => {
  const frozen = { memory: path.join(room.memory, "template"), state: path.join(room.disk, "template-state") }
  fs.writeFileSync(place.memory, "")
  fs.truncateSync(place.memory, machine.memoryMib * 1024 * 1024)
  const vm = await startVm(machine, place)
  try {
    await vm.monitor.execute(["qmp_capabilities"])
    // Runs a few programs so that the restored guest has them in its page cache, as with the product's template.
    const warm = ["/bin/true", "/bin/cat /etc/debian_version", "/bin/true"].map((line) =>
      exec("/lower", ...line.split(" "))
    )
    const requests = [mount("/dev/vda", "/lower", "erofs"), ...warm, sync]
    mustSucceed(requests, await within(bootDeadlineMs, vm.channel.call(...requests)))
    await vm.monitor.execute(["stop"])
    await freeze(vm, place.folder, frozen.state)
    fs.renameSync(place.memory, frozen.memory)
  } finally {
    await vm.destroy()
  }
  execFileSync(host, ["punch", frozen.memory])
  return frozen
}

const within = <A>(ms: number, work: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the floor's guest was not up within ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const retry = async <A>(attempts: number, work: () => Promise<A>): Promise<A> => {
  try {
    return await work()
  } catch (cause) {
    if (attempts <= 1) throw cause
    return retry(attempts - 1, work)
  }
}
