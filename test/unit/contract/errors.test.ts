import { Schema, type SchemaAST } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import {
  ChannelFailed,
  CommandNotFound,
  ConfinementUnavailable,
  EnvironmentBuildFailed,
  HostToolUnsuitable,
  ImageDamaged,
  InvalidRequest,
  memoryStore,
  NoSpace,
  PortInUse,
  PyroError,
  SeedRejected,
  VmFailed,
  WORKSPACE_DISK,
  WorkspaceNotReady
} from "../../../src/contract/errors/errors.ts"
import { exitStatus } from "../../../src/contract/errors/exit-status.ts"
import { typedMessage, withWorkspace } from "../../../src/contract/rows/next-steps.ts"
import { snakeCase } from "../../../src/contract/text/snake.ts"

/** A value of a field's type, different for every field. */
const sampleOf = (name: string, ast: SchemaAST.AST): unknown => {
  switch (ast._tag) {
    case "Number":
      return 4711
    case "Arrays":
      return ast.rest.map((type) => sampleOf(name, type))
    case "Objects":
      return Object.fromEntries(
        ast.propertySignatures.map((field) => [field.name, sampleOf(`${name}-${String(field.name)}`, field.type)])
      )
    case "Union":
      return sampleOf(name, ast.types[0]!)
    case "Literal":
      return ast.literal
    default:
      return `sample-${name}`
  }
}

/** One value of every class of the family. */
const samples = PyroError.members.map(({ to }) => {
  const make = to as unknown as {
    new(fields: object): PyroError
    readonly fields: Schema.Struct.Fields
  }
  const { _tag, next: _next, ...fields } = make.fields
  const sample = Object.entries(fields).map(([name, { ast }]) => [name, sampleOf(name, ast)])
  return new make(Object.fromEntries(sample))
})

/** Texts and numbers of a value, wherever in it. */
const leaves = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [String(value)]

/** Fields for programs, which `detail` tells people in words. The steps have a test of their own. */
const IN_WORDS = [
  // `detail` has it.
  "ServiceFailed.ready_timeout_seconds",
  "DaemonUnavailable.closed",
  "FileRefused.reason",
  "ImagePullFailed.reason",
  "HostToolMissing.package",
  "RegistryNotAllowed.reason",
  "EditRejected.matches",
  "EditRejected.lines"
]

