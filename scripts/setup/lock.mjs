import { spawn } from "node:child_process"
import { inRoot } from "./project.mjs"
import { say } from "./report.mjs"

/**
 * Runs `work` while no other set-up of this clone runs. The lock is flock(2) on package.json, held by a child that always ends with
 * this process.
 */
export const alone = async (work) => {
  let holder = await hold(["--nonblock"])
  if (holder === undefined) {
    say("waiting for another set-up of this clone to end")
    holder = await hold([])
  }
  try {
    return await work()
  } finally {
    await holder.release()
  }
}

/** Resolves to undefined when the lock is taken and `--nonblock` was given. */
const hold = (options) =>
  new Promise((resolve, reject) => {
    const child = spawn("flock", [...options, inRoot("package.json"), "sh", "-c", "echo held; exec cat"], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit"]
    })
    const ended = new Promise((done) => child.on("close", done))
    const release = () => {
      child.stdin.end()
      return ended
    }
    child.on("error", reject)
    child.stdin.on("error", () => {})
    child.stdout.once("data", () => resolve({ release }))
    child.on("exit", (code) => code === 1 ? resolve(undefined) : reject(new Error(`flock ended with status ${code}`)))
  })
