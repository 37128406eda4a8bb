import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { rawClient } from "../mcp/raw-client.ts"

const root = path.resolve(import.meta.dirname, "../..")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-consumer-"))
const run = async (program: string, args: ReadonlyArray<string>, cwd: string, more: NodeJS.ProcessEnv = {}) =>
  (await promisify(execFile)(program, args, { cwd, env: { ...process.env, ...more }, maxBuffer: 64 * 1024 * 1024 }))
    .stdout
const node = (args: ReadonlyArray<string>, cwd: string) => run(process.execPath, args, cwd)

/** What `npm test -- package` installs beside the tools of development. */
const beside = path.join(root, "test/nodes/node_modules")
const installed = (name: string) => path.join(beside, name)
interface Runtime {
  readonly runtime: string
  readonly argv: readonly [string, ...Array<string>]
}
/** Those of which `npm run test:runtimes` alone has the cases: another Node and another of the others have the same ones. */
const further: ReadonlyArray<Runtime> = [
  { runtime: "Node 22", argv: [installed("node-22/bin/node")] },
  { runtime: "Bun", argv: [installed("bun/bin/bun")] }
]
/** What runs the package. Each has workspaces of its own, behind a daemon that it starts. */
const supported: ReadonlyArray<Runtime> = [
  { runtime: "Node 20.19", argv: [installed("node-20/bin/node")] },
  { runtime: `Node ${process.versions.node}`, argv: [process.execPath] },
  { runtime: "Deno", argv: [installed("deno/deno"), "run", "--allow-all", "--quiet"] },
  ...process.env["PYRO_TEST_RUNTIMES"] === "all" ? further : []
]
/** Runtimes that are no Node. */
const others = supported.filter(({ runtime }) => !runtime.startsWith("Node"))
/** Without a pool: each daemon would fill one, for a few workspaces. */
const stateOf = (runtime: string) => ({
  PYRO_STATE_DIR: path.join(folder, `state-${runtime.replace(" ", "-")}`),
  PYRO_POOL_MEMBERS: "0"
})

interface Locked {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}
const { packages } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked & { readonly peerDependencies?: Readonly<Record<string, string>> }>>
}

/**
 * What a program that uses the library installs beside it: the packages that it shares with pyro, and the types of Node. Copies: Node
 * would resolve a link to the clone, and find the clone's packages there.
 */
const copyPeers = (modules: string) => {
  const waiting = [...Object.keys(packages[""]!.peerDependencies!), "@types/node"]
  for (const name of waiting) {
    const place = `node_modules/${name}`
    const copy = path.join(modules, name)
    if (packages[place] === undefined || fs.existsSync(copy)) continue
    // What is nested comes with what it is nested in.
    fs.cpSync(path.join(root, place), copy, { recursive: true })
    waiting.push(...Object.keys(packages[place].dependencies ?? {}))
  }
}

const bundled = (name: string) => fs.readFileSync(path.join(folder, "node_modules/pyro/dist", name), "utf8")

