import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { acquireBuilder } from "../../../src/building/builder/acquire.ts"
import { buildInMicroVm } from "../../../src/building/builder/builder.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { type Environment, Environments, type Progress } from "../../../src/lib/environment/Environments.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import type { AskedWorkspace } from "../../../src/workspace/life/verbs/create.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-builder-test-")
afterAll(remove)
const paths = { stateDir: folder, cacheDir: path.join(folder, "cache"), memoryDir: folder }

const mib = 1024 * 1024
const output = (text: string) => ({ _tag: "Output", from: "stdout", bytes: Buffer.from(text) })

const made = {
  _tag: "Made",
  digest: `sha256:${"0".repeat(64)}`,
  sizeBytes: 6,
  stepsBytes: undefined as number | undefined,
  config: { env: [], entrypoint: [], command: [], exposedPorts: [] },
  layers: [],
  packages: "",
  label: ""
}

/** Disks for results that builders have, each beside a second name that a microVM gives it. */
const disks: Array<string> = []
const inMicroVm = (file: string) => `${file}.vm`
const asked: Array<{ readonly request: string; readonly begins: string | undefined }> = []

/**
 * Workspaces whose builder writes an image of six bytes: to its disk, if it has one, in place of what the disk begins with; else as a file. `says`
 * changes what it says of the image.
 */
const workspaces = (says: Partial<typeof made> = {}, { endsMicroVm = true } = {}) =>
  ({
    workspace: {
      create: ({ result }: AskedWorkspace) => {
        if (result !== undefined) {
          disks.push(result.file)
          fs.linkSync(result.file, inMicroVm(result.file))
        }
        return Stream.make(
          { _tag: "Notice", level: "progress", message: "starting the microVM", fraction: 0.5 },
          { _tag: "Ready", workspace: { id: "ws-1" } }
        )
      },
      delete: () =>
        Effect.sync(() => disks.forEach((file) => endsMicroVm && fs.rmSync(inMicroVm(file), { force: true }))),
      exec: (_: unknown, { stdin }: { readonly stdin: Stream.Stream<Uint8Array> }) =>
        Stream.unwrap(Effect.map(Stream.runCollect(stdin), (pieces) => {
          const request = Buffer.concat([...pieces]).toString("latin1")
          const file = disks.at(-1)
          const isOnDisk = file !== undefined && fs.existsSync(inMicroVm(file))
          asked.push({ request, begins: isOnDisk ? fs.readFileSync(file, "utf8") : undefined })
          const isModules = request.includes(`"modules":true`)
          if (isOnDisk) fs.writeFileSync(inMicroVm(file), isModules ? "modules" : "image! and more of the disk")
          const last = isModules ? { _tag: "Began", sizeBytes: 7 } : { ...made, ...says }
          return Stream.make(
            output(`${JSON.stringify({ _tag: "Progress", step: "unpacking", fraction: 0.1 })}\n`),
            output(`${JSON.stringify(last)}\n`)
          )
        })),
      file: {
        upload: (_: unknown, { stdin }: { readonly stdin: Stream.Stream<Uint8Array> }) =>
          Stream.fromEffectDrain(Stream.runDrain(stdin)),
        download: () => Stream.make(output("imag"), output("e!"))
      }
    }
  }) as unknown as PyroService
const pyro = workspaces()

/** An environment `builder` that is built when somebody asks for it. */
const environments = {
  ensure: (_: string, { onProgress }: { readonly onProgress?: (progress: Progress) => void } = {}) =>
    Effect.sync(() => {
      onProgress?.({ step: "installing packages", fraction: 0.5 })
      return { digest: "of the builder" } as Environment
    })
} as unknown as Environments["Service"]

const said: Array<Progress> = []
const common = {
  reference: "app",
  allowHosts: [],
  onProgress: (progress: Progress) => void said.push(progress)
}
const steps = () => said.map(({ fraction, step }) => `${Math.round(fraction * 100)} ${step}`)

describe("a builder", () => {
  it.effect("says that its own environment is built first, whatever it is for", () =>
    Effect.gen(function*() {
      said.length = 0
      yield* Effect.scoped(acquireBuilder(pyro, common))
      assert.deepStrictEqual(steps(), [
        "8 building the environment builder, once for all images: installing packages",
        "18 starting the microVM"
      ])
    }).pipe(Effect.provideService(Environments, environments), Effect.provideService(Paths, paths)))

  it.effect("says how much of its files has passed: a share of a known size, else a number", () =>
    Effect.gen(function*() {
      said.length = 0
      const pieces = Stream.fromIterable(Array.from({ length: 130 }, () => Buffer.alloc(mib)))
      yield* buildInMicroVm(pyro, {
        ...common,
        request: { architecture: "amd64", commit: { id: "1", config: {}, workspaceAs: undefined } },
        uploads: {
          "/workspace/base.erofs": { bytes: Stream.make(Buffer.alloc(1), Buffer.alloc(1)), sizeBytes: 2 },
          "/workspace/changes.tar": { bytes: pieces }
        },
        secrets: { token: Redacted.make("a secret of the build") },
        file: path.join(folder, "root.erofs")
      })
      assert.deepStrictEqual(steps().slice(2), [
        "20 giving base.erofs to the builder",
        "28 giving base.erofs to the builder",
        "35 giving base.erofs to the builder",
        "35 giving changes.tar to the builder",
        "35 giving changes.tar to the builder: 64 MiB",
        "35 giving changes.tar to the builder: 128 MiB",
        "50 unpacking",
        "85 taking the image from the builder",
        "92 taking the image from the builder",
        "95 taking the image from the builder"
      ])
      assert.deepStrictEqual(said.map(({ fraction }) => fraction), said.map(({ fraction }) => fraction).sort())
    }).pipe(Effect.provideService(Environments, environments), Effect.provideService(Paths, paths)))
})

