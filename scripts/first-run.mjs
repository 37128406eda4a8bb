import process from "node:process"
import { setUp } from "./setup.mjs"
import { run } from "./setup/child.mjs"
import { inRoot } from "./setup/project.mjs"
import { say, SetupFailed } from "./setup/report.mjs"

const guestCommand = ["git", "--version"]

/** `npm start`: everything made ready, one command run in a microVM, and how to go on from there. */
export const firstRun = async () => {
  await setUp("start")
  const entry = inRoot("dist/pyro.js")
  say(`$ pyro run debian:12 -- ${guestCommand.join(" ")}`)
  const { code } = await run([process.execPath, entry, "run", "debian:12", "--", ...guestCommand], { stdio: "inherit" })
  if (code !== 0) {
    throw new SetupFailed(`that failed with status ${code}. What this host offers: ${command(entry)} doctor`, 1)
  }
  say(`
That ran in a microVM of its own, which is gone again. From here:

  ${command(entry)} run debian:12 -- uname -a
  ${command(entry)} --help

or once \`npm link\`, which puts \`pyro\` on the PATH.`)
}

const command = (entry) => /^[\w./+-]+$/.test(entry) ? entry : `'${entry.replaceAll("'", "'\\''")}'`
