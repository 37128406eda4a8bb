import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { buildDevContainer } from "../../../src/building/devcontainer/image.ts"
import { buildDockerfile } from "../../../src/building/dockerfile.ts"
import { registryGrants, type RegistryWords } from "../../../src/building/registry/grants.ts"
import { EnvironmentUnknown, InvalidRequest, type PyroError } from "../../../src/contract/errors/errors.ts"
import { BuildPayload } from "../../../src/contract/rows/environment.ts"
import { typedMessage } from "../../../src/contract/rows/next-steps.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { Environments } from "../../../src/lib/environment/Environments.ts"
import { basesOf } from "../../../src/lib/recipe/dockerfile.ts"
import { devContainerAt } from "../../../src/lib/seeding/devcontainer-plan.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"
import type { AskedWorkspace } from "../../../src/workspace/life/verbs/create.ts"
import { writeTree } from "../../support/files/write-tree.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-grants-")
afterAll(remove)

/** What a builder of a Dockerfile gets, or the error's sentence. */
const granted = (text: string, words: Partial<RegistryWords> = {}) =>
  basesOf(text).pipe(
    Effect.flatMap((bases) =>
      registryGrants(bases, { allowHosts: [], ...words, path: "/app/Dockerfile", option: "allow_hosts" })
    ),
    Effect.map(({ allowHosts, loopbackPorts }) => [...allowHosts, ...loopbackPorts]),
    Effect.catch((error) => Effect.succeed(typedMessage(error)))
  )

describe("the registries that a file names", () => {
  it.effect("well-known ones need no word of the person", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* granted("FROM python:3\nCOPY --from=ghcr.io/astral-sh/uv:0.9 /uv /\nCOPY --from=registry.k8s.io/x /x /"),
        ["docker-hub", "ghcr", "registry.k8s.io:443"]
      )
    }))

  it.effect("every other one is refused before the build, with its line and the option", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* granted("FROM a\nCOPY --from=evil.example/x /x /"),
        "/app/Dockerfile:2 names the registry evil.example: not a well-known registry, and the programs of the build could send it files of the project. Allow it if you trust it: --allow-host evil.example"
      )
      for (const image of ["docker.io:22/x/y", "ghcr.io.evil.example/x", "xdocker.io/x"]) {
        assert.include(yield* granted(`FROM ${image}`), "Allow it if you trust it: --allow-host")
      }
    }))

  it.effect("every form of this host and of addresses is refused without a word about it", () =>
    Effect.gen(function*() {
      const refused = (image: string) => Effect.map(granted(`FROM ${image}/x`, { allowHosts: ["*"] }), String)
      for (
        const host of [
          "localhost:443",
          "LOCALHOST:22",
          "127.0.0.1:22",
          "host.pyro.internal:22",
          "Host.Pyro.Internal:22"
        ]
      ) {
        assert.match(yield* refused(host), /a service of this computer.* --allow-host localhost:(443|22)$/)
      }
      for (const host of ["127.0.0.2:22", "x.localhost:22"]) {
        assert.match(yield* refused(host), /a service of this computer.*Name it as localhost:PORT/)
      }
      for (const host of ["10.0.0.1", "169.254.169.254:80", "192.168.1.1:5000", "0x7f.1", "2130706433:22", "8.8.8.8"]) {
        assert.match(yield* refused(host), /an address, and a build reaches registries by their names/)
      }
    }))

  it.effect("the person's word opens the one that it names, and no other port", () =>
    Effect.gen(function*() {
      const local = (word: string) => granted("FROM localhost:5000/x", { allowHosts: [word, "npm"] })
      for (const word of ["localhost:5000", "127.0.0.1:5000", "host.pyro.internal:5000"]) {
        assert.deepStrictEqual(yield* local(word), ["host.pyro.internal:5000", "npm", 5000])
      }
      assert.include(yield* local("localhost:5001"), "--allow-host localhost:5000")
      const other = (words: Partial<RegistryWords>) => granted("FROM registry.example:5000/x", words)
      for (
        const words of [
          { allowHosts: ["registry.example"] },
          { allowHosts: ["*.registry.example", "registry.example:5000"] },
          { allowHosts: ["*"] },
          { allowRegistries: ["registry.example:5000"] },
          { registryAuth: { "registry.example:5000": "" } },
          { mirrored: ["registry.example:5000"] }
        ]
      ) assert.include(yield* other(words), "registry.example:5000")
      for (const words of [{ allowHosts: ["registry.example:443"] }, { mirrored: ["registry.example"] }]) {
        assert.include(yield* other(words), "Allow it if you trust it: --allow-host registry.example:5000")
      }
    }))
})

/** Asks of builders. None of them starts. */
const asked: Array<AskedWorkspace> = []
const stopped = new InvalidRequest({ field: "", detail: "the builder was asked for" })
const pyro = {
  workspace: { create: (payload: AskedWorkspace) => (asked.push(payload), Stream.fail(stopped)) }
} as unknown as PyroService

