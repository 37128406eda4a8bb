import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { basename, join } from "node:path"

/** `main-0123456789abcdef.cjs`: a name of hashed.mjs. */
const HASHED = /^([a-z-]+)-[0-9a-f]{16}\.(?:cjs|json)$/

/** Files of `files` that `root` does not name, and that no file named by it names. Paths are relative to `folder`. */
const unnamed = (folder, root, files) => {
  const left = new Set(files)
  const visit = (file) => {
    const text = readFileSync(join(folder, file), "latin1")
    for (const one of left) {
      if (!text.includes(basename(one)) || !left.delete(one)) continue
      visit(one)
    }
  }
  visit(root)
  return [...left]
}

const filesOf = (folder) => existsSync(folder) ? readdirSync(folder) : []

const remove = (folder, file) => {
  rmSync(join(folder, file), { force: true })
  rmSync(join(folder, `${file}.map`), { force: true })
}

/** Removes what earlier builds left in `dist`, except the files of the build before: a process may just have read the entry that names them. */
export const dropEarlier = (dist) => {
  const hashed = filesOf(dist).filter((file) => HASHED.test(file))
  const earlier = unnamed(dist, "pyro.js", hashed)
  const kindOf = (file) => HASHED.exec(file)[1]
  const kinds = new Set(hashed.filter((file) => !earlier.includes(file)).map(kindOf))
  const writtenAt = (file) => statSync(join(dist, file)).mtimeMs
  for (const kind of new Set(earlier.map(kindOf))) {
    const old = earlier.filter((file) => kindOf(file) === kind).sort((a, b) => writtenAt(b) - writtenAt(a))
    for (const file of old.slice(kinds.has(kind) ? 1 : 0)) remove(dist, file)
  }
}

/** Removes what earlier builds left in `dist`, for a package that nothing has run from. */
export const dropAllEarlier = (dist) => {
  const hashed = filesOf(dist).filter((file) => HASHED.test(file))
  for (const file of unnamed(dist, "pyro.js", hashed)) remove(dist, file)
  const assets = filesOf(join(dist, "web/assets")).map((file) => `assets/${file}`)
  for (const file of unnamed(join(dist, "web"), "index.html", assets)) remove(join(dist, "web"), file)
}
