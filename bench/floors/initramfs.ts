import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

/** Puts the agent as `/init` behind the boot modules (cpio members without an end). Made in `folder`; gives its path. */
export const buildInitramfs = (folder: string, agent: string, bootModules: string): string => {
  const tree = path.join(folder, "initramfs")
  fs.mkdirSync(tree)
  fs.copyFileSync(agent, path.join(tree, "init"))
  fs.chmodSync(path.join(tree, "init"), 0o755)
  const own = execFileSync("cpio", ["-o", "-H", "newc", "--quiet", "-R", "0:0"], { cwd: tree, input: "init\n" })
  const image = path.join(folder, "initrd.img")
  fs.writeFileSync(image, Buffer.concat([fs.readFileSync(bootModules), own]))
  return image
}
