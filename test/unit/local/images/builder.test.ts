import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as path from "node:path"
import { afterAll } from "vitest"
import type { PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { type Environment, Environments, type Progress } from "../../../../src/environment/Environments.ts"
import { acquireBuilder, buildInMicroVm } from "../../../../src/local/images/builder.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-builder-test-")
afterAll(remove)

const mib = 1024 * 1024
const output = (text: string) => ({ _tag: "Output", from: "stdout", bytes: Buffer.from(text) })

const made = {
  _tag: "Made",
  digest: `sha256:${"0".repeat(64)}`,
  sizeBytes: 6,
  config: { env: [], entrypoint: [], command: [], exposedPorts: [] },
  layers: [],
  packages: "",
  label: ""
}

/** Workspaces whose builder says what it is told to, and gives an image of six bytes. */
const pyro = {
  workspace: {
    create: () =>
      Stream.make(
        { _tag: "Notice", level: "progress", message: "starting the microVM", fraction: 0.5 },
        { _tag: "Ready", workspace: { id: "ws-1" } }
      ),
    delete: () => Effect.void,
    exec: () =>
      Stream.make(
        output(`${JSON.stringify({ _tag: "Progress", step: "unpacking", fraction: 0.1 })}\n`),
        output(`${JSON.stringify(made)}\n`)
      ),
    file: {
      upload: (_: unknown, { stdin }: { readonly stdin: Stream.Stream<Uint8Array> }) =>
        Stream.fromEffectDrain(Stream.runDrain(stdin)),
      download: () => Stream.make(output("imag"), output("e!"))
    }
  }
} as unknown as PyroService

/** An environment `builder` that is built when somebody asks for it. */
const environments = {
  ensure: (_: string, { onProgress }: { readonly onProgress?: (progress: Progress) => void } = {}) =>
    Effect.sync(() => {
      onProgress?.({ step: "installing packages", fraction: 0.5 })
      return {} as Environment
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
    }).pipe(Effect.provideService(Environments, environments)))

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
    }).pipe(Effect.provideService(Environments, environments)))
})
