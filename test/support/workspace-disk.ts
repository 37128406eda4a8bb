import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }

/**
 * Checks the file system on the disk of a stopped workspace, in a copy of it: the journal is replayed, then nothing may be wrong. Throws
 * with what e2fsck says.
 */
export const checkDisk = (state: string, workspace: string, scratch: string) => {
  const folder = path.join(state, "workspaces", workspace)
  const { disk } = JSON.parse(fs.readFileSync(path.join(folder, "record.json"), "utf8")) as { readonly disk: number }
  const seed = { driver: "raw", file: { driver: "file", filename: path.join(folder, `disk-${disk}`, "seed.ext4") } }
  const layer = { driver: "file", filename: path.join(folder, `disk-${disk}`, "0.qcow2") }
  const flat = path.join(scratch, `${workspace}.ext4`)
  const chain = `json:${JSON.stringify({ driver: "qcow2", file: layer, backing: seed })}`
  try {
    execFileSync("qemu-img", ["convert", "-U", "-O", "raw", chain, flat], { stdio: "pipe" })
    execFileSync("e2fsck", ["-E", "journal_only", "-p", flat], { env, stdio: "pipe" })
    execFileSync("e2fsck", ["-fn", flat], { env, stdio: "pipe" })
  } catch (cause) {
    throw new Error(`${(cause as { stdout?: Buffer }).stdout?.toString()}`, { cause })
  } finally {
    fs.rmSync(flat, { force: true })
  }
}
