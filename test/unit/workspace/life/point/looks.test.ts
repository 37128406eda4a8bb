import fc from "fast-check"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { runsGitAlone } from "../../../../../src/workspace/life/points/git-looks.ts"
import { gitUseOf, isLook } from "../../../../../src/workspace/life/points/looks.ts"
import { isSteered } from "../../../../../src/workspace/residents/program/variables.ts"

const shell = (text: string) => ["/bin/sh", "-c", text]

/** Looks, one of each program that reads. */
const LOOKS = [
  "cat a",
  "cd src",
  "df -h",
  "du -sh .",
  "file a",
  "git status",
  "git diff --stat",
  "git log --oneline",
  "git ls-files -o",
  "git rev-parse HEAD",
  "git show",
  "grep -rn one .",
  "head -3 a",
  "ls -la",
  "ps aux",
  "pwd",
  "stat a",
  "tail -n 2 a",
  "tree -a",
  "wc -l a",
  "which node"
]

describe("commands that are looks by their words", () => {
  it("programs that read are looks, alone and in a line of a shell", () => {
    for (
      const command of [
        ...LOOKS.map((look) => look.split(" ")),
        ...LOOKS.map(shell),
        shell(LOOKS.join(" && ")),
        ["git", "-C", "packages/a", "--no-pager", "diff"],
        ["git", "--no-pager", "log"],
        ["sh", "-ec", "cd src && ls *.ts | head -3; git diff --stat"],
        ["/bin/bash", "-lc", "grep -rn 'one; two' \"a b\" ."]
      ]
    ) assert.isTrue(isLook({ command }), command.join(" "))
  })

  it("what writes, or may, is none", () => {
    for (
      const command of [
        [],
        ["rm", "-f", "b"],
        ["git", "commit"],
        ["git", "diff", "--output=x"],
        ["git", "diff", "--outp=x"],
        ["git", "log", "--output", "x"],
        ["git", "show", "--ext-diff"],
        ["git", "show", "--show-signature"],
        ["git", "log", "--format=%h %G?"],
        ["git", "diff", "--help"],
        ["git", "-c", "core.fsmonitor=./x", "status"],
        ["git", "-C", ".", "-c", "core.fsmonitor=./x", "status"],
        ["git", "--exec-path=.", "status"],
        ["git", "branch", "x"],
        ["git", "config", "a.b", "c"],
        ["git", "stash"],
        ["tree", "-o", "list"],
        ["tree", "-ao", "list"],
        ["tree", "-a-o", "list"],
        ["tree", "-aRL", "1"],
        ["file", "-C", "-m", "magic"],
        ["file", "-bC"],
        ["file", "--compile"],
        ["find", ".", "-delete"],
        ["find", ".", "-exec", "rm", "x", ";"],
        ["find", ".", "-fprint", "x"],
        ["sort", "-o", "x", "x"],
        ["sed", "-i", "s/a/b/", "x"],
        ["tee", "x"],
        ["env", "X=1", "rm", "b"],
        ["xargs", "rm"],
        ["awk", "BEGIN { print > \"x\" }"],
        ["sh", "script.sh"],
        ["sh", "-c", "ls", "name", "argument"],
        ["./ls"],
        ["sh", "-c", `ls ${"a".repeat(100)}…`],
        ["sh", "-c", "ls", "…"],
        ...[
          "ls > list",
          "ls 2>list",
          "ls $(touch x)",
          "ls `touch x`",
          "cat <(touch x)",
          "ls; rm b",
          "ls\nrm b",
          "ls & make",
          "ls &",
          "ls | tee x",
          "ls | xargs rm",
          "ls || rm b",
          "X=1 ls",
          "! ls",
          "if ls; then rm b; fi",
          "ls() { rm b; }",
          "alias ls=rm",
          "eval ls",
          "exec rm b",
          ". ./ls",
          "tree \"-o\" list",
          "tree \"a; cat\" -o list",
          "tree *",
          "file [-]C",
          "git diff '--output=x'",
          "git diff --out''put=x",
          "git diff *",
          "ls # it's\nrm b\n# it's",
          "ls 'a"
        ].map(shell)
      ]
    ) assert.isFalse(isLook({ command }), command.join(" "))
  })

  it("a command with variables or a terminal is none, whatever its words", () => {
    for (const command of LOOKS.map((look) => look.split(" "))) {
      assert.isFalse(isLook({ command, variables: true }), command.join(" "))
      assert.isFalse(isLook({ command, tty: true }), command.join(" "))
    }
  })

  it("variables of a caller count, and those of a workspace by which git, shells or the loader do more", () => {
    for (const own of ["GIT_TRACE", "GIT_EXTERNAL_DIFF", "LD_PRELOAD", "BASH_ENV", "ENV"]) {
      assert.isTrue(isSteered({}, { [own]: "x" }), own)
    }
    assert.isTrue(isSteered({ env: { ANY: "x" } }))
    assert.isTrue(isSteered({ secretEnv: ["TOKEN"] }))
    assert.isFalse(isSteered({ env: {}, secretEnv: [] }, { PATH: "/bin", NODE_ENV: "test", LANG: "C" }))
  })

  const beyond = fc.constantFrom(
    ">",
    ">>",
    "<",
    "2>",
    "&>",
    "`",
    "$(",
    "${x}",
    "$x",
    "<(",
    "(",
    ")",
    "{",
    "}",
    "\\",
    " & "
  )

  it("no look has a redirection, a substitution or a group anywhere, also between quotes", () => {
    fc.assert(fc.property(
      fc.array(fc.constantFrom(...LOOKS), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(" && ", "; ", " | ", "\n"),
      beyond,
      fc.constantFrom("", "\"", "'"),
      fc.nat(),
      (looks, separator, more, quote, at) => {
        const text = looks.join(separator)
        const place = at % (text.length + 1)
        const added = quote + more + quote
        const whole = text.slice(0, place) + added + text.slice(place)
        if (more === " & " && quote !== "") return
        assert.isFalse(isLook({ command: shell(whole) }), whole)
      }
    ))
  })

  it("a shell that runs the words of a look calls programs that read alone, with no option that writes", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "looks-"))
    const log = path.join(folder, "log")
    const programs = path.join(folder, "bin")
    fs.mkdirSync(programs)
    // Each program notes its name and its arguments, one a line.
    const names = [...new Set(LOOKS.map((look) => look.split(" ")[0]!)), "rm"].filter((name) =>
      !["cd", "pwd"].includes(name)
    )
    for (const name of names) {
      fs.writeFileSync(
        path.join(programs, name),
        `#!/bin/sh\n{ printf '%s' "${name}"; for word; do printf ' %s' "$word" ; done; echo; } | tr '\\n' ' ' >>"$LOG"; echo >>"$LOG"\n`,
        { mode: 0o755 }
      )
    }
    const inside = path.join(folder, "in")
    fs.mkdirSync(inside)
    for (const name of ["-o", "-C", "--output=x", "a"]) fs.writeFileSync(path.join(inside, name), "")
    const piece = fc.constantFrom(
      "ls",
      "tree",
      "file",
      "git",
      "diff",
      "cat",
      "rm",
      "b",
      "-o",
      "-C",
      "--output=x",
      "--out",
      "put=x",
      "*",
      "[-]*",
      "?*",
      "'",
      "\"",
      "#",
      ";",
      "\n",
      "|",
      "&&",
      "&",
      " ",
      " ",
      " ",
      "\t",
      "a"
    )
    const looks = fc.sample(fc.array(piece, { minLength: 1, maxLength: 9 }), 30_000)
      .map((pieces) => pieces.join(""))
      .filter((text) => isLook({ command: shell(text) }))
    const chosen = [...new Set(looks)].slice(0, 150)
    assert.isAbove(chosen.length, 100)
    for (const text of chosen) {
      fs.writeFileSync(log, "")
      try {
        execFileSync("/bin/sh", ["-c", text], {
          cwd: inside,
          env: { PATH: `${programs}:/usr/bin:/bin`, LOG: log },
          stdio: ["ignore", "ignore", "ignore"]
        })
      } catch {
        // A word of the text may be no program, and then nothing runs.
      }
      for (const call of fs.readFileSync(log, "utf8").split("\n")) {
        assert.notMatch(
          call,
          /^rm|^tree.* -\S*[oR]|^file.* -(?!-)\S*C|^file.* --c|^git.* --ou/,
          `${JSON.stringify(text)} ran ${call}`
        )
      }
    }
    assert.deepStrictEqual(fs.readdirSync(inside).sort(), ["--output=x", "-C", "-o", "a"])
    fs.rmSync(folder, { recursive: true })
  })
})

