import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** Downloads that all tests share. The folder may be deleted at any time. */
const cache = path.join(process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "pyro-test", "mirrors")

/** Lends a folder of the cache for files that are being made. */
const inWorkFolder = async (use: (folder: string) => Promise<void>) => {
  fs.mkdirSync(cache, { recursive: true, mode: 0o700 })
  const folder = fs.mkdtempSync(path.join(cache, "work-"))
  try {
    await use(folder)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Moves a finished file to its place, which has the whole file or none. */
const keep = (made: string, file: string) => {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  fs.renameSync(made, file)
}

/** Path of a file of the cache. `make` writes a missing one. `isStale` forces another. */
export const cached = async (
  name: string,
  make: (file: string) => Promise<void>,
  { isStale = false }: { readonly isStale?: boolean } = {}
): Promise<string> => {
  const file = path.join(cache, name)
  if (isStale || !fs.existsSync(file)) {
    await inWorkFolder(async (folder) => {
      await make(path.join(folder, "made"))
      keep(path.join(folder, "made"), file)
    })
  }
  return file
}

/** Downloads by apt, which knows the proxies and certificates of this host. */
export const downloadByApt = async (url: string, file: string, sha256?: string): Promise<void> => {
  await run("/usr/lib/apt/apt-helper", [
    "-o",
    "APT::Sandbox::User=root",
    "download-file",
    url,
    file,
    ...(sha256 === undefined ? [] : [`SHA256:${sha256}`])
  ])
}

/** A tarball of the npm registry. */
export interface NpmPackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
  readonly file: string
}

const integrityOf = (file: string) => `sha512-${createHash("sha512").update(fs.readFileSync(file)).digest("base64")}`

/** Tarballs by npm, which knows the registry and the proxies of this host. Each has the pinned digest. */
export const npmPackages = async (
  pinned: ReadonlyArray<Omit<NpmPackage, "file">>
): Promise<ReadonlyArray<NpmPackage>> => {
  const packages = pinned.map((one) => {
    // The name that `npm pack` gives the file.
    const base = `${one.name.replace("@", "").replace("/", "-")}-${one.version}.tgz`
    return { ...one, file: path.join(cache, "npm", base) }
  })
  const missing = packages.filter(({ file }) => !fs.existsSync(file))
  if (missing.length === 0) return packages
  await inWorkFolder(async (folder) => {
    const names = missing.map(({ name, version }) => `${name}@${version}`)
    await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder, ...names])
    for (const { file, integrity, name, version } of missing) {
      const made = path.join(folder, path.basename(file))
      const found = integrityOf(made)
      if (found !== integrity) throw new Error(`${name}@${version} has ${found} instead of the pinned ${integrity}`)
      keep(made, file)
    }
  })
  return packages
}

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly os?: ReadonlyArray<string>
  readonly cpu?: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** Whether npm installs the package in a guest. */
const isForGuest = ({ cpu = ["x64"], libc = ["glibc"], os = ["linux"] }: LockedPackage) =>
  os.includes("linux") && cpu.includes("x64") && libc.includes("glibc")

/** The packages that a lock file of npm names, without those of other platforms. */
export const npmPackagesOf = (lockFile: string) => {
  const { packages } = JSON.parse(fs.readFileSync(lockFile, "utf8")) as LockFile
  return npmPackages(
    Object.entries(packages).flatMap(([folder, one]) => {
      const { integrity, version } = one
      return integrity === undefined || version === undefined || !isForGuest(one)
        ? []
        : [{ name: folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length), version, integrity }]
    })
  )
}