describe("the package, packed and installed", () => {
  const modules = path.join(folder, "node_modules")
  const command = path.join(modules, "pyro/dist/pyro.js")
  const prefix = path.join(folder, "global")
  let archive: string

  beforeAll(async () => {
    await node([path.join(root, "scripts/pack.mjs")], root)
    const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root)
    const [{ filename }] = JSON.parse(packed) as [{ readonly filename: string }]
    archive = path.join(folder, filename)
    fs.mkdirSync(path.join(modules, "pyro"), { recursive: true })
    await run("tar", ["xzf", archive, "-C", path.join(modules, "pyro"), "--strip-components=1"], folder)
    copyPeers(modules)
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }))
    for (const name of ["main.ts", "workspaces.ts"]) {
      fs.copyFileSync(path.join(root, "test/fixtures/consumer", name), path.join(folder, name))
    }
  }, 480_000)

  afterAll(async () => {
    for (const { argv: [program, ...words], runtime } of supported) {
      const state = stateOf(runtime)
      if (fs.existsSync(state.PYRO_STATE_DIR)) await run(program, [...words, command, "daemon", "stop"], folder, state)
    }
    fs.rmSync(folder, { recursive: true, force: true })
    fs.rmSync(path.join(root, "dist/lib"), { recursive: true, force: true })
  })

  const strict = ["--strict", "--target", "ES2022"]
  const library = "ES2023,ESNext.Disposable"
  /** The oldest TypeScript that Effect supports, and the one that checks pyro. */
  const compilers = [
    [process.execPath, path.join(beside, "typescript/lib/tsc.js")],
    [path.join(root, "node_modules/@effect/tsgo-linux-x64/lib/tsc")]
  ] as const
  const compileIn = async (cwd: string, files: ReadonlyArray<string>, options: ReadonlyArray<string>) => {
    for (const [program, ...args] of compilers) {
      await run(program, [...args, ...files, ...strict, ...options], cwd).catch(
        (failure: { readonly stdout?: string }) => assert.fail(`${[program, ...args].join(" ")}: ${failure.stdout}`)
      )
    }
  }
  const compile = (...options: ReadonlyArray<string>) =>
    compileIn(folder, ["main.ts", "workspaces.ts"], ["--types", "node", ...options])

  it("the package's types compile with the resolution of Node and of bundlers", async () => {
    await compile("--module", "esnext", "--moduleResolution", "bundler", "--lib", library, "--skipLibCheck", "--noEmit")
    // Its own declarations are checked too, and those of what it is built on: Effect's name types of the web's cryptography.
    await compile("--module", "nodenext", "--moduleResolution", "nodenext", "--lib", `${library},DOM`)
    assert.isTrue(fs.existsSync(path.join(folder, "main.js")))
    const declarations = fs.readdirSync(path.join(modules, "pyro/dist/lib"), { recursive: true, encoding: "utf8" })
    for (const name of declarations.filter((one) => one.endsWith(".d.ts"))) {
      assert.notInclude(bundled(path.join("lib", name)), "<ArrayBufferLike>", name)
    }
  }, 240_000)

  for (const { argv: [program, ...words], runtime } of supported) {
    const state = stateOf(runtime)
    const on = (...args: ReadonlyArray<string>) => run(program, [...words, ...args], folder, state)

    it(
      `on ${runtime}, the package works with the daemon, in process, with promises and as an MCP server`,
      async () => {
        assert.strictEqual(await on("main.js"), "consumed\n")
      },
      60_000
    )

    it(`on ${runtime}, a program creates, runs, lists, forks and deletes, and ends without a close`, async () => {
      assert.strictEqual(await on("workspaces.js"), "{\"made-by\":\"consumer\",\"__proto__\":\"kept\"}\n")
    }, 240_000)

    it(`on ${runtime}, the command and its MCP server ask the daemon, which runs on Node`, async () => {
      const [name, version = ""] = runtime.split(" ")
      const { node } = JSON.parse(await on(command, "version", "--json")) as { readonly node: string }
      if (name === "Node") assert.include(node, `v${version}`)
      else assert.include(node, `(${name} `)
      assert.deepInclude(JSON.parse(await on(command, "workspace", "list", "--json")), { workspaces: [] })
      const record = path.join(state.PYRO_STATE_DIR, "daemon/daemon.json")
      const { process: daemon } = JSON.parse(fs.readFileSync(record, "utf8")) as {
        readonly process: { readonly pid: number }
      }
      assert.strictEqual(path.basename(fs.readlinkSync(`/proc/${daemon.pid}/exe`)), "node")
      const client = rawClient([program, ...words, command, "mcp", "serve"], { cwd: folder, env: state })
      await client.initialize()
      assert.deepInclude((await client.call("workspace_list", {})).structuredContent, { workspaces: [] })
      await client.close()
    }, 60_000)
  }

  for (const { argv: [program], runtime } of supported.filter((one) => !others.includes(one))) {
    it(
      `on ${runtime}, files of the current directory configure no Node by the words of a guest's command`,
      async () => {
        const hostile = path.join(folder, `hostile-${runtime}`)
        const mark = path.join(hostile, "mark")
        const code = path.join(hostile, "code.cjs")
        fs.mkdirSync(hostile)
        fs.writeFileSync(code, `require("fs").writeFileSync(${JSON.stringify(mark)}, "")`)
        fs.writeFileSync(path.join(hostile, ".env"), `NODE_OPTIONS="--require ${code}"\n`)
        const configuration = JSON.stringify({ nodeOptions: { require: [code] } })
        fs.writeFileSync(path.join(hostile, "node.config.json"), configuration)
        const state = { ...stateOf(runtime), PATH: `${path.dirname(program)}:${process.env["PATH"]}` }
        for (
          const option of [
            "--env-file=.env",
            "--experimental-default-config-file",
            "--experimental-config-file=node.config.json"
          ]
        ) {
          const failure = await run(command, ["exec", "nobody", "--", "node", option], hostile, state).catch((error) =>
            error
          )
          assert.match((failure as { readonly stderr: string }).stderr, /^pyro: no workspace "nobody"/)
          assert.isFalse(fs.existsSync(mark), option)
        }
      },
      60_000
    )
  }

  describe("in a project that has nothing else", () => {
    const alone = path.join(folder, "alone")

    beforeAll(async () => {
      fs.mkdirSync(alone)
      fs.writeFileSync(path.join(alone, "package.json"), JSON.stringify({ type: "module" }))
      fs.copyFileSync(path.join(root, "test/fixtures/holder/main.ts"), path.join(alone, "main.ts"))
      fs.mkdirSync(path.join(alone, "pushed"))
      fs.writeFileSync(path.join(alone, "pushed/pushed.txt"), "pushed\n")
      fs.mkdirSync(path.join(alone, "project"))
      fs.writeFileSync(path.join(alone, "project/pyro.toml"), "devcontainer = true\n")
      fs.writeFileSync(path.join(alone, "project/.devcontainer.json"), "{ // comment\n\"image\": \"quay.io/a/b\", }")
      await run("npm", ["install", "--offline", "--no-audit", archive], alone)
    }, 60_000)

    it.each([["darwin", "arm64"], ["win32", "x64"], ["linux", "arm64"]])(
      "npm installs it on %s %s, where it is a client",
      async (os, cpu) => {
        const there = path.join(alone, os + cpu)
        await run(
          "npm",
          ["install", "--global", "--offline", "--prefix", there, "--os", os, "--cpu", cpu, archive],
          alone
        )
        assert.include(await run(path.join(there, "bin/pyro"), ["--version"], alone), "pyro ")
      },
      60_000
    )

    it("npm installs pyro and no other package", () => {
      assert.deepStrictEqual(fs.readdirSync(path.join(alone, "node_modules")).filter((name) => name[0] !== "."), [
        "pyro"
      ])
    })

    it("a program that holds a workspace compiles, with the types of the web or of Node", async () => {
      const web = ["--lib", `${library},DOM,DOM.AsyncIterable`, "--noEmit"]
      await compileIn(alone, ["main.ts"], [
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        ...web
      ])
      const types = path.join(modules, "@types")
      await compileIn(alone, ["main.ts"], [
        "--typeRoots",
        types,
        "--types",
        "node",
        "--module",
        "nodenext",
        "--moduleResolution",
        "nodenext",
        "--lib",
        library
      ])
      assert.isTrue(fs.existsSync(path.join(alone, "main.js")))
    }, 120_000)

    for (const { argv: [program, ...words], runtime } of supported) {
      it(`on ${runtime}, the program does all that a handle does`, async () => {
        const state = stateOf(runtime)
        for (const name of ["exported.txt", "warm.pyro"]) fs.rmSync(path.join(alone, name), { force: true })
        assert.strictEqual(await run(program, [...words, "main.js"], alone, state), "held\n")
        assert.strictEqual(fs.readFileSync(path.join(alone, "exported.txt"), "utf8"), "new\n")
      }, 300_000)
    }

    for (const { argv: [program, ...words], runtime } of others) {
      it(`on ${runtime}, a program without a daemon and without Node on PATH learns that pyro needs Node`, async () => {
        const programs = path.join(folder, `programs-${runtime}`)
        fs.mkdirSync(programs)
        // `bun run --bun` does this.
        fs.symlinkSync(program, path.join(programs, "node"))
        // A repository's program in a relative folder of PATH is no Node of this host.
        fs.writeFileSync(path.join(alone, "node"), "#!/bin/sh\n", { mode: 0o755 })
        const state = { PYRO_STATE_DIR: path.join(folder, `state-without-node-${runtime}`), PATH: `${programs}::.` }
        fs.writeFileSync(
          path.join(alone, "without-node.js"),
          `import { connect, HostToolMissing } from "pyro/promises"
          const failure = await connect().list().catch((error) => error)
          console.log(failure instanceof HostToolMissing, failure.message)`
        )
        const said = await run(program, [...words, "without-node.js"], alone, state)
        assert.match(
          said,
          /^true node is missing on this host \((Bun|Deno) \d[^ ]* runs this program, and PATH has no /
        )
        assert.include(said, "Put Node.js 20 or newer on PATH")
      }, 60_000)
    }
  })

  it("on Deno without all permissions, a program learns which it needs", async () => {
    const { argv: [program] } = supported.find(({ runtime }) => runtime === "Deno")!
    fs.writeFileSync(
      path.join(folder, "alone/narrow.js"),
      `import { connect, DaemonUnavailable } from "pyro/promises"
      const failure = await connect().list().catch((error) => error)
      console.log(failure instanceof DaemonUnavailable, failure.message)`
    )
    const some = ["read", "write", "env", "run", "sys", "net"].map((name) => `--allow-${name}`)
    const said = await run(program, ["run", "--no-prompt", ...some, "narrow.js"], path.join(folder, "alone"), {
      PYRO_STATE_DIR: path.join(folder, "state-narrow")
    })
    assert.match(said, /^true pyro's workspaces cannot be reached: Deno \S+ keeps this program from \/proc/)
    assert.include(said, "deno run --allow-all")
  }, 60_000)

  it("npm installs the command and the manual pages without another package, a script or a network", async () => {
    await run("npm", ["install", "--global", "--offline", "--prefix", prefix, "--no-audit", archive], folder)
    const manifest = JSON.parse(bundled("../package.json")) as {
      readonly scripts: Readonly<Record<string, string>>
      readonly version: string
    }
    assert.notProperty(manifest, "dependencies")
    for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
      assert.notProperty(manifest.scripts, script)
    }
    const pyro = path.join(prefix, "bin/pyro")
    assert.include(await run(pyro, ["--version"], folder), manifest.version)
    assert.include(await run(pyro, ["workspace", "create", "--help"], folder), "pyro workspace create [environment]")
    const pages = path.join(prefix, "share/man/man1")
    assert.deepStrictEqual(
      fs.readdirSync(pages).sort(),
      fs.readdirSync(path.join(modules, "pyro/dist/man")).sort(),
      "`man` of package.json names each page"
    )
    const page = fs.readFileSync(path.join(pages, "pyro-workspace.1"), "utf8")
    assert.match(page, /^\.TH PYRO-WORKSPACE 1 .*\n\.SH NAME\npyro\\-workspace \\- Create, use and delete workspaces/)
    assert.include(page, "\\-\\-seed\\-path PATH")
    // The same by npx, which installs into a cache of its own.
    const cache = { npm_config_cache: path.join(folder, "npx"), npm_config_offline: "true" }
    assert.include(
      await run("npm", ["exec", "--yes", "--package", archive, "--", "pyro", "--version"], folder, cache),
      manifest.version
    )
  }, 60_000)

  it("the compiled programs are the same from another folder", async () => {
    const copy = path.join(folder, "another")
    for (const part of ["guest-agent", "native"]) {
      const from = path.join(root, part)
      fs.cpSync(from, path.join(copy, part), { recursive: true, filter: (file) => file !== path.join(from, "build") })
      await run("make", ["--silent", "-j2", "-C", path.join(copy, part)], folder)
      for (const program of fs.readdirSync(path.join(copy, part, "build"))) {
        const [ours, again] = [root, copy].map((base) => fs.readFileSync(path.join(base, part, "build", program)))
        assert.isTrue(again!.equals(ours!), program)
      }
    }
  }, 120_000)

  it("the package contains its command and no tests or benchmarks", () => {
    assert.deepStrictEqual(
      fs.readdirSync(path.join(modules, "pyro")).sort(),
      ["CHANGELOG.md", "LICENSE", "README.md", "dist", "docs", "guest-agent", "native", "package.json", "rootfs"]
    )
    assert.isEmpty(fs.readdirSync(path.join(modules, "pyro/dist")).filter((name) => name.endsWith(".map")))
  })

  it("the package contains the skill, and the plugin with all of its files", () => {
    assert.isTrue(fs.existsSync(path.join(modules, "pyro/docs/skills/pyro/SKILL.md")))
    assert.deepStrictEqual(
      fs.readdirSync(path.join(modules, "pyro/dist/agent-plugin")).sort(),
      [".claude-plugin", ".mcp.json", "GEMINI.md", "README.md", "gemini-extension.json", "skills"]
    )
  })

  it("the bill of materials names what is bundled, with hashes, and each has its license", () => {
    const { components } = JSON.parse(bundled("sbom.cdx.json")) as {
      readonly components: ReadonlyArray<{
        readonly name: string
        readonly version: string
        readonly purl: string
        readonly licenses: ReadonlyArray<unknown>
        readonly hashes?: ReadonlyArray<{ readonly content: string }>
      }>
    }
    const names = components.map(({ name }) => name)
    for (
      const name of [
        "effect",
        "@xterm/headless",
        "@modelcontextprotocol/server",
        "react-dom",
        "@xterm/xterm",
        "ws",
        "libext2fs-dev"
      ]
    ) {
      assert.include(names, name)
    }
    for (const name of ["vitest", "vite", "msgpackr"]) assert.notInclude(names, name)
    const texts = bundled("THIRD-PARTY-NOTICES.txt")
    for (const { hashes, licenses, name, purl, version } of components) {
      assert.lengthOf(licenses, 1, name)
      if (!purl.startsWith("pkg:npm/")) continue
      assert.strictEqual(hashes?.[0]?.content.length, 128, name)
      assert.include(texts, `${name} ${version} (`)
    }
  })
})
