import { Effect, Exit, Layer, Logger, ManagedRuntime, Schema, Scope, Stream } from "effect"
import { ensureImages } from "../src/building/environments.ts"
import { Pyro } from "../src/contract/rows/Pyro.ts"
import { RunPayload } from "../src/contract/rows/run.ts"
import { diskMib } from "../src/daemon/app/run.ts"
import { services } from "../src/daemon/app/services.ts"
import { layer } from "../src/daemon/layer.ts"
import { SeedImages } from "../src/lib/disk/SeedImages.ts"
import type { GuestChannel } from "../src/lib/guest-channel/GuestChannel.ts"
import { Vmm } from "../src/lib/vm/Vmm.ts"
import { Paths } from "../src/system/files/Paths.ts"
import { acquireWorkspace } from "../src/workspace/life/guest/boot.ts"

/** A running VM of the product with its root mounted. */
export interface ProductVm {
  /** Runs a command to its end and gives the bytes of its stdout. Fails if its status is not 0. */
  readonly exec: (...argv: readonly [string, ...ReadonlyArray<string>]) => Promise<number>
  readonly destroy: () => Promise<void>
}

/** The product as a program uses it: in process, without a daemon. */
export interface Product {
  /** Milliseconds from the call of `run` to the command's end. The VM is gone when this resolves. */
  readonly run: (command: ReadonlyArray<string>) => Promise<number>
  readonly vm: () => Promise<ProductVm>
  /** Makes a seed image of a directory, in a separate cache in `folder`. */
  readonly seed: (tree: string, folder: string) => Promise<void>
  /** Hypervisor of this host. */
  readonly accelerator: () => Promise<string>
  readonly close: () => Promise<void>
}

export const logToStderr = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

const commandEnvironment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/root"]

/** Reads all output, as a collecting caller does. */
const execIn = (channel: GuestChannel, argv: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.scoped(Effect.gen(function*() {
    const process = yield* channel.spawn({ argv, env: commandEnvironment, cwd: "/" })
    let bytes = 0
    yield* process.forEachOutput((piece) => Effect.sync(() => (bytes += piece.bytes.length)))
    const exit = yield* process.exit
    if (exit._tag !== "exited" || exit.code !== 0) throw new Error(`${argv.join(" ")}: ${JSON.stringify(exit)}`)
    return bytes
  }))

const workspace = (environment: string) =>
  Effect.gen(function*() {
    const images = yield* ensureImages(environment, () => {})
    const empty = yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(diskMib))
    const { claim, guest } = yield* acquireWorkspace({
      purpose: "bench",
      images,
      vcpuCount: 1,
      memoryMib,
      seed: empty,
      placeholder: empty,
      hostname: "pyro",
      dieWithParent: true
    })
    // The first process makes the guest this workspace's own, and stays, as a shell would.
    yield* claim({ argv: ["/bin/sleep", "infinity"], env: commandEnvironment, cwd: "/" })
    return guest
  })

/** Default guest memory of `run`, so that rows compare equal sizes. */
export const memoryMib = 1024

export const openProduct = (environment: string): Product => {
  const runtime = ManagedRuntime.make(Layer.merge(layer, services).pipe(Layer.provideMerge(logToStderr)))
  const run: Product["run"] = (command) =>
    runtime.runPromise(Effect.gen(function*() {
      const pyro = yield* Pyro
      const since = performance.now()
      let ended: { readonly ms: number; readonly status: number } | undefined
      const payload = Schema.decodeSync(RunPayload())({ environment, command })
      yield* Stream.runForEach(pyro.run(payload), (event) =>
        Effect.sync(() => {
          if (event._tag === "Exited") ended = { ms: performance.now() - since, status: event.status }
        }))
      if (ended?.status !== 0) throw new Error(`${command.join(" ")}: ${JSON.stringify(ended)}`)
      return ended.ms
    }))
  const vm: Product["vm"] = async () => {
    const scope = Effect.runSync(Scope.make())
    const close = () => runtime.runPromise(Scope.close(scope, Exit.void))
    try {
      const guest = await runtime.runPromise(Scope.provide(workspace(environment), scope))
      return { exec: (...argv) => runtime.runPromise(execIn(guest.channel, argv)), destroy: close }
    } catch (cause) {
      await close()
      throw cause
    }
  }
  const seed: Product["seed"] = (tree, folder) =>
    runtime.runPromise(
      Effect.flatMap(SeedImages, (seeds) => seeds.fromPath({ path: tree, virtualMib: diskMib })).pipe(
        Effect.provide(SeedImages.layer),
        Effect.provideService(Paths, { stateDir: folder, cacheDir: folder, memoryDir: folder }),
        Effect.asVoid
      )
    )
  const accelerator: Product["accelerator"] = () =>
    runtime.runPromise(Effect.gen(function*() {
      const images = yield* ensureImages(environment, () => {})
      const empty = yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(diskMib))
      const { accelerator } = yield* Effect.flatMap(Vmm, (vmm) => vmm.accelerator(images, empty))
      return accelerator
    }))
  return { run, vm, seed, accelerator, close: () => runtime.dispose() }
}
