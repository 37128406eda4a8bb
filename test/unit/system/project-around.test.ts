import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { projectDirectories } from "../../../src/sdk/project-directories.ts"
import { mayHaveProjectFile, projectAround } from "../../../src/system/files/host-path.ts"

describe("the project around a directory", () => {
  let folder: string
  const inside = (...names: ReadonlyArray<string>) => {
    const directory = path.join(folder, ...names)
    fs.mkdirSync(directory, { recursive: true })
    return directory
  }
  beforeEach(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "pyro-around-")))
    vi.stubEnv("HOME", inside("home"))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    fs.rmSync(folder, { recursive: true })
  })

  it("is the git work tree, else the directory", () => {
    const plain = inside("home", "plain", "deep")
    assert.strictEqual(projectAround(plain), plain)
    inside("home", "tree", ".git")
    assert.strictEqual(projectAround(inside("home", "tree", "deep")), inside("home", "tree"))
  })

  it("is never a home directory, /, or what contains a home directory", () => {
    for (const directory of [inside("home"), folder, "/"]) assert.isUndefined(projectAround(directory), directory)
  })

  it("is the directory where the work tree around it is the home directory", () => {
    inside("home", ".git")
    const notes = inside("home", "notes")
    assert.strictEqual(projectAround(notes), notes)
    assert.isUndefined(projectAround(inside("home")))
  })

  it("binds a server that a host starts there, unless the host names another directory", () => {
    const plain = inside("home", "plain")
    vi.spyOn(process, "cwd").mockReturnValue(plain)
    const bound = (named?: string) => {
      const directories = projectDirectories({}, named === undefined ? {} : { CLAUDE_PROJECT_DIR: named })
      return "base" in directories ? directories.base : directories.detail
    }
    assert.deepStrictEqual([bound(), bound(""), bound(inside("other")), bound(inside("home"))], [
      plain,
      plain,
      inside("other"),
      undefined
    ])
  })

  it("may have a file for pyro if package.json has the key itself, in any spelling, and not the name alone", () => {
    const withPackage = (text: string) => {
      const directory = inside("home", "package")
      fs.writeFileSync(path.join(directory, "package.json"), text)
      return mayHaveProjectFile(directory)
    }
    for (const text of [`{"pyro":{}}`, `{"\\u0070yro":{}}`]) assert.isTrue(withPackage(text), text)
    for (const text of [`{"name":"pyro"}`, `{"dependencies":{"pyro":"1"}}`, `{"pyro":`, `[]`, `null`]) {
      assert.isFalse(withPackage(text), text)
    }
    assert.isFalse(mayHaveProjectFile(inside("home", "without")))
    fs.writeFileSync(path.join(inside("home", "toml"), "pyro.toml"), "")
    assert.isTrue(mayHaveProjectFile(inside("home", "toml")))
  })
})
