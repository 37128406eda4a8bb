import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { run } from "../setup/child.mjs"
import { asNamespaceRoot } from "./product.mjs"

/** The lab's folder: `PYRO_LAB_DIR`, else beside pyro's own cache. Its content may be deleted at any time. */
export const labFolder = () => {
  const folder = process.env.PYRO_LAB_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pyro-lab")
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

export const digestOf = (...parts) =>
  parts.reduce((hash, part) => hash.update(`${Buffer.byteLength(part)}\0`).update(part), createHash("sha256"))
    .digest("hex").slice(0, 16)

/**
 * Folder `name-key` of the lab. `make(folder)` makes a missing one, which appears whole or not at all. Folders of other keys are
 * removed.
 */
export const cached = async (name, key, make) => {
  const lab = labFolder()
  const home = join(lab, `${name}-${key}`)
  if (!existsSync(home)) {
    await inWorkFolder(async (work) => {
      const made = join(work, "made")
      mkdirSync(made)
      await make(made)
      // Another lab may have been faster.
      if (!existsSync(home)) renameSync(made, home)
    })
  }
  for (const other of readdirSync(lab)) {
    if (other.startsWith(`${name}-`) && join(lab, other) !== home) rmSync(join(lab, other), { recursive: true })
  }
  return home
}

/** Lends a temporary folder. Removes folders of killed labs first. */
export const inWorkFolder = async (use) => {
  const lab = labFolder()
  for (const name of readdirSync(lab)) {
    const pid = /^work-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeTree(join(lab, name))
  }
  const folder = mkdtempSync(join(lab, `work-${process.pid}-`))
  // Also when a signal ends this process.
  const onExit = () => rmSync(folder, { recursive: true, force: true })
  process.on("exit", onExit)
  try {
    return await use(folder)
  } finally {
    process.off("exit", onExit)
    await removeTree(folder)
  }
}

/** An ordinary user's half-made Debian tree has owners that only its namespace may remove. */
const removeTree = async (folder) => {
  if (existsSync(folder)) await run(asNamespaceRoot(["rm", "-rf", folder]))
}
