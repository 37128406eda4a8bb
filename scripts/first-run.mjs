import process from "node:process"
import { setUp } from "./setup.mjs"
import { run } from "./setup/child.mjs"
import { hostNode } from "./setup/pinned-node.mjs"
import { inRoot } from "./setup/project.mjs"
import { say, SetupFailed } from "./setup/report.mjs"

/** `engines` of package.json. */
const OLDEST_NODE = 20
const guestCommand = ["git", "--version"]

/** `npm start`: does the set-up, runs one command in a microVM, and prints the next steps. */
export const firstRun = async () => {
  await setUp("start")
  const entry = inRoot("dist/pyro.js")
  say(`$ pyro run debian:12 -- ${guestCommand.join(" ")}`)
  const { code } = await run([process.execPath, entry, "run", "debian:12", "--", ...guestCommand], { stdio: "inherit" })
  if (code !== 0) {
    throw new SetupFailed(`that failed with status ${code}. What this host offers: ${command(entry)} doctor`, 1)
  }
  say(`
That ran in a microVM of its own, which is gone again. Put \`pyro\` on the PATH:

  npm link                              or, as an ordinary user: npm install --global --prefix ~/.local .

Until then, \`pyro\` is ${command(entry)}. What next:

  pyro create --name fix --seed-path .  a machine with a copy of this directory, which stays
  pyro exec fix -- git status           run a command in the workspace
  pyro host connect claude-code         give the same to your agent; \`pyro host connect --help\` names other hosts
  docs/first-run.md                     five minutes with a workspace
  pyro --help${await outdated()}`)
}

/** What is amiss with the Node that `pyro` gets from the PATH, if anything. */
const outdated = async () => {
  const version = await hostNode()
  if (version === undefined || Number.parseInt(version) >= OLDEST_NODE) return ""
  return `

\`pyro\` itself needs Node ${OLDEST_NODE} or newer on the PATH, where Node ${version} is: docs/install.md#the-npm-package has the commands.`
}

const command = (entry) => /^[\w./+-]+$/.test(entry) ? entry : `'${entry.replaceAll("'", "'\\''")}'`
