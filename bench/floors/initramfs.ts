import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

/** Packs agent and modules into an initramfs: `/init`, `/modules/*.ko`, `/modules/order`. Made in `folder`; gives its path. */
export const buildInitramfs = (folder: string, agent: string, bootModules: string): string => {
  const tree = path.join(folder, "initramfs")
  const modules = path.join(tree, "modules")
  fs.mkdirSync(modules, { recursive: true })
  execFileSync("tar", ["xf", bootModules, "-C", modules, "--transform", "s,.*/,,"])
  const members = execFileSync("tar", ["tf", bootModules], { encoding: "utf8" }).split("\n")
  const order = members.map((member) => path.basename(member)).filter((name) => name.endsWith(".ko"))
  fs.writeFileSync(path.join(modules, "order"), order.join("\n") + "\n")
  fs.copyFileSync(agent, path.join(tree, "init"))
  fs.chmodSync(path.join(tree, "init"), 0o755)
  const files = ["init", "modules", "modules/order", ...order.map((name) => `modules/${name}`)]
  const archive = execFileSync("cpio", ["-o", "-H", "newc", "--quiet", "-R", "0:0"], {
    cwd: tree,
    input: files.join("\n") + "\n",
    maxBuffer: 256 * 1024 * 1024
  })
  const image = path.join(folder, "initrd.img")
  fs.writeFileSync(image, archive)
  return image
}
