import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot, root, typesCompiler } from "../setup/project.mjs"
import { say, SetupFailed, step } from "../setup/report.mjs"
import { vitestTests } from "./vitest.mjs"

const adapters = inRoot("adapters")

/** The manifests of the adapters, by folder. Each pins the framework that it is tested with, and what its tests and its page need beside. */
const manifests = () =>
  readdirSync(adapters)
    .map((name) => [name, join(adapters, name, "package.json")])
    .filter(([, file]) => existsSync(file))
    .map(([name, file]) => [name, JSON.parse(readFileSync(file, "utf8"))])

/** Name and version of each package that an adapter pins. */
const pinned = () => new Map(manifests().flatMap(([, { devDependencies }]) => Object.entries(devDependencies)))

/** What the tests of adapters leave between two runs. */
const cache = inRoot("node_modules/.cache/pyro-frameworks")

/** The packed pyro, from which the programs of the pages install it. test/programs finds it here. */
const archive = join(cache, "pyro.tgz")

/** Installs the package of this clone beside the frameworks, as npm installs it. */
const installPyro = async (folder) => {
  mkdirSync(cache, { recursive: true })
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
  mkdirSync(target, { recursive: true })
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
const checkTypes = async (folder) => {
  const checked = join(folder, "node_modules/.cache/checked")
  rmSync(checked, { recursive: true, force: true })
  // A copy of a folder into itself is an error, and its packages are found from the copies.
  for (const sources of ["adapters", "test/frameworks"]) {
    for (const name of readdirSync(inRoot(sources)).filter((one) => one !== "node_modules")) {
      cpSync(inRoot(sources, name), join(checked, sources, name), { recursive: true })
    }
  }
  const config = {
    extends: inRoot("tsconfig.json"),
    // The handle is that of the installed package.
    compilerOptions: { lib: ["ES2023", "ESNext.Disposable", "DOM"], paths: {}, types: ["node"] },
    include: ["adapters", "test"],
    exclude: []
  }
  writeFileSync(join(checked, "tsconfig.json"), JSON.stringify(config))
  await mustRun("the compiler", [typesCompiler, "--project", join(checked, "tsconfig.json")], { cwd: root })
  await checkPrograms(join(folder, "node_modules/.cache/programs"))
}

/** The current releases of the frameworks, in a copy of the workspaces. */
const installLatest = async (folder) => {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, manifest] of manifests()) {
    const latest = Object.fromEntries(Object.keys(manifest.devDependencies).map((one) => [one, "latest"]))
    mkdirSync(join(folder, name), { recursive: true })
    // Without the range of the framework, which may end before its current release.
    const current = { ...manifest, peerDependencies: {}, devDependencies: latest }
    writeFileSync(join(folder, name, "package.json"), JSON.stringify(current))
  }
  cpSync(join(adapters, "package.json"), join(folder, "package.json"))
  await step(
    "installing the current frameworks from npm (0.8 GB, 1 min)",
    // Nobody has looked at these versions: their own scripts do not run on this host.
    () =>
      mustRun("npm install", ["npm", "install", "--no-package-lock", "--ignore-scripts"], {
        cwd: folder,
        interrupt: "kill"
      })
  )
}

/** The version of a package that pyro's package finds beside itself. */
const versionIn = (folder, name) =>
  JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version

/**
 * `npm run test:frameworks`: installs the workspaces of `adapters` with their frameworks (0.8 GB) and pyro's package beside them, checks
 * the types of the adapters, and has each framework work in microVMs, with a scripted model in place of a provider's. Each program of
 * docs/adapters then runs as printed, in a new project that the page's own lines have made. `-- --latest` takes the current releases of the
 * frameworks; the pages' lines always do. Words name files of test/frameworks and test/programs. The last line is `N passed, N failed`.
 */
export const frameworkTests = async () => {
  const words = process.argv.slice(2)
  const isLatest = words.includes("--latest")
  await setUp(isLatest ? "test" : "frameworks")
  const folder = isLatest ? join(cache, "latest") : adapters
  if (isLatest) await installLatest(folder)
  for (const [name, version] of pinned()) {
    const installed = versionIn(folder, name)
    say(`  ${name} ${installed}`)
    if (!isLatest && installed !== version) {
      throw new SetupFailed(`adapters/node_modules has ${name} ${installed}, and an adapter pins ${version}`, 2)
    }
  }
  await step("installing pyro's package (1 min)", () => installPyro(folder))
  await step("checking the types of the adapters (10 s)", () => checkTypes(folder))
  // test/frameworks/installed.ts reads it.
  process.env.PYRO_TEST_FRAMEWORKS = folder
  const { failed, passed, skipped } = await vitestTests(["frameworks", "programs"], {
    files: words.filter((word) => word !== "--latest")
  })
  process.stdout.write(`\n${passed} passed, ${failed + skipped} failed\n`)
  return failed + skipped > 0 || passed === 0 ? 1 : 0
}
