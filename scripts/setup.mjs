import { arm64Client } from "./setup/arm64-client.mjs"
import { bundle } from "./setup/bundle.mjs"
import { compiled } from "./setup/compiled.mjs"
import { environment } from "./setup/environment.mjs"
import { hostPackages } from "./setup/host-packages.mjs"
import { alone } from "./setup/lock.mjs"
import { adapters, nodeModules, otherNodes } from "./setup/node-modules.mjs"
import { opensshServer } from "./setup/openssh-server.mjs"
import * as packages from "./setup/packages.mjs"
import { guestPython } from "./setup/python.mjs"

const product = [
  compiled({ folder: "guest-agent", targets: ["all"], title: "compiling the guest agent (5 s)" }),
  compiled({ folder: "native", targets: ["all"], title: "compiling the host's tools (5 s)" }),
  bundle
]
const testBuilds = [
  compiled({
    folder: "guest-agent",
    targets: ["sanitized"],
    title: "compiling the sanitizer build of the guest agent (10 s)"
  }),
  compiled({
    folder: "native",
    targets: ["sanitized"],
    title: "compiling the sanitizer builds of the host's tools (10 s)"
  }),
  compiled({
    folder: "test/fixtures/hostile-agent",
    targets: ["all"],
    title: "compiling the tests' hostile agent (1 s)"
  })
]

const bench = [
  hostPackages([...packages.toRun, ...packages.toBench]),
  nodeModules,
  ...product,
  opensshServer,
  environment("debian:12")
]

const testTools = [
  hostPackages([...packages.toRun, ...packages.toTest, ...packages.toBrowse]),
  nodeModules,
  ...product,
  ...testBuilds,
  opensshServer,
  guestPython
]

const test = [
  ...testTools,
  environment("debian:12"),
  // The guest tests that need it run in a network without Debian.
  environment("debian:12-build")
]

/** Use cases need what their pages need, and namespaces that stand for networks. */
const smoke = [
  hostPackages([...packages.toRun, ...packages.toTest]),
  nodeModules,
  ...product,
  environment("debian:12"),
  environment("debian:12-build")
]

/** Parts that each script needs, in build order. */
const needs = {
  node: [nodeModules],
  otherNodes: [otherNodes],
  start: [hostPackages(packages.toRun), nodeModules, ...product, environment("debian:12")],
  pack: [hostPackages(packages.toRun), nodeModules, ...product],
  testTools,
  test,
  frameworks: [...test, adapters],
  smoke,
  projects: test,
  arm64Client: [...test, arm64Client],
  bench,
  lab: bench,
  labSuites: [
    hostPackages([...packages.toRun, ...packages.toBench, ...packages.toTest]),
    nodeModules,
    ...product,
    ...testBuilds
  ],
  check: [hostPackages([...packages.toRun, ...packages.toTest, ...packages.toCheck]), nodeModules, guestPython],
  python: [hostPackages(packages.toRunPython), guestPython]
}

/** Makes everything that `purpose` needs: idempotent, silent if everything is up to date, and safe to run from several terminals. */
export const setUp = async (purpose) => {
  // Parts build on one another, so a later part is checked after the earlier ones are made.
  const makeFrom = async (index) => {
    for (const part of needs[purpose].slice(index)) {
      const work = await part.pending()
      await work?.()
    }
  }
  for (const [index, part] of needs[purpose].entries()) {
    if (await part.pending() !== undefined) return alone(() => makeFrom(index))
  }
}