describe("where a look runs git", () => {
  it("the directories are those of -C and cd, also if cd may have failed", () => {
    assert.deepStrictEqual(gitUseOf({ command: ["ls"] }), { shell: undefined, directories: [] })
    assert.deepStrictEqual(gitUseOf({ command: ["git", "--no-pager", "-C", "a", "-C", "/b", "log"] })?.directories, [[
      "a",
      "/b"
    ]])
    assert.deepStrictEqual(gitUseOf({ command: ["bash", "-lc", "git status; cd a && git -C b diff | head"] }), {
      shell: ["bash", "-lc"],
      directories: [[], ["b"], ["a", "b"]]
    })
  })

  it("a directory that the words do not name is not known", () => {
    for (
      const text of [
        "cd; git log",
        "cd - && git log",
        "cd ~/a && git log",
        "cd a*; git log",
        "cd a; cd b; git log",
        "git -C ~ log"
      ]
    ) {
      assert.isUndefined(gitUseOf({ command: shell(text) }), text)
    }
    assert.deepStrictEqual(gitUseOf({ command: shell("cd; ls") })?.directories, [])
  })
})

describe("what the guest's git says about its settings", () => {
  const answer = (...settings: ReadonlyArray<string>) =>
    `a profile\0pyro-git-begin\0${settings.map((one) => `${one}\0`).join("")}\0pyro-git-end\0`

  it("no setting, settings that are off, and those of Git LFS run no other program", () => {
    for (
      const settings of [
        [],
        ["core.fsmonitor\nfalse"],
        ["log.showsignature\nno", "remote.origin.promisor\n0"],
        ["filter.lfs.clean\ngit-lfs clean -- %f", "filter.lfs.process\ngit-lfs filter-process"]
      ]
    ) assert.isTrue(runsGitAlone(answer(...settings)), settings.join())
  })

  it("each other setting does, and so does an answer that is cut or forged before its begin", () => {
    for (
      const text of [
        answer("diff.x.textconv\n./x"),
        answer("core.fsmonitor"),
        answer("filter.lfs.clean\n./x"),
        answer("diff.external\n"),
        answer("core.fsmonitor\nfalse", "hook.x.command\n./x"),
        answer().slice(0, -15),
        `${answer()}pyro-git-begin\0`,
        ""
      ]
    ) assert.isFalse(runsGitAlone(text), JSON.stringify(text))
  })
})
