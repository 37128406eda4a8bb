import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import type { SeedRequest } from "../../../../src/lib/seeding/model/request.ts"
import { prepareSeed } from "../../../../src/lib/seeding/prepare.ts"
import { HostFacts } from "../../../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { dump } from "../disk/inspect.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

/** What the user's own git sees: nobody's settings but these. */
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_COUNT: "5",
  GIT_CONFIG_KEY_0: "user.name",
  GIT_CONFIG_VALUE_0: "A",
  GIT_CONFIG_KEY_1: "user.email",
  GIT_CONFIG_VALUE_1: "a@example.org",
  GIT_CONFIG_KEY_2: "safe.directory",
  GIT_CONFIG_VALUE_2: "*",
  GIT_CONFIG_KEY_3: "protocol.file.allow",
  GIT_CONFIG_VALUE_3: "always",
  GIT_CONFIG_KEY_4: "init.defaultBranch",
  GIT_CONFIG_VALUE_4: "main"
}

/** Runs the user's own git, as the user would. */
export const userGit = (cwd: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 10_000 })

/** Writes files by their names; a name that ends with `/` makes a directory. */
export const write = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), content)
  }
}

export const commit = (folder: string, message: string) => {
  userGit(folder, "add", "-A")
  userGit(folder, "commit", "-q", "-m", message)
  return userGit(folder, "rev-parse", "HEAD").trim()
}

/** An empty repository of a name below a folder. */
export const repository = (folder: string, name = "tree") => {
  const tree = path.join(folder, name)
  fs.mkdirSync(tree, { recursive: true })
  userGit(tree, "init", "-q")
  return tree
}

/** A host on which there are no namespaces to lock git up in. */
const openHost = Layer.succeed(HostFacts, { get: () => Effect.succeed("not on this host") })

/** What listing a directory of the host needs. */
export const hostServices = Layer.unwrap(
  Effect.map(temporaryDirectory, (folder) => {
    const paths = Layer.succeed(Paths, { cacheDir: folder, stateDir: folder, memoryDir: folder })
    return Layer.merge(SeedImages.layer, HostFacts.layer).pipe(Layer.provideMerge(paths))
  })
)

/** Seeds with a cache of the test's own. */
export const seedWith = (cacheDir: string, request: Partial<SeedRequest>, facts = HostFacts.layer) => {
  const paths = Layer.succeed(Paths, { cacheDir, stateDir: cacheDir, memoryDir: cacheDir })
  return prepareSeed({ git: "shallow", includeIgnored: [], virtualMib: 256, ...request }).pipe(
    Effect.provide(Layer.merge(SeedImages.layer, facts).pipe(Layer.provideMerge(paths)))
  )
}

/** Seeds, and unpacks what a guest would have as its /workspace. */
export const seeded = (
  request: Partial<SeedRequest>,
  options: { readonly namespaces: boolean } = { namespaces: true }
) =>
  Effect.gen(function*() {
    const cache = yield* temporaryDirectory
    const prepared = yield* seedWith(cache, request, options.namespaces ? HostFacts.layer : openHost)
    return { ...prepared, cache, workspace: dump(prepared.image.path, path.join(cache, "unpacked")) }
  })

export const names = (folder: string) => fs.readdirSync(folder).sort()

/** What `git status` says, for comparing two trees. */
export const status = (folder: string) =>
  userGit(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=all")

/** Variables of this process for as long as the Scope. */
export const withVariables = (values: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(values).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, values)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

/** A global configuration of the user's for as long as the Scope. */
export const globally = (folder: string, text: string) => {
  const file = path.join(folder, "gitconfig")
  fs.writeFileSync(file, text)
  return withVariables({ GIT_CONFIG_GLOBAL: file })
}
