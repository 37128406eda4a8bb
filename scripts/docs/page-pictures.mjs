import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"

// Works in microVMs with the built pyro, and takes pictures of the page in Debian's Chromium: docs/images/page-*.png.

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const pictures = join(root, "docs/images")
const folder = mkdtempSync(join(tmpdir(), "pyro-pictures-"))
const project = join(folder, "greeting")
const cache = process.env.PYRO_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pyro")
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  LANG: "C.UTF-8",
  TZ: "UTC",
  PYRO_CACHE_DIR: cache,
  PYRO_STATE_DIR: join(folder, "state")
}
const pyro = (...words) =>
  execFileSync(process.execPath, [join(root, "dist/pyro.js"), ...words], {
    cwd: project,
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "ignore"]
  })
/** A command of the guest, which may fail. */
const sh = (workspace, script) =>
  spawnSync(process.execPath, [join(root, "dist/pyro.js"), "exec", workspace, "--script", script], {
    cwd: project,
    env
  })

const work = () => {
  cpSync(join(root, "examples/greeting"), project, { recursive: true })
  pyro("create", "--name", "fix", "--seed-path", ".", "--label", "task=42", "--allow-host", "npm")
  pyro("create", "--name", "docs", "--label", "task=43")
  sh("fix", "sh test.sh")
  pyro("file", "edit", "fix", "greet.sh", "--old-text", "$1\"", "--new-text", "${1:-you}!\"")
  sh("fix", "sh test.sh")
  sh("fix", "curl -s https://telemetry.example.com")
  sh("fix", "mkdir -p .vscode && echo '{}' > .vscode/tasks.json")
  pyro("snapshot", "create", "fix", "green")
  pyro(
    "service",
    "start",
    "docs",
    "web",
    "--ready-tcp",
    "8000",
    "--publish",
    "8000",
    "--",
    "python3",
    "-m",
    "http.server",
    "8000"
  )
}

/** Views, by the name of their picture. `open` prepares one. */
const views = [
  { name: "list", path: "/", ready: (page) => page.getByText("2 workspaces").waitFor() },
  {
    name: "timeline",
    path: "/w/fix",
    ready: async (page) => {
      await page.locator(".entry", { hasText: "sh test.sh" }).first().getByRole("button").click()
      await page.locator(".console").first().waitFor()
    }
  },
  { name: "review", path: "/w/fix/review", ready: (page) => page.locator("article.change").first().waitFor() }
]

try {
  mkdirSync(pictures, { recursive: true })
  mkdirSync(project)
  work()
  const { url } = JSON.parse(pyro("ui", "--json"))
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
  try {
    const page = await browser.newPage({
      viewport: { width: 1200, height: 760 },
      colorScheme: "light",
      reducedMotion: "reduce"
    })
    await page.goto(url)
    // The page has its key now.
    await page.getByRole("heading", { name: "Workspaces" }).waitFor()
    for (const { name, path, ready } of views) {
      await page.goto(new URL(path, url).href)
      await ready(page)
      // The first figures of the processor come with the second look.
      await page.waitForTimeout(2_500)
      await page.screenshot({ path: join(pictures, `page-${name}.png`) })
    }
  } finally {
    await browser.close()
  }
} finally {
  spawnSync(process.execPath, [join(root, "dist/pyro.js"), "delete", "--all", "--yes"], { cwd: root, env })
  spawnSync(process.execPath, [join(root, "dist/pyro.js"), "daemon", "stop"], { cwd: root, env })
  rmSync(folder, { recursive: true, force: true })
}
