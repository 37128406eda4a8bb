import { spawn } from "node:child_process"

/** A script that waits, and who hears of its end. */
interface Waiting {
  readonly script: string
  readonly settle: (failure: string | undefined) => void
}

/** Longest text of a failure. */
const FAILURE_CHARACTERS = 500

const run = (script: string) =>
  new Promise<string | undefined>((resolve) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(0, FAILURE_CHARACTERS))
    child.on("error", ({ message }) => resolve(message))
    child.on("close", (code) => resolve(code === 0 ? undefined : said.trim() || `exit status ${code}`))
    child.stdin.on("error", () => {}) // its exit tells
    child.stdin.end(script)
  })

/**
 * The firewall of this process's network namespace. One nft runs at a time; scripts that come meanwhile are one transaction, or one after the
 * other if the transaction fails.
 */
export class Firewall {
  #waiting: Array<Waiting> = []
  #isRunning = false

  /** Gives nft's last words, or nothing for success. */
  apply(script: string): Promise<string | undefined> {
    return new Promise((settle) => {
      this.#waiting.push({ script, settle })
      if (!this.#isRunning) void this.#runAll()
    })
  }

  async #runAll() {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      const failure = await run(batch.map(({ script }) => script).join("\n"))
      for (const { script, settle } of batch) {
        settle(failure === undefined || batch.length === 1 ? failure : await run(script))
      }
    }
    this.#isRunning = false
  }
}
