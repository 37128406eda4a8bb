import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"

type Versions = Readonly<Record<string, string>>
interface Manifest {
  readonly private?: boolean
  readonly workspaces?: ReadonlyArray<string>
  readonly dependencies?: Versions
  readonly devDependencies: Versions
}

const root = resolve(import.meta.dirname, "../../..")
const manifestOf = (...names: ReadonlyArray<string>) =>
  JSON.parse(readFileSync(join(root, ...names, "package.json"), "utf8")) as Manifest
const packagesOf = ({ dependencies = {}, devDependencies }: Manifest) => ({ ...dependencies, ...devDependencies })

describe("the page's package", () => {
  const page = manifestOf("apps/web")
  const pyro = manifestOf()

  it("is a workspace of pyro that is never published", () => {
    assert.deepStrictEqual(pyro.workspaces, ["apps/*"])
    assert.deepStrictEqual(readdirSync(join(root, "apps")), ["web"])
    assert.isTrue(page.private)
  })

  it("pins exact versions, and shares with pyro only packages of the same version", () => {
    const shared = Object.entries(packagesOf(page)).filter(([name]) => name in packagesOf(pyro))
    for (const version of Object.values(packagesOf(page))) assert.match(version, /^\d+\.\d+\.\d+$/)
    assert.sameMembers(shared.map(([name]) => name), ["@types/node", "effect"])
    for (const [name, version] of shared) assert.strictEqual(version, pyro.devDependencies[name], name)
  })
})
