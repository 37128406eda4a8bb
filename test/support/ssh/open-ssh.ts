import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import type { Installation } from "../installation.ts"

/** OpenSSH's clients with the configuration that `ssh-config --write` makes in a home directory of the test's own. */
export const openSsh = ({ call, env, folder }: Installation) => {
  const home = path.join(folder, "home")
  fs.mkdirSync(home, { recursive: true })
  const config = path.join(home, ".ssh/config")
  const clientEnv = { ...process.env, ...env, HOME: home }

  /** Writes the entry of a workspace. */
  const write = async (name: string) => {
    const { code, stderr } = await call(["ssh-config", name, "--write", "--yes"], { env: { HOME: home } })
    assert.strictEqual(code, 0, stderr)
  }

  const start = (program: string, args: ReadonlyArray<string>) =>
    // An own group: ssh and its ProxyCommand end together.
    spawn(program, ["-F", config, ...args], { env: clientEnv, stdio: "pipe", cwd: home, detached: true })

  const finish = (child: ChildProcess, input: Uint8Array | string = "") =>
    new Promise<{ readonly code: number | null; readonly stdout: Buffer; readonly stderr: string }>((resolve) => {
      const stdout: Array<Buffer> = []
      let stderr = ""
      child.stdout!.on("data", (bytes: Buffer) => stdout.push(bytes))
      child.stderr!.on("data", (bytes: Buffer) => stderr += bytes.toString())
      child.once("close", (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }))
      child.stdin!.on("error", () => {})
      child.stdin!.end(input)
    })

  const run = (program: string, args: ReadonlyArray<string>, input?: Uint8Array | string) =>
    finish(start(program, args), input)

  /** What a command of ssh printed; it has to succeed. */
  const ssh = async (host: string, command: string, input?: Uint8Array | string) => {
    const { code, stderr, stdout } = await run("ssh", [host, command], input)
    assert.strictEqual(code, 0, `${command}: ${stdout.toString()}${stderr}`)
    return stdout.toString().trim()
  }

  /** Commands of sftp; they have to succeed. */
  const sftp = async (host: string, ...commands: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await run("sftp", ["-b", "-", host], commands.join("\n"))
    assert.strictEqual(code, 0, `${stdout.toString()}${stderr}`)
    return stdout.toString()
  }

  /** Starts ssh, and waits for its first line. */
  const startSsh = async (args: ReadonlyArray<string>, first: string) => {
    const child = start("ssh", args)
    let stderr = ""
    child.stderr.on("data", (bytes: Buffer) => stderr += bytes.toString())
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
    await new Promise<void>((resolve, reject) => {
      let stdout = ""
      child.stdout.on("data", (bytes: Buffer) => {
        stdout += bytes.toString()
        if (stdout.includes(first)) resolve()
      })
      void ended.then((code) => reject(new Error(`ssh ended with ${code}: ${stdout}${stderr}`)))
    })
    const end = () => {
      assert.isNull(child.exitCode, `ssh has ended: ${stderr}`)
      process.kill(-child.pid!)
    }
    return { ended, stderr: () => stderr, end }
  }

  return { home, config, env: clientEnv, write, run, ssh, sftp, startSsh } as const
}

/** A program of this host and its libraries as files that run in any guest, with the command that starts it there. */
export const portable = (program: string, folder: string, place: string) => {
  const file = execFileSync("which", [program], { encoding: "utf8" }).trim()
  const libraries = execFileSync("ldd", [file], { encoding: "utf8" }).match(/\/\S+/g) ?? []
  fs.mkdirSync(folder, { recursive: true })
  for (const one of [file, ...libraries]) fs.copyFileSync(fs.realpathSync(one), path.join(folder, path.basename(one)))
  const loader = libraries.map((one) => path.basename(one)).find((name) => name.startsWith("ld-linux"))
  assert.isDefined(loader, `${program} is not dynamic`)
  return `${place}/${loader} --library-path ${place} ${place}/${path.basename(file)}`
}