/** Environments of this host: pulled images, the last one by an older pyro. */
const image = path.join(folder, "image.erofs")
const pulledImages = [
  ["docker.io/library/here:1", "ready", {}],
  ["private.example/here:1", "ready", {}],
  ["quay.io/here/labels:1", "ready", { labelsLeftOut: 1 }],
  ["quay.io/here/old:1", "outdated", {}]
].map(([name, state, further]) => {
  const config = { env: [], entrypoint: [], command: [], exposedPorts: [], ...further as object }
  return { name, state, oci: { config }, environment: { name, digest: "d", imagePath: image, oci: { config } } }
})

const environments = {
  list: Effect.succeed(pulledImages),
  inspect: (name: string) =>
    /^mine$|^debian:12$/.test(name)
      ? Effect.succeed({ name, packages: [] })
      : Effect.fail(new EnvironmentUnknown({ environment: name, known: ["debian:12", "mine"], similar: [] })),
  ensure: (name: string) => Effect.succeed({ name, digest: `of ${name}`, imagePath: image }),
  keepImage: (_: string, make: (file: string) => Effect.Effect<unknown, PyroError>) => make(path.join(folder, "root"))
} as unknown as Environments["Service"]

/** The policy of the builder that a build asked for, or the error. */
const policyOf = <E extends { readonly message: string }>(
  build: Effect.Effect<unknown, E, Environments | Paths>
) =>
  build.pipe(
    Effect.andThen(Effect.die("no builder was asked for")),
    Effect.catch((error: E) =>
      Effect.succeed(error === stopped as unknown ? asked.pop()?.allowHosts : typedMessage(error as never))
    ),
    Effect.provideService(Environments, environments),
    // With QEMU, another builder would make the kernel's modules first.
    Effect.provideService(ProcessVariables, { PYRO_DRIVER: "firecracker" }),
    Effect.provideService(Paths, { stateDir: folder, cacheDir: path.join(folder, "cache"), memoryDir: folder })
  )

const project = (files: Readonly<Record<string, string>>) => writeTree(path.join(folder, crypto.randomUUID()), files)

const builtFrom = (text: string, fields: Readonly<Record<string, unknown>> = {}) => {
  const dockerfile = project({ Dockerfile: text })
  const payload = Schema.decodeUnknownSync(BuildPayload())({ name: "app", dockerfile, no_cache: true, ...fields })
  return policyOf(buildDockerfile(pyro, { ...payload, name: "app", dockerfile }, () => {}))
}

const madeOf = (files: Readonly<Record<string, string>>, allowRegistries: ReadonlyArray<string> = []) =>
  policyOf(Effect.flatMap(devContainerAt(project(files), {}), (known) =>
    buildDevContainer(pyro, known, {
      name: "app",
      buildArgs: {},
      allowHosts: [],
      allowRegistries,
      option: "allow_registries",
      replace: false
    }, () => {})))

describe("bases that this host has", () => {
  const allowed = (text: string, ...words: ReadonlyArray<string>) =>
    Effect.map(builtFrom(text, { allow_hosts: words }), (policy) => `${policy ?? "no network"}`)

  it.effect("a pulled image needs no network, and the same word as its registry", () =>
    Effect.gen(function*() {
      fs.writeFileSync(image, "")
      assert.strictEqual(yield* allowed("FROM here:1\nCOPY --from=docker.io/here:1 / /"), "no network")
      assert.strictEqual(yield* allowed("FROM here:2"), "docker-hub")
      assert.match(yield* allowed("FROM private.example/here:1"), /names the registry private.example: /)
      // The word is a host that the programs of the build may reach.
      assert.strictEqual(yield* allowed("FROM private.example/here:1", "private.example"), "private.example")
      for (const name of ["labels", "old"]) assert.strictEqual(yield* allowed(`FROM quay.io/here/${name}:1`), "quay")
      assert.deepStrictEqual(yield* builtFrom("FROM here:1", { pull: true }), ["docker-hub"])
    }))

  it.effect("an environment of this host needs the person's word, unless it is pyro's own", () =>
    Effect.gen(function*() {
      fs.writeFileSync(image, "")
      assert.strictEqual(yield* allowed("FROM localhost/debian:12"), "no network")
      assert.match(
        yield* allowed("FROM a\nCOPY --from=localhost/mine / /", "*"),
        /Dockerfile:2 names localhost\/mine: an environment of this host, whose files the programs of the build could then read. Allow it if you trust it: --allow-host localhost\/mine$/
      )
      assert.strictEqual(yield* allowed("FROM localhost/mine", "localhost/mine"), "no network")
      assert.strictEqual(yield* allowed("FROM localhost/mine", "localhost/mine", "npm"), "npm")
    }))

  it.effect("an environment that this host does not have is named as absent, and nobody is asked for a word", () =>
    Effect.gen(function*() {
      const absent = (place: string, name: string) =>
        `${place} names localhost/${name}, and this host has no such environment. Known environments: debian:12, mine. Let the file name a known one with localhost/ before it, or another image`
      for (const [written, name = written] of [["nosuch"], ["../x"], ["a b", "a"], ["e\u202e", "e\\u202e"]] as const) {
        const said = yield* allowed(`FROM a\nCOPY --from=localhost/${written} / /`)
        assert.isTrue(said.endsWith(absent("/Dockerfile:2", name)), said)
      }
      const files = {
        ".devcontainer.json": JSON.stringify({ build: { dockerfile: "own" } }),
        own: "FROM a\nFROM localhost/nosuch"
      }
      assert.isTrue(String(yield* madeOf(files)).endsWith(absent("/own:2", "nosuch")))
      assert.match(
        String(yield* madeOf({ ...files, own: "FROM a\nFROM localhost/mine" })),
        /\/own:2 names localhost\/mine: /
      )
      const image = { ".devcontainer.json": JSON.stringify({ image: "localhost/nosuch" }) }
      assert.isTrue(String(yield* madeOf(image)).endsWith(absent("/.devcontainer.json", "nosuch")))
    }))
})

