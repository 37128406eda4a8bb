import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Room } from "../room.ts"
import { buildPrograms } from "./build.ts"
import type { Images } from "./images.ts"
import { buildInitramfs } from "./initramfs.ts"
import type { Machine } from "./machine.ts"
import { type Floor, makeFloor } from "./template.ts"

/** Size of the product's disk: a sparse file. */
const diskBytes = 16 * 1024 ** 3

/** Compiles the floor's programs, makes its disk and initramfs, boots its guest once and freezes it. */
export const openFloor = async (
  room: Room,
  options: { readonly sources: string; readonly images: Images; readonly memoryMib: number }
): Promise<Floor> => {
  const { images, memoryMib, sources } = options
  const { agent, host } = buildPrograms(sources, room.disk)
  const machine: Omit<Machine, "accelerator"> = {
    memoryMib,
    tscKhz: Number(execFileSync(host, ["tsc"], { encoding: "utf8" })),
    vmlinux: images.vmlinux,
    initrd: buildInitramfs(room.disk, agent, images.bootModules),
    environment: images.environment,
    disk: makeDisk(room.disk),
    diskBytes
  }
  // An existing /dev/kvm proves nothing: a guest must boot on it.
  if (fs.existsSync("/dev/kvm")) {
    try {
      return await makeFloor(room, host, { ...machine, accelerator: "kvm" }, 1)
    } catch (cause) {
      process.stderr.write(`floors run without KVM: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    }
  }
  return makeFloor(room, host, { ...machine, accelerator: "tcg" }, bootAttempts)
}

/** A loaded host may lose a boot. The next one succeeds. */
const bootAttempts = 3

const makeDisk = (folder: string) => {
  const disk = path.join(folder, "disk.ext4")
  const tree = path.join(folder, "disk")
  for (const name of ["upper", "work", "workspace"]) fs.mkdirSync(path.join(tree, name), { recursive: true })
  fs.writeFileSync(disk, "")
  fs.truncateSync(disk, diskBytes)
  const options = "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0"
  execFileSync("/sbin/mke2fs", ["-q", "-F", "-t", "ext4", "-E", options, "-d", tree, disk])
  return disk
}
