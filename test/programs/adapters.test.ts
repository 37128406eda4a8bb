import { execFileSync, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { packageVersion } from "../support/package/package-version.ts"
import { startInternet } from "./internet.ts"
import { type PrintedProgram, printedPrograms } from "./pages.ts"

/** The package of this clone, which stands for the one that a page names. `npm run test:frameworks` has packed it. */
const packed = process.env["PYRO_TEST_PACKED"] ??
  resolve(import.meta.dirname, "../../node_modules/.cache/pyro-frameworks/pyro.tgz")
const NAMED = `/tmp/pyro-${packageVersion}.tgz`

const KEY = "sk-of-the-test"

const folder = mkdtempSync(join(tmpdir(), "pyro-programs-"))
const env: NodeJS.ProcessEnv = { ...process.env, PYRO_STATE_DIR: join(folder, "state") }
let internet: Awaited<ReturnType<typeof startInternet>>

/** The last project that has pyro. */
let last: string | undefined

interface Ran {
  readonly code: number | null
  readonly output: string
}

const run = (command: string, args: ReadonlyArray<string>, cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const bin = [join(cwd, "node_modules/.bin"), dirname(process.execPath), env["PATH"]].join(delimiter)
    const child = spawn(command, args, { cwd, env: { ...env, ...more, PATH: bin }, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text)
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, output }))
  })

/** A project of a user, in which the lines of the page and then its program run. */
const ranIn = async ({ lines, name, text }: PrintedProgram) => {
  const project = join(folder, name.replaceAll(" ", "-"))
  mkdirSync(project)
  writeFileSync(join(project, ".gitignore"), "node_modules/\n")
  writeFileSync(join(project, "sum.py"), "print(2 + 3)\n")
  execFileSync("git", ["init", "-q"], { cwd: project })
  const prepared = await run("bash", ["-e", "-c", lines.replaceAll(NAMED, packed)], project)
  assert.strictEqual(prepared.code, 0, prepared.output)
  last = project
  writeFileSync(join(project, "program.ts"), text)
  const ran = await run(process.execPath, ["program.ts"], project, { NODE_USE_ENV_PROXY: "1" })
  const { output: left } = await run("pyro", ["delete", "--all", "--yes"], project)
  return { ...ran, left }
}

beforeAll(async () => {
  internet = await startInternet()
  const certificates = join(folder, "authority.pem")
  // The real hosts stay trusted as this host trusts them.
  const own = process.env["NODE_EXTRA_CA_CERTS"]
  writeFileSync(certificates, [internet.certificate, own === undefined ? "" : readFileSync(own, "utf8")].join("\n"))
  Object.assign(env, {
    HTTPS_PROXY: internet.url,
    NO_PROXY: "127.0.0.1,localhost",
    NODE_EXTRA_CA_CERTS: certificates,
    // This host may be behind a proxy with an authority of its own.
    PYRO_TRUST_HOST_CERTIFICATES: "1",
    AI_GATEWAY_API_KEY: KEY,
    ANTHROPIC_API_KEY: KEY,
    OPENAI_API_KEY: KEY
  })
})

afterAll(async () => {
  // The programs' own pyro is packed from this clone, and its daemon is of that build.
  if (last !== undefined) {
    await run("pyro", ["delete", "--all", "--yes"], last)
    await run("pyro", ["daemon", "stop"], last)
  }
  await internet.close()
  rmSync(folder, { recursive: true, force: true })
})

describe("a program of docs/adapters, as printed and from its own install line", () => {
  it.each(printedPrograms)("$name runs a command in a microVM and says what it came to", async (program) => {
    internet.asked.length = 0
    const { code, left, output } = await ranIn(program)
    assert.strictEqual(code, 0, output)
    // The program for ComputeSDK has no model.
    const hasModel = !program.name.startsWith("computesdk")
    assert.match(output, hasModel ? /computed 42 on / : /^0 5$/m)
    // A thread of TanStack AI keeps its sandbox.
    if (!program.name.startsWith("tanstack-ai")) assert.strictEqual(left, "")
    assert.strictEqual(internet.asked.length > 0, hasModel, "requests to a model")
    for (const { keys } of internet.asked) assert.include(keys.join(" "), KEY)
  })
})
