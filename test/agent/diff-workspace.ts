import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { DiffPayload } from "../../src/contract/rows/workspace-diff.ts"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import type { ChangesOptions } from "../../src/workspace/content/diff/changes.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { Agent } from "./agent.ts"
import { diffPatch } from "./diff-patch.ts"

/** A diff of everything. */
const everything: Omit<DiffPayload, "workspace"> = {
  paths: [],
  stat: false,
  nameOnly: false,
  includeIgnored: false,
  verified: false,
  maxBytes: 1_000_000
}

/** A baseline, and a live tree that is a copy of it. */
export const workspace = (name: string, fill: (tree: string) => void) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const { folder } = yield* Agent
    const home = path.join(folder, name)
    const [baseline, live] = [path.join(home, "disk/workspace"), path.join(home, "live")]
    fs.mkdirSync(baseline, { recursive: true })
    fill(baseline)
    execFileSync("cp", ["-a", baseline, live])
    const trees = {
      device: path.join(home, "disk"),
      baseline: { root: baselineRoot, path: "workspace" },
      live: { root: live, path: "" }
    }
    const diff = (payload: Partial<typeof everything> = {}, limits?: ChangesOptions["limits"]) =>
      diffWorkspace(channel, { ...everything, ...payload }, { trees, limits })
    const patch = (payload: Partial<typeof everything> = {}) =>
      diffPatch(channel, { ...everything, ...payload }, { trees })
    /** The baseline with the patch applied by git, as a listing of paths, modes and contents. */
    const applied = (patch: Buffer) => {
      const copy = path.join(home, "applied")
      execFileSync("cp", ["-a", baseline, copy])
      // A folder above may be a repository, in which git would look for the files.
      const env = { PATH: process.env["PATH"], HOME: home, GIT_CEILING_DIRECTORIES: home }
      if (patch.length > 0) execFileSync("git", ["apply", "--binary", "-"], { cwd: copy, env, input: patch })
      const listing = listed(copy)
      fs.rmSync(copy, { recursive: true })
      return listing
    }
    return { baseline, live, home, trees, channel, diff, patch, applied }
  })

/** Files and links of a tree but for .git, by their bytes. */
export const listed = (tree: string) => {
  const entries: Record<string, string> = {}
  const visit = (directory: Buffer, prefix: string) => {
    for (const entry of fs.readdirSync(directory, { encoding: "buffer", withFileTypes: true })) {
      const at = Buffer.concat([directory, Buffer.from("/"), entry.name])
      const name = `${prefix}${entry.name.toString("latin1")}`
      if (name.endsWith(".git")) continue
      if (entry.isDirectory()) visit(at, `${name}/`)
      else if (entry.isSymbolicLink()) entries[name] = `-> ${fs.readlinkSync(at, "buffer").toString("latin1")}`
      else if (entry.isFile()) {
        entries[name] = `${(fs.statSync(at).mode & 0o100) === 0 ? "-" : "x"} ${fs.readFileSync(at).toString("latin1")}`
      }
    }
  }
  visit(Buffer.from(tree), "")
  return entries
}

/** Status and path of each file of a diff. */
export const said = (
  files: ReadonlyArray<{ readonly status: string; readonly path: string; readonly from?: string }>
) => files.map((file) => `${file.status} ${file.from === undefined ? "" : `${file.from} > `}${file.path}`)
