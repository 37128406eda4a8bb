import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { type Installation, shapeOf } from "../installation.ts"

/** What `workspace compare --json` says. */
export interface Compared {
  readonly summary: { readonly files: number }
  readonly files: ReadonlyArray<{ readonly path: string; readonly from?: string; readonly status: string }>
  readonly ignored_count: number
  readonly special_count: number
  readonly too_large_count?: number
  readonly patch?: string
  readonly digest?: string
}

/** Status and path of each file that differs. */
export const told = ({ files }: Compared) => files.map(({ path, status }) => `${status} ${path}`)

export const lines = (count: number) => Array.from({ length: count }, (_, line) => `line ${line}\n`).join("")

/** Every file and link of a folder: what git has of it. */
export const filesOf = (directory: string, beneath = ""): ReadonlyArray<string> =>
  fs.readdirSync(path.join(directory, beneath), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(beneath, entry.name)
    const file = path.join(directory, name)
    if (entry.isDirectory()) return filesOf(directory, name)
    if (entry.isSymbolicLink()) return [`${name} -> ${fs.readlinkSync(file)}`]
    const isExecutable = (fs.statSync(file).mode & 0o100) !== 0
    return [`${name} ${isExecutable ? "x" : "-"} ${fs.readFileSync(file).toString("base64")}`]
  }).sort()

/** Comparisons of workspaces of an installation. */
export const comparisons = ({ folder, inventory, json, state }: Installation) => {
  const compare = (from: string, to: string, ...flags: ReadonlyArray<string>) =>
    json<Compared>(["workspace", "compare", from, to, ...flags])

  /** A directory of the host to begin from. */
  const seed = (name: string, files: Readonly<Record<string, string>>) => {
    const directory = path.join(folder, name)
    for (const [file, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
      fs.writeFileSync(path.join(directory, file), content)
    }
    return directory
  }

  const project = seed("project", {
    ".gitignore": "build/\n*.log\n",
    "README": "one\n",
    "src/main": lines(40),
    "src/tool": "#!/bin/sh\n",
    "src/old name": lines(30),
    "gone": "gone\n",
    "was a file": "file\n"
  })

  let exports = 0
  /** The files of a workspace on the host. */
  const exported = async (workspace: string) => {
    const output = path.join(folder, `export-${++exports}`)
    await json(["workspace", "export", workspace, "/workspace", "--output", output])
    return output
  }

  /** Applies what makes `from` `to` to the files of `from`, and finds those of `to`. */
  const becomes = async (from: string, to: string, patch: string) => {
    const directory = await exported(from)
    const env = { PATH: process.env["PATH"], GIT_CEILING_DIRECTORIES: folder }
    execFileSync("git", ["apply", "--allow-empty", "-"], { cwd: directory, env, input: patch })
    assert.deepStrictEqual(filesOf(directory), filesOf(await exported(to)))
  }

  /** What is left when the pool has settled, without what the pool itself has. */
  const leftovers = () => shapeOf(inventory().filter((line) => !/vm-/.test(line)), state)

  return { becomes, compare, exported, leftovers, project, seed }
}
export type Comparisons = ReturnType<typeof comparisons>
