import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

// Keeps the worked change of CONTRIBUTING.md applicable to the sources of this repository, or of a directory in the argument: writes the
// change anew if lines beside its hunks have changed. With --check it only reports the change. Ends with status 1 if `git apply` refuses.

const PAGE = "CONTRIBUTING.md"
const DIFF = /^```diff\n([\s\S]*?)^```$/m

/** git in `folder`, without the user's settings. */
const gitIn = (folder) => (args, input = "") => {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_DIR: join(folder, ".git")
  }
  const { error, status, stderr, stdout } = spawnSync("git", args, { cwd: folder, env, input, encoding: "utf8" })
  if (error !== undefined) throw error
  return { ok: status === 0, stderr, stdout }
}

const copyChanged = (root, diff, folder) => {
  for (const [, name] of diff.matchAll(/^diff --git a\/(\S+) b\//gm)) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name))
  }
}

/** The diff itself if it applies, else the same change beside the present lines. */
const applicable = (root, diff) => {
  const folder = mkdtempSync(join(tmpdir(), "pyro-worked-change-"))
  try {
    const git = gitIn(folder)
    copyChanged(root, diff, folder)
    git(["init", "-q"])
    git(["add", "-A"])
    if (git(["apply", "--check"], diff).ok) return { diff }
    // One equal line on each side of a hunk suffices.
    const { ok, stderr } = git(["apply", "-C1"], diff)
    if (!ok) return { problem: stderr }
    git(["add", "-AN"])
    return { diff: git(["diff"]).stdout.replace(/^index .*\n/gm, "") }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const isCheck = process.argv.includes("--check")
const root = resolve(
  process.argv.slice(2).find((word) => word !== "--check") ?? join(dirname(fileURLToPath(import.meta.url)), "../..")
)
const page = readFileSync(join(root, PAGE), "utf8")
const [, written] = DIFF.exec(page)
const { diff, problem } = applicable(root, written)

const fail = (line) => {
  process.stderr.write(`${line}\n`)
  process.exitCode = 1
}
if (problem !== undefined) {
  fail(`The worked change of ${PAGE} does not apply to the sources. Write its hunk anew:\n${problem.trimEnd()}`)
} else if (diff !== written && isCheck) {
  fail(`The worked change of ${PAGE} is out of step; write it anew with: node scripts/docs.mjs`)
} else if (diff !== written) writeFileSync(join(root, PAGE), page.replace(DIFF, () => `\`\`\`diff\n${diff}\`\`\``))
