import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { assert } from "vitest"
import type { PyroPromises } from "../../../src/sdk/promises.ts"
import { bashSession } from "../cli/bash-session.ts"
import { pyroPath } from "../pyro-cli.ts"
import { preconditions } from "./preconditions.ts"
import type { ShellCommand } from "./shell-commands.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** Commands whose point is another status than 0. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ["pyro run debian:12 --timeout-seconds 5 sleep 60", 124],
  ["pyro run debian:12 --json ls /nowhere", 2],
  // This host has no Codex, and the story before has taken the entry away.
  ["pyro host doctor codex", 1],
  ["pyro host repair codex --dry-run", 2]
])

/** Files of the project that git ignores, in this repository too. */
const IGNORED = {
  "build/run-tests": "#!/bin/sh\necho ok\n",
  "build/report.html": "<p>ok</p>\n",
  "dist/app.js": "1\n",
  "node_modules/greet/index.js": "1\n",
  ".venv/lib/python3.11/site-packages/greet.py": "pass\n"
}

const makeProject = (folder: string) => {
  fs.cpSync(path.join(root, "test/fixtures/docs-project"), folder, { recursive: true })
  for (const [file, text] of Object.entries({ ...IGNORED, ".env": "COLOUR=blue\n" })) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    fs.writeFileSync(path.join(folder, file), text, { mode: 0o755 })
  }
  const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: folder })
  git("init", "-q")
  git("add", ".")
  git("-c", "user.name=you", "-c", "user.email=you@example.org", "commit", "-q", "-m", "Start")
}

/** A reader of the documents: a home, a project, `pyro` in the PATH, and a shell for each story. */
export const makeReader = (folder: string, variables: Readonly<Record<string, string>>) => {
  const [project, original, bin, home, fixtures] = ["project", "original", "bin", "home", "fixtures"]
    .map((name) => path.join(folder, name)) as [string, string, string, string, string]
  const env = {
    ...process.env,
    HOME: home,
    PATH: `${bin}:${process.env["PATH"]}`,
    NO_COLOR: "1",
    NPM_TOKEN: "the token of a registry",
    GH_TOKEN: "the token of a forge",
    ANTHROPIC_API_KEY: "the key of a model",
    ...variables
  }
  for (const made of [bin, fixtures, home, path.join(home, "datasets"), path.join(home, "results")]) fs.mkdirSync(made)
  fs.writeFileSync(path.join(fixtures, "users.json"), "[]\n")
  fs.mkdirSync(path.join(home, ".ssh"))
  fs.writeFileSync(path.join(home, ".ssh", "deploy"), "the key of a deployment\n")
  fs.writeFileSync(path.join(home, ".gitconfig"), "[user]\n\tname = you\n\temail = you@example.org\n")
  const quoted = [process.execPath, pyroPath].map((word) => `'${word}'`).join(" ")
  fs.writeFileSync(path.join(bin, "pyro"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
  makeProject(original)

  /** The project as each story finds it. */
  const freshProject = () => {
    fs.rmSync(project, { recursive: true, force: true })
    fs.cpSync(original, project, { recursive: true })
  }

  /** Runs stories, one after the other, with what each command needs. `keeps`: as `preconditions` has it. */
  const storiesOf = (pyro: PyroPromises, { keeps = false } = {}) => {
    const state = preconditions(pyro, { project, keeps })
    const run = async (commands: ReadonlyArray<ShellCommand>) => {
      await state.restore()
      freshProject()
      const shell = bashSession({ cwd: project, env })
      try {
        for (const { calls, text } of commands) {
          for (const call of calls) await state.prepare(call)
          // Something to send: the work went on after the workspace was made.
          if (text === commands[0]!.text) fs.appendFileSync(path.join(project, "test/cases.txt"), "one more\n")
          if (text.includes("$DIGEST")) {
            const { digest } = await pyro.workspace.diff({ workspace: "fix" })
            await shell.run(`DIGEST=${digest}`)
          }
          if (text.includes("$SHELL_ID") && !text.includes("SHELL_ID=")) {
            const { shellId } = await pyro.workspace.shell.open({ workspace: "fix" })
            await shell.run(`SHELL_ID=${shellId}`)
          }
          const { output, status } = await shell.run(text)
          assert.strictEqual(status, STATUSES.get(text) ?? 0, `${text}\n${output}`)
        }
      } finally {
        await shell.close()
      }
    }
    /** Runs a program, which finds no workspace of its own names. */
    const runProgram = async (program: string) => {
      freshProject()
      const found = (await pyro.workspace.list()).workspaces.filter(({ name }) => name === "fix")
      if (found.length > 0) await pyro.workspace.delete({ workspaces: ["fix"] })
      // Beneath the clone, so that "pyro" is what the examples of the clone import.
      const beneath = fs.mkdtempSync(path.join(root, "dist/docs-"))
      try {
        const file = path.join(beneath, "program.ts")
        fs.writeFileSync(file, program)
        const words = [path.join(root, "scripts/example.mjs"), file]
        const { stderr } = await promisify(execFile)(process.execPath, words, { cwd: project, env })
        assert.notInclude(stderr, "Error")
      } finally {
        fs.rmSync(beneath, { recursive: true })
      }
    }
    return { ...state, run, runProgram } as const
  }

  return { env, project, freshProject, storiesOf } as const
}
