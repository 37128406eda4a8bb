import { assert, describe, it } from "@effect/vitest"
import { executableConfig } from "../../../../../src/contract/text/executable-config.ts"
import { hostOutput } from "../../../../../src/lib/exporting/host-output.ts"
import { LinkBudget, linkProblem } from "../../../../../src/lib/exporting/links.ts"
import { isGitName, isPlainPath, raw } from "../../../../../src/system/files/folded-name.ts"
import { guestPath } from "../../../../../src/workspace/content/export/guest-path.ts"

const utf8 = (text: string) => raw(Buffer.from(text, "utf8"))

describe("names of an export", () => {
  it("names that some file system takes for .git are refused in every spelling", () => {
    const git = [
      ".git",
      ".GIT",
      ".Git",
      ".git ",
      ".git. .",
      ".git::$INDEX_ALLOCATION",
      ".git:stream",
      "git~1",
      "GIT~1",
      "git~1. ",
      ".git\\config",
      "a\\.git\\config",
      ".g\u200cit",
      "\u200e.git",
      ".gi\u202et",
      ".git\ufeff",
      ".\u206fGIT\u200d. "
    ]
    for (const name of git) assert.isTrue(isGitName(utf8(name)), JSON.stringify(name))
    for (
      const name of ["git", ".gitignore", ".github", "git~2", ".git2", "x.git", "a.git b", ".gít", "g\u200cit", ".gi"]
    ) {
      assert.isFalse(isGitName(utf8(name)), JSON.stringify(name))
    }
  })

  it("names of an export cannot lead elsewhere", () => {
    for (const path of ["a", "a/b", ".a", "..a", "a..", "...", "\xff\n", "x".repeat(255)]) {
      assert.isTrue(isPlainPath(path), path)
    }
    for (const path of ["", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/./b", "a\0b", "x".repeat(256)]) {
      assert.isFalse(isPlainPath(path), JSON.stringify(path))
    }
  })

  it("names of files that host tools execute are found at any depth, in any spelling", () => {
    const executed = [
      ".vscode/tasks.json",
      "sub/.VSCode/settings.json",
      ".vscode. /tasks.json",
      ".vs\u200ccode/tasks.json",
      ".idea/workspace.xml",
      "x.code-workspace",
      ".claude/settings.json",
      ".mcp.json",
      ".cursor/mcp.json",
      ".codex/config.toml",
      ".envrc",
      "a/b/.envrc",
      ".husky/pre-commit",
      ".pre-commit-config.yaml",
      ".npmrc",
      ".yarnrc.yml",
      ".yarn/releases/yarn.cjs",
      "pip.conf",
      ".devcontainer/devcontainer.json",
      ".devcontainer.json",
      ".config/fish/config.fish",
      ".github/hooks/h.json",
      ".cargo/config.toml",
      ".hg/hgrc",
      ".Rprofile",
      ".gitconfig",
      "dir\\.vscode\\tasks.json",
      ".env",
      "app/.ENV",
      ".env.local",
      ".env.production.local",
      ".env.example.local",
      ".env/bin/activate",
      ".flaskenv",
      ".clinerules/hooks/PreToolUse",
      ".kilo/kilo.jsonc",
      ".kilocode/mcp.json",
      "kilo.jsonc",
      ".pi/extensions/x.ts",
      ".vibe/config.toml",
      ".openhands/setup.sh",
      ".aider.conf.yml",
      ".github/extensions/x/extension.mjs",
      ".github/copilot/settings.json",
      ".tool-versions",
      "rust-toolchain.toml",
      ".mise.dev.toml",
      "pnpm-workspace.yaml",
      "x.sublime-project",
      ".bazelversion",
      ".bsp/sbt.json",
      ".rust-analyzer.toml",
      "hk.pkl",
      "_darcs/prefs/defaults",
      "fixtures/bare.git/config",
      "fixtures/Bare.GIT/hooks/post-checkout"
    ]
    for (const path of executed) assert.isString(executableConfig(utf8(path)), path)
    const harmless = [
      "Makefile",
      "package.json",
      "src/vscode/a.ts",
      ".gitignore",
      ".gitattributes",
      ".gitmodules",
      ".github/workflows/ci.yml",
      ".config/other/x",
      "AGENTS.md",
      "CLAUDE.md",
      "GEMINI.md",
      ".cursorrules",
      ".github/copilot-instructions.md",
      ".env.example",
      ".env.sample",
      "deploy/.env.template",
      ".nvmrc",
      ".python-version",
      "env",
      "env.local",
      "mise/README.md",
      "config/fish",
      ".editorconfig",
      "vscode",
      "envrc",
      "app/config",
      "fixtures/bare.git/description",
      "bsp/sbt.json"
    ]
    for (const path of harmless) assert.isUndefined(executableConfig(utf8(path)), path)
  })

  it("paths of the guest must be beneath /workspace", () => {
    for (
      const [asked, path] of [
        ["a/b", "a/b"],
        ["/workspace/a", "a"],
        ["/workspace", ""],
        ["", ""],
        [".", ""],
        ["./a//b/", "a/b"],
        ["\"a\\377\\n\"", "a\xff\n"],
        ["é", "\xc3\xa9"]
      ] as const
    ) {
      assert.strictEqual(guestPath(asked), path)
    }
    for (
      const asked of ["/etc/passwd", "/", "../a", "a/../../b", "/workspace/../etc", "/workspacex", "\"", "\"a\\000\""]
    ) {
      const refused = guestPath(asked)
      assert.strictEqual(typeof refused === "string" ? refused : refused.reason, "outside", asked)
    }
  })

  it("paths of an output must be absolute, outside of git directories, and within the project", () => {
    const tagOf = (output: string, within?: string) => hostOutput(output, within)._tag
    assert.strictEqual(tagOf("-"), "stdout")
    for (const output of ["", "out", "./out", "/", "/a/..", "/a/."]) {
      assert.strictEqual(tagOf(output), "InvalidRequest", output)
    }
    for (const output of ["/r/.git/hooks/pre-commit", "/r/.GIT/x", "/r/git~1"]) {
      assert.strictEqual(tagOf(output), "ExportRefused", output)
    }
    for (const output of ["/other/x", "/project", "/projects/x"]) {
      assert.strictEqual(tagOf(output, "/project"), "ExportRefused", output)
    }
    assert.deepInclude(hostOutput("/project/a/b/", "/project/"), {
      parent: "a",
      name: "b",
      asDirectory: true,
      within: "/project",
      tail: "a/b"
    })
    assert.deepInclude(hostOutput("/project/b", "/project"), { parent: ".", name: "b" })
    assert.deepInclude(hostOutput("/b", undefined), { parent: "/", name: "b", asDirectory: false })
    assert.deepInclude(hostOutput("/w/x/y/z", undefined), { parent: "/w/x/y", name: "z", tail: "x/y/z" })
  })
})

describe("a link of an export", () => {
  const tree = new Map<string, { type: string; target?: string }>([
    ["", { type: "directory" }],
    ["d", { type: "directory" }],
    ["d/e", { type: "directory" }],
    ["d/e/file", { type: "file" }],
    ["file", { type: "file" }],
    ["deep", { type: "symlink", target: "d/e" }],
    ["d/back", { type: "symlink", target: "../file" }],
    ["out", { type: "symlink", target: "../secret" }],
    ["absolute", { type: "symlink", target: "/etc" }],
    ["loop", { type: "symlink", target: "loop" }],
    ["x", { type: "symlink", target: "y/y/y/y/y/y/y/y/y/y/y/y/y/y/y/y" }],
    ["y", { type: "symlink", target: "x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x" }]
  ])
  const problem = (path: string, target: string) => linkProblem(tree, path, target, new LinkBudget())

  it("a link that ends inside the export is kept", () => {
    for (
      const [path, target] of [
        ["l", "file"],
        ["l", "./d//e/"],
        ["d/l", "../d/e/file"],
        ["d/l", ".."],
        ["d/e/l", "../../file"],
        ["l", "deep/file"],
        ["l", "d/back"],
        ["d/e/l", ".././../deep"],
        ["d/l", "."]
      ] as const
    ) {
      assert.isUndefined(problem(path, target), `${path} -> ${target}`)
    }
  })

  it("a link with .. after a name is left out", () => {
    for (
      const target of ["deep/../e/file", "deep/../../file", "d/../file", "./d//../file", "../d/e/../e/file", "d/e/.."]
    ) {
      assert.include(problem("d/l", target) ?? "", ".. after a name", target)
    }
  })

  it("a link that leads out, to nothing, or nowhere is left out", () => {
    for (
      const [path, target] of [
        ["l", "../x"],
        ["l", "/etc/passwd"],
        ["l", "d/../../x"],
        // As text this stays inside; followed, it does not.
        ["l", "deep/../../../x"],
        ["l", "out"],
        ["l", "absolute/passwd"],
        ["l", "missing"],
        ["l", "file/x"],
        ["l", "loop"],
        ["l", "x"],
        ["l", ""],
        ["l", `${"d/../".repeat(300)}file`]
      ] as const
    ) {
      assert.isString(problem(path, target), `${path} -> ${target}`)
    }
  })
})
