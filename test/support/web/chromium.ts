import { type ChildProcess, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { assert } from "vitest"
import { settlesAs } from "../settled.ts"

interface Answer {
  readonly id?: number
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

/** The value of an expression that a page evaluated. */
const valueOf = (answer: Answer["result"]) => (answer?.["result"] as { readonly value?: unknown } | undefined)?.value

/**
 * Chromium without a screen, driven through a pipe by the DevTools protocol (chromedevtools.github.io/devtools-protocol): messages are JSON that
 * ends with NUL, on descriptors 3 and 4. `enter` are words before the program.
 */
export const openChromium = (profile: string, enter: ReadonlyArray<string> = []) => {
  const [program, ...words] = [
    ...enter,
    "chromium",
    ...[
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking"
    ],
    ...["--no-first-run", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"]
  ]
  const child: ChildProcess = spawn(program!, words, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] })
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  let held = ""
  input.on("error", () => {})
  output.setEncoding("utf8").on("data", (text: string) => {
    const messages = (held + text).split("\0")
    held = messages.pop()!
    for (const message of messages) {
      const answer = JSON.parse(message) as Answer
      if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
    }
  })
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject)
    child.once("exit", (code, signal) => reject(new Error(`chromium ended with ${signal ?? `status ${code}`}`)))
  })
  ended.catch(() => {})

  const answerTo = async (method: string, params: object, sessionId?: string): Promise<Answer> => {
    const id = (lastId += 1)
    const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    try {
      return await Promise.race([answer, ended])
    } finally {
      waiting.delete(id)
    }
  }
  const send = async (...request: Parameters<typeof answerTo>) => {
    const { error, result = {} } = await answerTo(...request)
    assert.isUndefined(error, `${request[0]}: ${error?.message}`)
    return result
  }

  /** Opens a page in a tab of its own. */
  const page = async (url: string) => {
    const { targetId } = await send("Target.createTarget", { url })
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true })
    const evaluate = async (expression: string) =>
      valueOf(await send("Runtime.evaluate", { expression }, sessionId as string))
    return {
      evaluate,
      /** Waits until the page shows a text in an element. A page between two documents has no context to ask, and shows nothing. */
      shows: (selector: string, text: string) =>
        settlesAs(
          async () => {
            const expression = `document.querySelector(${JSON.stringify(selector)})?.textContent`
            const answer = await answerTo("Runtime.evaluate", { expression }, sessionId as string)
            return valueOf(answer.result)
          },
          text,
          url
        )
    }
  }

  return {
    page,
    close: () =>
      new Promise<void>((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once("close", () => resolve())
        child.kill("SIGKILL")
      })
  }
}
