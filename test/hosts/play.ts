import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { pyroPath } from "../support/pyro-cli.ts"
import type { AgentHost, Place } from "./agent-hosts.ts"

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..")

/** `npm run test:hosts` installs the hosts there. */
const programs = process.env["PYRO_TEST_HOSTS"] ?? path.join(root, "node_modules/.cache/pyro-hosts")

/** A home, a project and a PATH of a user who has just installed pyro and a host, in an empty folder. */
export const newPlace = (folder: string, pyroEnv: Readonly<Record<string, string>>, origin: string): Place => {
  const home = path.join(folder, "home")
  const project = path.join(folder, "greeting")
  const bin = path.join(folder, "bin")
  for (const directory of [home, bin]) fs.mkdirSync(directory)
  fs.symlinkSync(pyroPath, path.join(bin, "pyro"))
  fs.cpSync(path.join(root, "examples/greeting"), project, { recursive: true })
  execFileSync("git", ["init", "-q"], { cwd: project })
  execFileSync("git", ["add", "."], { cwd: project })
  return {
    home,
    project: fs.realpathSync(project),
    origin,
    env: {
      ...pyroEnv,
      HOME: home,
      PATH: `${bin}:${process.env["PATH"]}`,
      LANG: "C.UTF-8",
      TERM: "dumb",
      NO_COLOR: "1"
    },
    program: (name) => path.join(programs, "node_modules/.bin", name)
  }
}

export interface Played {
  readonly code: number | null
  readonly printed: string
}

export interface PlayOptions {
  /** Words of the host's command line. @default those that ask the model to play the script */
  readonly args?: ReadonlyArray<string>
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs a configured host without a terminal, to its end. */
export const play = (host: AgentHost, place: Place, { args, onStart }: PlayOptions = {}) =>
  new Promise<Played>((resolve, reject) => {
    const child = spawn(place.program(host.program), args ?? host.args("Play the script."), {
      cwd: place.project,
      env: { ...place.env, ...host.env(place) },
      stdio: ["ignore", "pipe", "pipe"],
      // As a shell does: a signal for the job reaches the host and its servers.
      detached: true
    })
    let printed = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (printed += text))
    }
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, printed }))
    onStart?.(child)
  })
