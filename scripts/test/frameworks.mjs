import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot, root, typesCompiler } from "../setup/project.mjs"
import { say, SetupFailed, step } from "../setup/report.mjs"
import { vitestTests } from "./vitest.mjs"

/**
 * Each package that an adapter, a test of adapters or a page of them imports, with the version that the tests passed with. `peerDependencies` of package.json
 * has the ranges that begin with these.
 */
const frameworkPackages = {
  "@ai-sdk/harness": "1.0.40",
  "@ai-sdk/harness-claude-code": "1.0.41",
  "@anthropic-ai/claude-agent-sdk": "0.3.332",
  "@computesdk/provider": "2.1.5",
  "@langchain/anthropic": "1.5.11",
  "@langchain/core": "1.4.0",
  "@mastra/core": "1.71.0",
  "@openai/agents": "0.20.0",
  "@openai/agents-core": "0.20.0",
  "@tanstack/ai": "0.42.0",
  "@tanstack/ai-claude-code": "0.2.3",
  "@tanstack/ai-sandbox": "0.2.4",
  "ai": "7.0.173",
  "computesdk": "4.1.4",
  "deepagents": "1.14.1",
  "langchain": "1.5.14",
  "zod": "4.6.7"
}

/** A range of an optional peer begins with the tested version. */
const checkRanges = () => {
  const { peerDependencies } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"))
  for (const [name, version] of Object.entries(frameworkPackages)) {
    const [from] = (peerDependencies[name] ?? version).split(" ")
    if (from.replace(/^(\^|>=)/, "") !== version) {
      throw new SetupFailed(`package.json says ${name} ${peerDependencies[name]}, and ${version} is tested`, 2)
    }
  }
}

/** A project of a user: the frameworks and pyro, as npm installs them. */
const folder = inRoot("node_modules/.cache/pyro-frameworks")

/** The packed pyro, from which the programs of the pages install it. test/programs finds it here. */
const archive = join(folder, "pyro.tgz")

const installPyro = async () => {
  await mustRun("the package", [process.execPath, inRoot("scripts/pack.mjs")], { cwd: root })
  const packed = mkdtempSync(join(tmpdir(), "pyro-packed-"))
  try {
    await mustRun("npm pack", ["npm", "pack", "--ignore-scripts", "--pack-destination", packed], { cwd: root })
    cpSync(join(packed, readdirSync(packed)[0]), archive)
    const place = join(folder, "node_modules/pyro")
    rmSync(place, { recursive: true, force: true })
    mkdirSync(place, { recursive: true })
    await mustRun("tar", ["tar", "xzf", archive, "-C", place, "--strip-components=1"], { cwd: root })
  } finally {
    rmSync(packed, { recursive: true, force: true })
  }
}

/** The types of the programs of the adapters' pages, as a new project of a user has them. */
const checkPrograms = async (target) => {
  const pages = inRoot("docs/adapters")
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  for (const page of readdirSync(pages)) {
    const programs = readFileSync(join(pages, page), "utf8").matchAll(/^```ts\n([^]*?)^```$/gm)
    for (const [at, [, program]] of [...programs].entries()) {
      writeFileSync(join(target, `${page.replace(/\.md$/, "")}-${at + 1}.ts`), program)
    }
  }
  const compilerOptions = {
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    module: "nodenext",
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    target: "es2023",
    types: ["node"]
  }
  writeFileSync(join(target, "tsconfig.json"), JSON.stringify({ compilerOptions }))
  await mustRun("the compiler", [typesCompiler, "--project", target], { cwd: root })
}

/** The types of the adapters and of their tests, in copies: what they import is found from there. */
const checkTypes = async () => {
  const checked = join(folder, "checked")
  rmSync(checked, { recursive: true, force: true })
  for (const sources of ["src/adapters", "test/frameworks"]) {
    cpSync(inRoot(sources), join(checked, sources), { recursive: true })
  }
  const config = {
    extends: inRoot("tsconfig.json"),
    // The handle is that of the installed package.
    compilerOptions: { lib: ["ES2023", "ESNext.Disposable", "DOM"], paths: {}, types: ["node"] },
    include: ["src", "test"],
    exclude: []
  }
  writeFileSync(join(checked, "tsconfig.json"), JSON.stringify(config))
  await mustRun("the compiler", [typesCompiler, "--project", join(checked, "tsconfig.json")], { cwd: root })
  await checkPrograms(join(folder, "programs"))
}

/**
 * `npm run test:frameworks`: installs agent frameworks (0.9 GB) and pyro's package below node_modules/.cache, checks the types of the
 * adapters, and has each framework work in microVMs, with a scripted model in place of a provider's. Each program of docs/adapters then runs as
 * printed, in a new project that the page's own lines have made. `-- --latest` takes the current releases of the frameworks; the pages' lines
 * always do. Words name files of test/frameworks and test/programs. The last line is `N passed, N failed`.
 */
export const frameworkTests = async () => {
  const words = process.argv.slice(2)
  const isLatest = words.includes("--latest")
  checkRanges()
  await setUp("test")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true, type: "module" })}\n`)
  await step("installing the frameworks from npm (0.9 GB, 1 min)", () => {
    const wanted = Object.entries(frameworkPackages).map(([name, version]) =>
      `${name}@${isLatest ? "latest" : version}`
    )
    return mustRun("npm install", ["npm", "install", "--no-package-lock", ...wanted], {
      cwd: folder,
      interrupt: "kill"
    })
  })
  for (const name of Object.keys(frameworkPackages)) {
    const { version } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"))
    say(`  ${name} ${version}`)
  }
  await step("installing pyro's package (1 min)", installPyro)
  await step("checking the types of the adapters (10 s)", checkTypes)
  const { failed, passed, skipped } = await vitestTests(["frameworks", "programs"], {
    files: words.filter((word) => word !== "--latest")
  })
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
