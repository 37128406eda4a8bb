import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"

type Versions = Readonly<Record<string, string>>
interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly peerDependencies: Versions
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>
  readonly devDependencies: Versions
}

const root = resolve(import.meta.dirname, "../../..")
const textOf = (...names: ReadonlyArray<string>) => readFileSync(join(root, ...names), "utf8")
const manifestOf = (...names: ReadonlyArray<string>) => JSON.parse(textOf(...names, "package.json")) as Manifest

const adapters = readdirSync(join(root, "adapters"), { withFileTypes: true })
  .flatMap((one) => one.isDirectory() && !["node_modules", "shared"].includes(one.name) ? [one.name] : [])
  .map((name) => ({ name, manifest: manifestOf("adapters", name) }))

/** Packages that values of pyro's own modules are made of. */
const OWN = ["@effect/platform-node", "@modelcontextprotocol/server", "effect"]

/** The package of an import: `@mastra/core` of `@mastra/core/workspace`. */
const packageOf = (specifier: string) => specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")

describe("the adapters' packages", () => {
  it("each is a workspace of the adapters' lock file, which names no registry", () => {
    const { packages } = JSON.parse(textOf("adapters/package-lock.json")) as {
      readonly packages: Readonly<
        Record<string, Partial<Manifest> & { readonly link?: boolean; readonly resolved?: string }>
      >
    }
    for (const { manifest, name } of adapters) {
      assert.strictEqual(manifest.name, `@pyro/${name}`)
      assert.isTrue(manifest.private, name)
      assert.deepStrictEqual(packages[name]?.devDependencies, manifest.devDependencies, name)
      assert.deepStrictEqual(packages[name]?.peerDependencies, manifest.peerDependencies, name)
    }
    const fetched = Object.values(packages).filter(({ link, resolved }) => link !== true && resolved !== undefined)
    assert.deepStrictEqual(fetched, [])
  })

  it("each names what it imports, and is tested with the first version of its range", () => {
    for (const { manifest, name } of adapters) {
      const imported = readdirSync(join(root, "adapters", name)).filter((file) => file.endsWith(".ts"))
        .flatMap((file) => [...textOf("adapters", name, file).matchAll(/ from "([^".][^"]*)"/g)])
        .flatMap(([, specifier]) => /^(node:|pyro\/)/.test(specifier!) ? [] : [packageOf(specifier!)])
      assert.sameMembers([...new Set(imported)], Object.keys(manifest.peerDependencies), name)
      for (const [peer, range] of Object.entries(manifest.peerDependencies)) {
        assert.strictEqual(range.split(" ")[0]!.replace(/^(\^|>=)/, ""), manifest.devDependencies[peer], peer)
      }
      for (const version of Object.values(manifest.devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/)
    }
  })

  it("each page names the tested release, and installs one of its line", () => {
    for (const { manifest, name } of adapters) {
      const page = textOf("docs/adapters", `${name}.md`)
      const lines = page.match(/^npm install .*$/gm)!.join("\n")
      for (const peer of Object.keys(manifest.peerDependencies)) {
        const line = new RegExp(` ${peer}@([\\d.]+) `).exec(lines)?.[1]
        assert.isDefined(line, `${name}.md says which release of ${peer}`)
        assert.isTrue(`${manifest.devDependencies[peer]}.`.startsWith(`${line}.`), `${peer}@${line}`)
        assert.include(page, ` ${manifest.devDependencies[peer]}`, `${name}.md: Tested with`)
      }
    }
  })

  it("pyro's package exports what the adapters do, and lets every other package be absent or of any version", () => {
    const own = manifestOf()
    const exported = Object.entries(own.exports).filter(([, one]) =>
      typeof one === "object" && one.default.startsWith("./dist/lib/adapters/")
    )
    const expected = adapters.flatMap(({ manifest, name }) =>
      Object.entries(manifest.exports).map(([entry, file]) => {
        const built = `./dist/lib/adapters/${name}/${(file as string).slice(2, -3)}`
        return [`./${name}${entry.slice(1)}`, { types: `${built}.d.ts`, default: `${built}.js` }]
      })
    )
    assert.deepStrictEqual(Object.fromEntries(exported), Object.fromEntries(expected))

    // Strict package managers hide a package from one that does not name it. A range would keep pyro out of a project that has another
    // release of a framework or of Effect, also where the project never imports what needs the package.
    const frameworks = adapters.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies))
    assert.sameMembers(Object.keys(own.peerDependencies), [...OWN, ...frameworks])
    for (const [peer, range] of Object.entries(own.peerDependencies)) {
      assert.strictEqual(range, "*", peer)
      assert.isTrue(own.peerDependenciesMeta?.[peer]?.optional, peer)
    }
  })

  it("docs/sdk.md names the releases that pyro's own modules are tested with", () => {
    const page = textOf("docs/sdk.md")
    for (const name of OWN) assert.include(page, `${name}@${manifestOf().devDependencies[name]}`)
  })
})
