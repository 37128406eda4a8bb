import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { flattenStore } from "./store.ts"

const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }

interface Workspace {
  readonly disk: number
  readonly diskMib: number
  readonly driver?: string
}

/** Writes the disk of a workspace with one layer to a file. */
const flatten = (folder: string, { disk, diskMib, driver }: Workspace, flat: string) => {
  const inDisk = (name: string) => path.join(folder, `disk-${disk}`, name)
  if (driver === "firecracker") {
    flattenStore(inDisk("0.store"), inDisk("seed.ext4"), diskMib * 1024 * 1024, flat)
    return
  }
  const seed = { driver: "raw", file: { driver: "file", filename: inDisk("seed.ext4") } }
  const layer = { driver: "file", filename: inDisk("0.qcow2") }
  const chain = `json:${JSON.stringify({ driver: "qcow2", file: layer, backing: seed })}`
  execFileSync("qemu-img", ["convert", "-U", "-O", "raw", chain, flat], { stdio: "pipe" })
}

/**
 * Checks the file system on the disk of a stopped workspace, in a copy of it: the journal is replayed, then nothing may be wrong. Throws
 * with what e2fsck says.
 */
export const checkDisk = (state: string, workspace: string, scratch: string) => {
  const folder = path.join(state, "workspaces", workspace)
  const record = JSON.parse(fs.readFileSync(path.join(folder, "record.json"), "utf8")) as Workspace
  const flat = path.join(scratch, `${workspace}.ext4`)
  try {
    flatten(folder, record, flat)
    execFileSync("e2fsck", ["-E", "journal_only", "-p", flat], { env, stdio: "pipe" })
    execFileSync("e2fsck", ["-fn", flat], { env, stdio: "pipe" })
  } catch (cause) {
    throw new Error((cause as { stdout?: Buffer }).stdout?.toString() ?? String(cause), { cause })
  } finally {
    fs.rmSync(flat, { force: true })
  }
}