describe("a builder's disk", () => {
  const commit = { architecture: "amd64", commit: { id: "1", config: {}, workspaceAs: undefined } } as const
  const pull = { architecture: "amd64", source: "docker://r/i", plainHttp: false } as const
  const leftovers = () => fs.readdirSync(path.join(folder, "results")).filter((name) => name !== ".lock")
  const run = <A, E>(work: Effect.Effect<A, E, Environments | Paths>) =>
    work.pipe(Effect.provideService(Environments, environments), Effect.provideService(Paths, paths))
  const buildTo = (name: string, request: typeof commit | typeof pull, service = pyro) =>
    Effect.suspend(() => {
      disks.length = 0
      asked.length = 0
      return buildInMicroVm(service, { ...common, request, file: path.join(folder, name) })
    })

  it.effect("becomes the image, without a byte through the channel", () =>
    run(Effect.gen(function*() {
      said.length = 0
      yield* buildTo("taken.erofs", commit)
      assert.strictEqual(fs.readFileSync(path.join(folder, "taken.erofs"), "utf8"), "image!")
      assert.strictEqual(fs.statSync(path.join(folder, "taken.erofs")).mode & 0o777, 0o444)
      assert.notInclude(steps().join(), "taking")
      assert.deepStrictEqual(asked.map(({ begins }) => begins), [""])
      assert.deepStrictEqual(leftovers(), [])
    })))

  it.effect("begins with the kernel's modules, which a builder without a network makes once", () =>
    run(Effect.gen(function*() {
      yield* buildTo("first.erofs", pull)
      assert.deepStrictEqual(asked.map(({ begins }) => begins), ["", "modules"])
      yield* buildTo("second.erofs", pull)
      assert.deepStrictEqual(asked.map(({ begins }) => begins), ["modules"])
      assert.include(asked[0]!.request, `"result":{"device":"/dev/vdd","hasModules":true}`)
      assert.strictEqual(fs.readdirSync(path.join(folder, "cache/environments/modules")).length, 2)
      assert.deepStrictEqual(leftovers(), [])
    })))

  it.effect("is not taken before its microVM has ended, and not if the builder names more bytes than it has", () =>
    run(Effect.gen(function*() {
      const refusals = [
        [workspaces({}, { endsMicroVm: false }), "StateDirectoryUnusable", "a microVM still has it"],
        [workspaces({ sizeBytes: 1024 * 1024 * mib }), "EnvironmentBuildFailed", "an image of 1099511627776 bytes"],
        [workspaces({ sizeBytes: 0 }), "EnvironmentBuildFailed", "an image of 0 bytes"]
      ] as const
      for (const [service, tag, detail] of refusals) {
        const refused = yield* Effect.flip(buildTo("no.erofs", commit, service))
        assert.strictEqual(refused._tag, tag)
        assert.include(refused.message, detail)
        assert.isFalse(fs.existsSync(path.join(folder, "no.erofs")))
        assert.deepStrictEqual(leftovers(), [])
      }
    })))

  it.effect("whose image comes as a file takes no more bytes than its disk has", () =>
    Effect.gen(function*() {
      for (const sizeBytes of [0, -1, Number.MAX_SAFE_INTEGER]) {
        let taken = 0
        const hostile = workspaces({ sizeBytes })
        const endless = Stream.forever(Stream.sync(() => {
          taken++
          return output("zeros")
        }))
        Object.assign(hostile.workspace.file, { download: () => endless })
        const file = path.join(folder, `hostile-${sizeBytes}`)
        const refused = yield* Effect.flip(buildInMicroVm(hostile, {
          ...common,
          request: { architecture: "amd64", commit: { id: "1", config: {}, workspaceAs: undefined } },
          registries: [],
          secrets: { token: Redacted.make("a-long-value") },
          file
        }))
        assert.include(refused.message, `its builder made an image of ${sizeBytes} bytes`)
        assert.deepStrictEqual([taken, fs.existsSync(file)], [0, false])
      }
    }).pipe(Effect.provideService(Environments, environments), Effect.provideService(Paths, paths)))

  it.effect("whose image comes as a file takes few blocks of the host for zeros, and so do its steps", () =>
    run(Effect.gen(function*() {
      const zeros = Buffer.alloc(16 * mib)
      const sparse = workspaces({ sizeBytes: zeros.length + 1, stepsBytes: zeros.length + 1 })
      const pieces = Stream.make(zeros, Buffer.from("x")).pipe(Stream.map((bytes) => ({ ...output(""), bytes })))
      Object.assign(sparse.workspace.file, { download: () => pieces })
      const [file, steps] = [path.join(folder, "sparse.erofs"), path.join(folder, "sparse.steps")]
      yield* buildInMicroVm(sparse, {
        ...common,
        request: commit,
        secrets: { token: Redacted.make("a-long-value") },
        stepsAfter: { file: steps, mostBytes: 17 * mib, keep: Effect.void },
        file
      })
      for (const one of [file, steps]) {
        const { blocks, size } = fs.statSync(one)
        assert.strictEqual(size, zeros.length + 1)
        assert.isBelow(blocks * 512, mib)
      }
    })))
})
