import xterm from "@xterm/headless"
import { spawn } from "node-pty"
import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { terminalSvg } from "./terminal-svg.mjs"

// Runs the session below with the built pyro in a terminal, and draws it: docs/images/session.svg. With --check it only compares.
// Ids, versions and the temporary folder have fixed values in the picture; all other text is as pyro printed it.

const COLUMNS = 98
const SESSION = [
  ["pyro create --name fix --seed-path .", "a microVM with a copy of this repository"],
  ["pyro exec fix sh test.sh"],
  [`pyro file edit fix greet.sh --old-text '$1"' --new-text '\${1:-you}!"'`],
  ["pyro exec fix sh test.sh"],
  ["pyro fork fix --name try", "a copy of its memory and disk, for a risky step"],
  ["pyro exec try --script 'rm -rf /usr *'"],
  ["pyro compare fix try --stat"],
  ["pyro diff fix", "the first workspace and the host are unharmed"],
  ["pyro export fix --patch --output fix.patch", "only an export writes to the host"],
  ["git apply fix.patch && sh test.sh"],
  ["pyro delete fix try"]
]

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const picture = join(root, "docs/images/session.svg")
const folder = mkdtempSync(join(tmpdir(), "pyro-record-"))
const project = join(folder, "greeting")
const cache = process.env.PYRO_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pyro")
const env = {
  PATH: `${join(folder, "bin")}:${process.env.PATH}`,
  HOME: folder,
  LANG: "C.UTF-8",
  TERM: "xterm-256color",
  GIT_CONFIG_NOSYSTEM: "1",
  PYRO_CACHE_DIR: cache,
  PYRO_STATE_DIR: join(folder, "state")
}

const prepare = () => {
  cpSync(join(root, "examples/greeting"), project, { recursive: true })
  mkdirSync(join(folder, "bin"))
  const program = join(folder, "bin/pyro")
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "dist/pyro.js")}' "$@"\n`)
  chmodSync(program, 0o755)
  const git = (...words) => execFileSync("git", words, { cwd: project, env })
  git("init", "-q")
  git("add", ".")
  git("-c", "user.name=you", "-c", "user.email=you@example.org", "commit", "-q", "-m", "Start")
}

/** The n-th new id of the session always looks the same. */
const ids = new Map()
const fixed = (text) =>
  text
    .replaceAll(folder, "/home/you")
    .replace(/ws-[0-9a-f]{10}/g, (id) =>
      ids.get(id) ?? ids.set(id, `ws-${"7c41d0f2a9b8e635".slice(ids.size, ids.size + 10)}`).get(id))
    .replace(/(version )[0-9a-f]{16}/g, "$13e28bb196bb39e3d")

/** What a terminal gets from a command. */
const outputOf = (command) =>
  new Promise((resolve) => {
    let output = ""
    const child = spawn("bash", ["-c", command], { cols: COLUMNS, rows: 40, cwd: project, env })
    child.onData((data) => output += data)
    child.onExit(() => resolve(output))
  })

const record = async () => {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: 80, allowProposedApi: true })
  const write = (text) => new Promise((resolve) => terminal.write(text, resolve))
  const row = () => terminal.buffer.active.cursorY
  const parts = []
  let second = 0
  const part = async (text, pause) => {
    const from = row()
    await write(text)
    if (row() > from) parts.push({ from, second, to: row() })
    second += pause
  }
  for (const [command, comment] of SESSION) {
    const note = comment === undefined ? "" : `\u001b[2m# ${comment}\u001b[0m\r\n`
    await part(`${note}\u001b[32m$\u001b[0m \u001b[1m${command}\u001b[0m\r\n`, 0.4)
    await part(fixed(await outputOf(command)), 0.5)
  }
  const lines = Array.from({ length: row() }, (_, y) => terminal.buffer.active.getLine(y))
  return terminalSvg({
    columns: COLUMNS,
    description: SESSION.map(([command]) => command).join("\n"),
    lines,
    parts,
    title: "A recorded session of pyro in a terminal"
  })
}

const pyro = (...words) => execFileSync(join(folder, "bin/pyro"), words, { cwd: folder, env })

/** Draws the session, or compares the drawing with the picture. */
const draw = (svg) => {
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(picture), { recursive: true })
    writeFileSync(picture, svg)
  } else if (readFileSync(picture, "utf8") !== svg) {
    process.stderr.write(
      `${svg}\ndocs/images/session.svg differs from this session. Draw it anew: node scripts/docs/record.mjs\n`
    )
    process.exitCode = 1
  }
}

try {
  prepare()
  try {
    // Makes what only the first workspace with files makes, so that no command of the session says so.
    pyro("run", "debian:12", "--seed-path", project, "--", "true")
    draw(await record())
  } finally {
    pyro("workspace", "delete", "--all")
    pyro("daemon", "stop")
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
