import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** Files of the product's cache that the floor uses. It uses no code of the product. */
export interface Images {
  readonly vmlinux: string
  /** `/modules` of an initramfs: modules that a guest loads at its boot, and `order`, their order; a cpio archive without an end. */
  readonly bootModules: string
  readonly environment: string
}

export const cacheFolder = (variables: NodeJS.ProcessEnv = process.env): string => {
  const cacheHome = variables["XDG_CACHE_HOME"] || path.join(variables["HOME"] || os.homedir(), ".cache")
  return path.resolve(variables["PYRO_CACHE_DIR"] || path.join(cacheHome, "pyro"))
}

const readJson = (file: string): unknown => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"))
  } catch (cause) {
    throw new Error(`${file} cannot be read; run this first: npm start`, { cause })
  }
}

/** Finds kernel and environment by the records that name them. */
export const findImages = (cache: string, environment: string): Images => {
  const kernel = path.join(cache, "kernels", String(readJson(path.join(cache, "kernels", "current.json"))))
  const record = readJson(path.join(cache, "environments", "names", `${environment}.json`)) as {
    readonly digest: string
  }
  const images = {
    vmlinux: path.join(kernel, "vmlinux"),
    bootModules: path.join(kernel, "boot-modules.cpio"),
    environment: path.join(cache, "environments", record.digest, "root.erofs")
  }
  for (const file of Object.values(images)) fs.accessSync(file)
  return images
}
