import { Effect, Schema, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import { BuildPayload, PullPayload } from "../../src/contract/rows/environment.ts"
import { BUILDER } from "../../src/lib/environment/model/catalogue.ts"
import { imageOf, type TestImage } from "../../test/support/oci/image.ts"
import { startRegistry } from "../../test/support/oci/registry.ts"
import { tarOf } from "../../test/support/oci/tar.ts"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"
import { hostAddress } from "./network.ts"
import { used } from "./saved.ts"

const LAYERS = 3
const LAYER_BYTES = 70_000_000

/** Files of this host's programs and libraries, as images have them: `LAYER_BYTES` for each layer. */
const contents = () => {
  const layers: Array<Array<{ name: string; data: Buffer }>> = [[]]
  let left = LAYER_BYTES
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile() && statSync(path).size <= 30_000_000 && layers.length <= LAYERS) {
        const data = readFileSync(path)
        layers.at(-1)!.push({ name: path.slice(1), data })
        left -= data.length
        if (left > 0) continue
        layers.push([])
        left = LAYER_BYTES
      }
    }
  }
  walk("/usr")
  if (layers.length <= LAYERS) throw new Error(`/usr has less than ${LAYERS * LAYER_BYTES} bytes of files`)
  return layers.slice(0, LAYERS).map((entries) => {
    const tar = tarOf(entries)
    return { tar, packed: zlib.gzipSync(tar) }
  })
}

/** A program without libraries that ends at once. */
const trueIn = (folder: string) => {
  const file = join(folder, "true")
  execFileSync("gcc", ["-static", "-O2", "-xc", "-", "-o", file], { input: "int main(void) { return 0; }" })
  return readFileSync(file)
}

/** Makes images of three layers that no cache has: a file of random bytes begins each layer, as a gzip member of its own. */
const images = (folder: string) => {
  const layers = contents()
  const program = { name: "true", data: trueIn(folder) }
  return (): TestImage => {
    const first = tarOf([program, { name: "first", data: randomBytes(32) }], Buffer.alloc(0))
    return imageOf(layers.map(({ tar }) => Buffer.concat([first, tar])), { Cmd: ["/true"] }, {
      packed: layers.map(({ packed }) => Buffer.concat([zlib.gzipSync(first), packed]))
    })
  }
}

const pull = (daemon: Daemon, environment: string) =>
  daemon.call((pyro) =>
    Effect.gen(function*() {
      const payload = yield* Effect.orDie(PullPayload().makeEffect({ environment, force: false }))
      yield* Stream.runDrain(pyro.env.pull(payload))
    })
  )

const deleteImage = (daemon: Daemon, environment: string) =>
  daemon.call((pyro) => Effect.asVoid(pyro.env.rm({ environments: [environment] })))

/** Fetches blobs of the host in the guest, decompresses them, and writes them to the guest's disk. */
const fetchScript = (address: string, digests: ReadonlyArray<string>) => `
import subprocess, urllib.request, os
for number, digest in enumerate(${JSON.stringify(digests)}):
    with open(f"/var/tmp/{number}", "wb") as file, urllib.request.urlopen(f"http://${address}/v2/bench/blobs/{digest}") as blob:
        child = subprocess.Popen(["gzip", "-dc"], stdin=subprocess.PIPE, stdout=file)
        while piece := blob.read(1 << 20):
            child.stdin.write(piece)
        child.stdin.close()
        assert child.wait() == 0
        os.fsync(file.fileno())
`

const layersOf = (image: TestImage): ReadonlyArray<{ readonly digest: string; readonly size: number }> =>
  JSON.parse(image.manifest.toString()).layers

export const pullImage: Plan = {
  name: "pull",
  unit: "ms",
  about: "pull of an image of 200 MiB in three layers, from a registry of this host, to a finished environment; " +
    "floor: a microVM that fetches the same layers, decompresses them, and writes them to its disk",
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: (runs) => Math.min(runs, 2),
  warmups: 1,
  floor: async ({ daemon, room }) => {
    const image = images(room.disk)()
    const registry = await startRegistry({ "bench:1": image }, undefined, hostAddress())
    const workspace = await daemon.create({
      environment: BUILDER,
      memory_mib: 1024,
      disk_mib: 8192,
      allow_ips: [registry.host]
    })
    const script = fetchScript(registry.host, layersOf(image).map(({ digest }) => digest))
    return side(() => timed(() => daemon.output(workspace, "python3", "-c", script)), async () => {
      await daemon.remove(workspace)
      await registry.close()
    })
  },
  ours: async ({ daemon, room }) => {
    const next = images(room.disk)
    return side(async () => {
      const image = next()
      const registry = await startRegistry({ "bench:1": image })
      const name = `${registry.host}/bench:1`
      const ms = await timed(() => pull(daemon, name))
      const fetched = registry.requests.filter((request) => request.startsWith("GET") && request.includes("/blobs/"))
      await registry.close()
      await deleteImage(daemon, name)
      // The configuration and each layer, once.
      if (fetched.length !== 1 + LAYERS) throw new Error(`the registry sent ${fetched.length} blobs`)
      return ms
    })
  }
}

/** Builds the Dockerfile of a directory, each time under a new name and without the steps of an earlier build. */
const build = (daemon: Daemon, name: string, dockerfile: string, host: string) =>
  daemon.call((pyro) => {
    const asked = { name, dockerfile, allow_hosts: [host], no_cache: true }
    return Stream.runDrain(pyro.env.build(Schema.decodeSync(BuildPayload())(asked)))
  })

export const buildImage: Plan = {
  name: "build",
  unit: "ms",
  about:
    "build of a Dockerfile of two lines, FROM a pulled image of 200 MiB and RUN of a program, to a finished environment; " +
    "floor: none",
  budget: { kind: "absolute", atMost: 30_000 },
  rounds: (runs) => Math.min(runs, 2),
  warmups: 1,
  ours: async ({ daemon, room }) => {
    const registry = await startRegistry({ "bench:1": images(room.disk)() })
    const base = `${registry.host}/bench:1`
    await pull(daemon, base)
    const context = mkdtempSync(join(room.disk, "build-"))
    writeFileSync(join(context, "Dockerfile"), `FROM ${base}\nRUN ["/true"]\n`)
    let made = 0
    return side(async () => {
      const name = `bench-build:${++made}`
      const ms = await timed(() => build(daemon, name, context, registry.host))
      await deleteImage(daemon, name)
      return ms
    }, async () => {
      await deleteImage(daemon, base)
      await registry.close()
    })
  }
}

/** A create of an environment, and a program of it as the first command. */
const created = (daemon: Daemon, environment: string, program: string) => () =>
  used(daemon, () => daemon.create({ environment }), [program])

export const createImage: Plan = {
  name: "create-image",
  unit: "ms",
  about: "create of a workspace from a pulled image of 200 MiB and its first command, pool empty; " +
    "floor: the same from debian:12",
  budget: { kind: "ratio", atMost: 1.2 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ bareDaemon, environment }: Bench) => side(created(bareDaemon, environment, "/bin/true")),
  ours: async ({ bareDaemon, room }) => {
    const registry = await startRegistry({ "bench:1": images(room.disk)() })
    const name = `${registry.host}/bench:1`
    await pull(bareDaemon, name)
    await registry.close()
    return side(created(bareDaemon, name, "/true"), () => deleteImage(bareDaemon, name))
  }
}
