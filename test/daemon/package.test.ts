import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../..")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-consumer-"))
const state = path.join(folder, "state")
const env = { ...process.env, PYRO_STATE_DIR: state }
const run = async (program: string, args: ReadonlyArray<string>, cwd: string) =>
  (await promisify(execFile)(program, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 })).stdout
const node = (args: ReadonlyArray<string>, cwd: string) => run(process.execPath, args, cwd)

/** Packages that come along when pyro is installed, and what a program in TypeScript has itself. */
const linkDependencies = (modules: string) => {
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>
  }
  const own = ["node_modules/typescript", "node_modules/@types/node", "node_modules/undici-types"]
  for (const [place, { dev }] of Object.entries(packages)) {
    // What is nested comes with what it is nested in.
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(place) || (dev === true && !own.includes(place))) continue
    if (!fs.existsSync(path.join(root, place))) continue // an optional package of another platform
    const link = path.join(modules, place.slice("node_modules/".length))
    fs.mkdirSync(path.dirname(link), { recursive: true })
    fs.symlinkSync(path.join(root, place), link)
  }
}

describe("the package, packed and installed", () => {
  const modules = path.join(folder, "node_modules")

  beforeAll(async () => {
    await node([path.join(root, "scripts/build/library.mjs")], root)
    const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root)
    const [{ filename }] = JSON.parse(packed) as [{ readonly filename: string }]
    fs.mkdirSync(path.join(modules, "pyro"), { recursive: true })
    await run("tar", ["xzf", filename, "-C", path.join(modules, "pyro"), "--strip-components=1"], folder)
    linkDependencies(modules)
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }))
    fs.copyFileSync(path.join(root, "test/fixtures/consumer/main.ts"), path.join(folder, "main.ts"))
  }, 240_000)

  afterAll(async () => {
    if (fs.existsSync(state)) await node([path.join(modules, "pyro/dist/pyro.js"), "daemon", "stop"], folder)
    fs.rmSync(folder, { recursive: true, force: true })
    fs.rmSync(path.join(root, "dist/lib"), { recursive: true, force: true })
  })

  const strict = ["--strict", "--target", "ES2022", "--lib", "ES2023,ESNext.Disposable", "--types", "node"]
  const compile = (...resolution: ReadonlyArray<string>) =>
    node(["node_modules/typescript/lib/tsc.js", "main.ts", ...strict, ...resolution], folder)

  it("the package's types compile with the resolution of Node and of bundlers", async () => {
    await compile("--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck", "--noEmit")
    // Its own declarations are checked too, and those of what it is built on.
    await compile("--module", "nodenext", "--moduleResolution", "nodenext")
    assert.isTrue(fs.existsSync(path.join(folder, "main.js")))
  }, 240_000)

  it("the package works with the daemon, in process, with promises and as an MCP server", async () => {
    assert.strictEqual(await node(["main.js"], folder), "consumed\n")
  }, 60_000)

  it("the package contains its command and no tests or benchmarks", async () => {
    assert.match(await node([path.join(modules, "pyro/dist/pyro.js"), "--version"], folder), /^\d+\.\d+\.\d+\n$/)
    assert.deepStrictEqual(
      fs.readdirSync(path.join(modules, "pyro")).sort(),
      ["CHANGELOG.md", "LICENSE", "README.md", "dist", "docs", "guest-agent", "native", "package.json", "rootfs"]
    )
  })
})
