import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

// Checks that the C trees have the style of .clang-format, or applies the style with --write. Without clang-format on the host, nothing is checked.

const root = fileURLToPath(new URL("../..", import.meta.url))
const sources = ["guest-agent/src", "guest-agent/fuzz", "guest-agent/test", "native"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => join(folder, name))
)
const how = process.argv.includes("--write") ? ["-i"] : ["--dry-run", "--Werror"]
const { error, status } = spawnSync("clang-format", [...how, ...sources], { cwd: root, stdio: "inherit" })
if (error !== undefined && error.code !== "ENOENT") throw error
process.exitCode = error === undefined ? status ?? 1 : 0
