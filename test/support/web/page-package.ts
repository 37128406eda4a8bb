import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../../..")

/** A copy of the package with a page of the test's own: files by their path in URLs, without the first slash. */
export const packageWithPage = (files: Readonly<Record<string, string>>) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-ui-"))
  const dist = path.join(folder, "package", "dist")
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dist, "web", name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
  }
  for (const name of ["guest-agent", "native", "rootfs"]) {
    fs.symlinkSync(path.join(root, name), path.join(folder, "package", name))
  }
  for (const name of fs.readdirSync(path.join(root, "dist")).filter((name) => /\.(cjs|js|json)$/.test(name))) {
    fs.copyFileSync(path.join(root, "dist", name), path.join(dist, name))
  }
  return { folder, entry: path.join(dist, "pyro.js"), remove: () => fs.rmSync(folder, { recursive: true }) }
}
