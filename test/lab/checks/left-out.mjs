import { readdirSync } from "node:fs"
import { join } from "node:path"

const registries = {
  files: [
    ...["agent-inside", "dependencies", "environment", "environment-kernel", "environment-own", "environment-releases"],
    ...["package-cache", "secret-http-clients"]
  ],
  reason: "they need registries, and the machine has no network"
}

/** Files of test/guest that the suites of a driver leave out for a reason of their own. */
const groups = {
  qemu: [
    registries
  ],
  firecracker: [
    registries,
    { files: ["workspace-disk", "workspace-flatten"], reason: "they look at layers of qcow2; Firecracker has none" },
    {
      files: ["attach", "pool", "trouble", "workspace-faults-qemu", "workspace-silent"],
      reason: "they stop, kill or replace the program QEMU"
    },
    { files: ["workspace-faults-memory"], reason: "it fills a memory store, and Firecracker's memory is on the disk" },
    {
      files: [
        ...["capture", "demo", "docs", "examples", "first-run", "mcp-first-run", "run", "sdk-first-run", "vm-disks"],
        "workspace-attach"
      ],
      reason: "`npm run lab -- --driver firecracker` runs them"
    }
  ]
}

/** Tests elsewhere that the suites leave out. */
const elsewhere = {
  qemu: [
    "test/agent/network-*, lifecycle-network, most of network: outside a microVM only root may load the BPF program that steers",
    "test/unit: neither the user nor KVM matters"
  ],
  firecracker: [
    "test/soak, but for services, shells, ports, tries and the crashes of rewinds: hours in this machine; docs/firecracker.md names what ran by hand",
    "test/unit, test/agent, test/network, test/cli, test/mcp, test/daemon: no microVM, or one of QEMU"
  ]
}

const restOf = {
  qemu: "they have nothing to do with network or secrets; `npm test` runs them",
  firecracker: "commands, files, diffs and other code above the drivers; `npm test` runs them on QEMU"
}

/**
 * Lines that name what the suites of a driver leave out, with the reason: each file of test/guest in `root` that is not in `run`, and what is
 * elsewhere. Throws if a list has become wrong.
 */
export const leftOut = (root, driver, run) => {
  const all = readdirSync(join(root, "test/guest")).flatMap((name) => name.match(/^(.*)\.test\.ts$/)?.[1] ?? [])
  const named = groups[driver].flatMap(({ files }) => files)
  const wrong = named.filter((name) => !all.includes(name) || run.includes(`test/guest/${name}.test.ts`))
  if (wrong.length > 0) throw new Error(`test/lab/checks/left-out.mjs: not left out, or no file: ${wrong.join(", ")}`)
  const rest = all.filter((name) => !named.includes(name) && !run.includes(`test/guest/${name}.test.ts`))
  return [
    ...[...groups[driver], { files: rest, reason: restOf[driver] }].map(({ files, reason }) =>
      `test/guest: ${files.join(", ")}: ${reason}`
    ),
    ...elsewhere[driver]
  ]
}
