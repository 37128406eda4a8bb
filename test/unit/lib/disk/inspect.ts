import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

/** Where an ordinary user's PATH lacks the tools of e2fsprogs. */
const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }

/** What e2fsck has to say about an image; empty when it is clean. */
export const fsckComplaint = (image: string): string => {
  const { status, stderr, stdout } = spawnSync("e2fsck", ["-fn", image], { encoding: "utf8", env })
  return status === 0 ? "" : `${status}: ${stdout}${stderr}`
}

/** Answer of debugfs to one request. */
export const debugfs = (image: string, request: string): string =>
  execFileSync("debugfs", ["-R", request, image], { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] })

/** Unpacks `/workspace` of an image into a fresh folder and gives its path. */
export const dump = (image: string, into: string): string => {
  fs.mkdirSync(into)
  debugfs(image, `rdump /workspace ${into}`)
  return path.join(into, "workspace")
}

/** One line for every path below a directory: kind, mode, modification time, size, content or target. */
export const listing = (root: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const visit = (relative: Buffer) => {
    const absolute = Buffer.concat([Buffer.from(`${root}/`), relative])
    const stat = fs.lstatSync(absolute)
    const name = relative.toString("latin1")
    const mtime = Math.floor(stat.mtimeMs / 1000)
    const mode = (stat.mode & 0o7777).toString(8)
    if (stat.isSymbolicLink()) {
      lines.push(`l ${name} -> ${fs.readlinkSync(absolute, "latin1")}`)
    } else if (stat.isDirectory()) {
      lines.push(`d ${name} ${mode} ${mtime}`)
      for (const child of fs.readdirSync(absolute, { encoding: "buffer" }).sort(Buffer.compare)) {
        visit(relative.length === 0 ? child : Buffer.concat([relative, Buffer.from("/"), child]))
      }
    } else {
      lines.push(`f ${name} ${mode} ${mtime} ${fs.readFileSync(absolute).toString("base64")}`)
    }
  }
  visit(Buffer.alloc(0))
  return lines
}