describe("the error family", () => {
  it.each(samples.map((error) => [error._tag, error] as const))(
    "the error %s has the code of its tag",
    (tag, error) => {
      assert.strictEqual(error.code, snakeCase(tag))
    }
  )

  it.each(samples.map((error) => [error._tag, error] as const))(
    "the message of %s contains every field",
    (_, error) => {
      for (const [name, value] of Object.entries(Schema.encodeSync(PyroError)(error))) {
        if (name === "_tag" || name === "next" || IN_WORDS.includes(`${error._tag}.${name}`)) continue
        for (const leaf of leaves(value)) assert.include(error.message, leaf, `${name} is missing`)
      }
    }
  )

  it.each(samples.map((error) => [error._tag, error] as const))(
    "the error %s survives JSON with snake_case names",
    (_, error) => {
      const json = JSON.parse(JSON.stringify(Schema.encodeSync(PyroError)(error)))
      for (const name of Object.keys(json)) assert.match(name, /^_tag$|^[a-z]+(_[a-z]+)*$/)
      const back = Schema.decodeUnknownSync(PyroError)(json)
      assert.strictEqual(back.constructor, error.constructor)
      assert.strictEqual(back.message, error.message)
    }
  )

  it("the error codes are those of the documented contract", () => {
    const page = fs.readFileSync(path.resolve(import.meta.dirname, "../../../docs/public-contract.md"), "utf8")
    const [, table] = page.split("\n## Errors\n")
    const documented = [...table!.matchAll(/^\| (`[a-z_`, ]+`) \|.*\| \d+ \| \d+ \|$/gm)]
      .flatMap(([, codes]) => codes!.replaceAll("`", "").split(", "))
    const silent = new ChannelFailed({ detail: "", reason: "silent" })
    assert.sameMembers([...samples, silent].map((error) => error.code), documented)
  })

  it("all error codes are distinct", () => {
    assert.strictEqual(new Set(samples.map((error) => error.code)).size, samples.length)
  })

  it.each(samples.map((error) => [error._tag, error] as const))(
    "the fact of %s names no command of pyro",
    (_, error) => {
      assert.notMatch(error.fact, /\bpyro (workspace|env|daemon|doctor|gc)\b|--[a-z]/)
      for (const [name, value] of Object.entries(Schema.encodeSync(PyroError)(error))) {
        if (name === "_tag" || name === "next" || IN_WORDS.includes(`${error._tag}.${name}`)) continue
        for (const leaf of leaves(value)) assert.include(error.fact, leaf, `${name} is missing`)
      }
    }
  )

  it("error messages name the next command", () => {
    assert.strictEqual(
      typedMessage(new NoSpace({ where: "cache", path: "/c", neededMib: 3, availableMib: 1 })),
      "no space in the cache at /c: 3 MiB needed, 1 MiB free. Free some space: pyro gc"
    )
    const ended = new VmFailed({
      step: "reset",
      detail: "the workspace's microVM was ended by a reset",
      consoleTail: ""
    })
    assert.strictEqual(ended.message, "the workspace's microVM was ended by a reset. Its commands ended with it")
    assert.match(
      typedMessage(new SeedRejected({ path: "https://x/y", detail: "no such ref" })),
      /\. Check the URL and the ref/
    )
    assert.match(
      typedMessage(new SeedRejected({ path: "/x", detail: "none" })),
      /\. Name a readable directory, or a tar, zip or 7z archive$/
    )
    // gc frees no memory of running VMs.
    assert.match(
      typedMessage(new NoSpace({ where: memoryStore, path: "/m", neededMib: 3, availableMib: 1 })),
      /\. Stop or delete workspaces\. List them: pyro list\. Or create with less memory: --mem-mib/
    )
    // gc frees no space on a workspace's disk.
    assert.match(
      typedMessage(new NoSpace({ where: WORKSPACE_DISK, path: "/seed", neededMib: 3, availableMib: 1 })),
      /\. Copy less\. Or create a workspace with a larger disk: --disk-mib$/
    )
    const state = { workspace: "ws-0000000000", detail: "nothing runs in it" }
    assert.match(
      typedMessage(new WorkspaceNotReady({ ...state, state: "stopped" })),
      /\. Start it: pyro start ws-0000000000$/
    )
  })
})

describe("what an error says to do next", () => {
  it("a missing build tool names the environments that have it", () => {
    assert.match(typedMessage(new CommandNotFound({ command: "make" })), /debian:12-build/)
    assert.match(
      typedMessage(withWorkspace(new CommandNotFound({ command: "/bin/sh" }), "fix")),
      /^the guest has no shell .* Nothing ran\. Run a program .* by its path.*\. If a command removed the shell, undo it: pyro rewind fix$/
    )
    assert.match(typedMessage(new CommandNotFound({ command: "docker" })), /debian:13-docker/)
    assert.notMatch(typedMessage(new CommandNotFound({ command: "mkae" })), /debian:12-build/)
    assert.match(
      typedMessage(new CommandNotFound({ command: "npm test" })),
      /Give its words separately\. Or give it as a script: --script 'npm test'$/
    )
  })

  it("an unknown package does not suggest another attempt", () => {
    const failed = (detail: string) =>
      typedMessage(new EnvironmentBuildFailed({ environment: "own", step: "bootstrap", detail }))
    assert.match(failed("could not fetch the package lists"), /Try again/)
    assert.notMatch(failed("E: Unable to locate package no-such"), /Try again/)
  })
})

describe("exit statuses", () => {
  it("exit statuses distinguish pyro's failures from the guest's", () => {
    const damaged = new ImageDamaged({ path: "/x", detail: "short" })
    assert.deepStrictEqual([exitStatus(damaged, "guest"), exitStatus(damaged, "own")], [125, 1])
  })

  it("the exit status is 2 for an invalid request and 127 for a missing command", () => {
    assert.strictEqual(exitStatus(new InvalidRequest({ field: "", detail: "" }), "guest"), 2)
    assert.strictEqual(exitStatus(new CommandNotFound({ command: "x" }), "guest"), 127)
  })

  it("no failure has exit status 0 or above 127", () => {
    for (const error of samples) {
      for (const family of ["guest", "own"] as const) {
        const status = exitStatus(error, family)
        assert.isTrue(status >= 1 && status <= 127, `${error._tag}: ${status}`)
      }
    }
  })

  it("only a microVM that does not begin sends people to pyro doctor, and says what to do before", () => {
    const failed = (step: string) =>
      typedMessage(withWorkspace(new VmFailed({ step, detail: "why", consoleTail: "" }), "fix"))
    for (const step of ["attach", "exec", "run", "service"]) {
      assert.strictEqual(
        failed(step),
        `the microVM failed (${step}): why. Run it again. Start a failed workspace first: pyro start fix`
      )
    }
    for (const step of ["archive", "inspect", "map disk", "merge layers"]) {
      assert.include(failed(step), "why. Ask again. If it fails again, the daemon's log has more: pyro daemon logs")
    }
    for (const step of ["start", "hello", "claim", "memory"]) {
      assert.include(failed(step), "why. Try again. If it fails again, check the host: pyro doctor")
    }
  })

  it.each([[8080, "8081:80"], [65_535, "65534:80"]])(
    "a taken port %i leads to a port that exists",
    (hostPort, other) => {
      assert.include(
        typedMessage(new PortInUse({ hostPort, guestPort: 80 })),
        `Choose another port: --publish ${other}. `
      )
    }
  )

  it("an error about the host names its own remedy", () => {
    const unsuitable = new HostToolUnsuitable({ tool: "QEMU", found: "6.0", needed: "7.2.0 or newer" })
    assert.match(
      typedMessage(unsuitable),
      /needs 7\.2\.0 or newer\. Install a newer one\. Or name another program: export PYRO_QEMU=/
    )
    const unconfined = new ConfinementUnavailable({ level: "seccomp", detail: "no namespaces" })
    assert.match(
      typedMessage(unconfined),
      /"seccomp": no namespaces\. Change that, or ask for no more: --require-confinement seccomp$/
    )
  })
})

it.each(samples)("%s is an Error by its own name, which no field hides", (error) => {
  assert.deepStrictEqual([error.name, error instanceof Error], [error._tag, true])
})
