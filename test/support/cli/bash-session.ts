import { spawn } from "node:child_process"

/** A shell in which commands run one after the other, as at a prompt: directory and variables stay. */
export const bashSession = (
  { enter = [], ...options }: {
    readonly cwd: string
    readonly env: NodeJS.ProcessEnv
    /** Words of a program that starts the shell in other namespaces. */
    readonly enter?: ReadonlyArray<string>
  }
) => {
  const [program = "", ...words] = [...enter, "bash", "--norc", "--noprofile"]
  const child = spawn(program, words, options)
  let output = ""
  let waiting: { readonly mark: string; readonly resolve: (text: string) => void } | undefined
  const look = () => {
    const at = waiting === undefined ? -1 : output.indexOf(waiting.mark)
    if (waiting === undefined || !(at >= 0 && output.includes("\n", at)) && child.exitCode === null) return
    const { resolve } = waiting
    waiting = undefined
    resolve(output)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk
      look()
    })
  }
  child.on("close", look)
  let count = 0
  /** Its status, and what it printed on stdout and stderr. */
  const run = async (command: string): Promise<{ readonly status: number; readonly output: string }> => {
    count += 1
    const mark = `\u001e${count} `
    output = ""
    const answered = new Promise<string>((resolve) => waiting = { mark, resolve })
    const quoted = `'${command.replaceAll("'", "'\\''")}'`
    child.stdin.write(`{ eval ${quoted}; } </dev/null 2>&1; printf '%s%s\\n' '${mark}' "$?"\n`)
    const text = await answered
    const [printed = "", status] = text.split(mark)
    return { status: status === undefined ? -1 : Number.parseInt(status, 10), output: printed }
  }
  const close = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null) return resolve()
      child.once("close", () => resolve())
      child.stdin.end()
    })
  return { run, close } as const
}