describe("the network policy of a builder", () => {
  it.effect("text of a Dockerfile that is no FROM grants nothing", () =>
    Effect.gen(function*() {
      const hostile = "FROM docker.io/library/a\nRUN exec 3<>/dev/tcp/host.pyro.internal/22 \\\n  # localhost\n\n"
      assert.deepStrictEqual(yield* builtFrom(`${hostile}FROM localhost:22/x\n`), ["docker-hub"])
      assert.deepStrictEqual(yield* builtFrom("FROM a\nRUN <<EOF\nFROM host.pyro.internal:22/x\nEOF\n"), ["docker-hub"])
    }))

  it.effect("a Dockerfile gets the registries of its images, with the person's word and values", () =>
    Effect.gen(function*() {
      const text = "ARG TAG=1\nARG HOST=localhost:5000\nFROM $HOST/x:$TAG"
      assert.match(`${yield* builtFrom(text)}`, /Dockerfile:3 names the registry localhost:5000/)
      assert.deepStrictEqual(yield* builtFrom(text, { allow_hosts: ["localhost:5000"] }), ["host.pyro.internal:5000"])
      assert.deepStrictEqual(yield* builtFrom(text, { build_args: { HOST: "quay.io" } }), ["quay"])
    }))

  it.effect("a dev container gets neither its image's nor its features' registries without a word", () =>
    Effect.gen(function*() {
      const file = (content: object) => ({ ".devcontainer/devcontainer.json": JSON.stringify(content) })
      const refused = (registry: string) => `devcontainer.json names the registry ${registry}: `
      const feature = { image: "a", features: { "evil.example/x:1": {} } }
      assert.include(yield* madeOf(file({ image: "host.pyro.internal:22/x" })), refused("host.pyro.internal:22"))
      assert.include(yield* madeOf(file(feature)), refused("evil.example"))
      assert.include(yield* madeOf(file(feature)), "--allow-registry evil.example")
      assert.deepStrictEqual(yield* madeOf(file(feature), ["evil.example"]), ["docker-hub", "evil.example:443"])
      const local = {
        ...file({ image: "a", features: { "./own": {} } }),
        ".devcontainer/own/devcontainer-feature.json": JSON.stringify({ dependsOn: { "evil.example/y:1": {} } }),
        ".devcontainer/own/install.sh": ""
      }
      assert.include(yield* madeOf(local), refused("evil.example"))
      const built = {
        ...file({
          build: { dockerfile: "Dockerfile", args: { R: "evil.example" } },
          features: { "ghcr.io/x/y:1": {} }
        }),
        ".devcontainer/Dockerfile": "ARG R=quay.io\nFROM $R/x\nRUN true \\"
      }
      assert.include(yield* madeOf(built), "/.devcontainer/Dockerfile:2 names the registry evil.example: ")
    }))

  it.effect("localhost/NAME as the image of a dev container is an environment of this host, and needs the same word", () =>
    Effect.gen(function*() {
      for (const features of [{}, { "ghcr.io/devcontainers/features/git:1": {} }]) {
        const files = { ".devcontainer.json": JSON.stringify({ image: "localhost/mine", features }) }
        assert.match(
          String(yield* madeOf(files)),
          /devcontainer\.json names localhost\/mine: an environment of this host.*: --allow-registry localhost\/mine$/
        )
        const opened = yield* madeOf(files, ["localhost/mine"])
        assert.notInclude(String(opened), "localhost")
      }
    }))

  it.effect("no other property of a devcontainer.json changes it", () =>
    Effect.gen(function*() {
      const content = {
        image: "a",
        mounts: ["source=/,target=/host,type=bind"],
        runArgs: ["--network=host", "--privileged"],
        forwardPorts: [22, "localhost:22"],
        appPort: 22,
        build: { args: { R: "evil.example" }, cacheFrom: "evil.example/x", options: ["--network=host"] },
        containerEnv: { https_proxy: "http://evil.example" },
        initializeCommand: "curl evil.example",
        secrets: { TOKEN: {} }
      }
      assert.deepStrictEqual(yield* madeOf({ ".devcontainer.json": JSON.stringify(content) }), ["docker-hub"])
    }))
})
