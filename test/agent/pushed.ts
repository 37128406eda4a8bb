import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import { readPushed } from "../../src/lib/seeding/model/pushed.ts"
import { syncPush } from "../../src/lib/seeding/push.ts"
import { HostFacts } from "../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { Agent } from "./agent.ts"
import { diffPatch } from "./diff-patch.ts"

/** Writes files, with the directories above them. */
export const write = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), content)
  }
}

/** A host directory, and a guest that was seeded from it: copies that keep times, as images do. */
export const seeded = (name: string) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const folder = path.join((yield* Agent).folder, name)
    const [host, live, disk, state] = ["host", "live", "disk", "state"].map((part) => path.join(folder, part))
    write(host!, {
      "same": "same\n",
      "edited": "1\n",
      "both": "1\n",
      "gone": "g\n",
      "dir/deep": "d\n",
      ".gitignore": "*.o\n"
    })
    fs.symlinkSync("same", path.join(host!, "link"))
    execFileSync("git", ["init", "-q", host!])
    fs.mkdirSync(state!)
    fs.mkdirSync(disk!)
    for (const copy of [live!, path.join(disk!, "workspace")]) {
      execFileSync("cp", ["-a", host!, copy])
      fs.rmSync(path.join(copy, ".git"), { recursive: true })
    }
    yield* channel.call.baseline({ device: disk! })
    const paths = { cacheDir: state!, stateDir: state!, memoryDir: state! }
    const services = Layer.merge(SeedImages.layer, HostFacts.layer).pipe(
      Layer.provideMerge(Layer.succeed(Paths, paths))
    )
    const push = (
      options: {
        readonly force?: boolean
        readonly delete?: boolean
        readonly sourcePath?: string
        readonly includeIgnored?: ReadonlyArray<string>
        readonly dest?: string
      } = {}
    ) =>
      syncPush(channel, {
        sourcePath: host!,
        dest: "",
        includeIgnored: [],
        allowHome: false,
        force: false,
        delete: false,
        ...options
      }, {
        folder: state!,
        seedPath: host!,
        live: { root: live!, path: "." },
        baseline: { root: baselineRoot, path: "workspace" }
      }).pipe(Effect.provide(services))
    const read = (file: string) => fs.readFileSync(path.join(live!, file), "utf8")
    const trees = {
      device: disk!,
      baseline: { root: baselineRoot, path: "workspace" },
      live: { root: live!, path: "" }
    }
    const asked = {
      paths: [],
      stat: false,
      nameOnly: false,
      includeIgnored: false,
      verified: false,
      maxBytes: 1_000_000
    }
    const diff = (limits?: { readonly fileBytes: number; readonly totalBytes: number }) =>
      Effect.flatMap(readPushed(state!), (pushed) => diffWorkspace(channel, asked, { trees, pushed, limits }))
    const names = Effect.map(diff(), ({ files }) => files.map(({ path, status }) => `${status} ${path}`))
    const patch = Effect.flatMap(readPushed(state!), (pushed) => diffPatch(channel, asked, { trees, pushed }))
    return { host: host!, live: live!, disk: disk!, state: state!, channel, trees, push, read, diff, names, patch }
  })
