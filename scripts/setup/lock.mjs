import { spawn } from "node:child_process"
import { inRoot } from "./project.mjs"
import { say } from "./report.mjs"

/**
 * Runs `work` while no other set-up of this clone does. The lock is flock(2) on package.json, held by a child that ends with this
 * process however that ends.
 */
export const alone = async (work) => {
  const holder = (await hold(["--nonblock"])) ??
    (say("waiting for another set-up of this clone to end"), await hold([]))
  try {
    return await work()
  } finally {
    holder?.stdin.end()
  }
}

const hold = (options) =>
  new Promise((resolve) => {
    const child = spawn("flock", [...options, inRoot("package.json"), "sh", "-c", "echo held; exec cat"], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"]
    })
    child.stdin.on("error", () => {})
    child.stdout.once("data", () => resolve(child))
    child.on("error", () => resolve({ stdin: { end: () => {} } }))
    child.on("exit", () => resolve(undefined))
  })
