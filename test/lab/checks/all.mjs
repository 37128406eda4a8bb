import { afterLogout, asRoot, asRootsPyro, asUser } from "./as.mjs"
import { core } from "./core.mjs"
import { onceMore } from "./emulator.mjs"
import { firecrackerStory, hasFirecracker, onDriver, refused } from "./firecracker.mjs"
import { network, outside } from "./network.mjs"
import { installed, installs, lasting, npx, removed } from "./package.mjs"
import { accelerator, onKvm, ordinaryUser, selftest, useful } from "./product.mjs"
import { rewindStory } from "./rewind.mjs"
import { storiesOn } from "./stories.mjs"

/**
 * Deadlines in seconds, ten times what an idle 2-core host needs: a translated KVM boots a guest in 8 s, a translator under a
 * translator in 100 s.
 */
const seconds = {
  npm: 600,
  kvm: { doctor: 300, run: 300, lasting: 600, story: 1800, network: 1800, selftest: 600, core: 1800 },
  tcg: { doctor: 120, refusal: 120, run: 1800, selftest: 1800 }
}

/** Every check of one machine, in order: each leaves the machine as the next one needs it. `driver` runs the VMs. */
export const allChecks = ({ driver, environment, identity, short }) => {
  const inEnvironment = (check, ...more) =>
    onceMore(onDriver(driver, (perform) => check(perform, environment, ...more)))
  const story = [
    asUser("-", "Firecracker in ~/.local/bin", 60, hasFirecracker),
    asUser(
      "KVM",
      "Firecracker: snapshot, forks, adoption, a killed one, delete",
      seconds.kvm.story,
      onceMore(onDriver("firecracker", (perform) => firecrackerStory(perform, environment)))
    ),
    ...short ? [] : [
      asUser(
        "KVM",
        "Firecracker: a rewind brings back memory, a service and a shell",
        seconds.kvm.story,
        onceMore(onDriver("firecracker", (perform) => rewindStory(perform, environment)))
      )
    ]
  ]
  return [
    ...packageChecks(short),
    ...kvmChecks({ driver, environment, identity, inEnvironment, short, story }),
    asRoot("logged out: no process and no memory of the user's VMs is left", afterLogout),
    ...rootsChecks({ driver, inEnvironment }),
    ...tcgChecks({ driver, inEnvironment, short }),
    asUser("-", "the removal of docs/install.md leaves nothing", seconds.npm, removed)
  ]
}

const packageChecks = (short) => [
  asUser("-", "an ordinary user: a login session, no root, no sudo", 60, ordinaryUser),
  asUser("-", "npm installs the package for this user", seconds.npm, installs),
  asUser("-", "logged in anew: pyro, man pyro; no compiler", seconds.npm, installed),
  ...short ? [] : [asUser("-", "npx runs the package", seconds.npm, npx)],
  asUser(
    "TCG",
    "not in the group kvm: doctor says so and how to fix it",
    seconds.tcg.doctor,
    (perform) => accelerator(perform, "TCG", /may not open \/dev\/kvm/, /usermod -aG kvm/)
  ),
  asRoot("the user joins the group kvm", "usermod -aG kvm dev")
]

/** The network by names, addresses and secrets, with a server outside. */
const networkChecks = (identity, check) => [
  asRoot("a server outside, in a network namespace", outside(identity)),
  asUser("KVM", "a granted host, denials, network set, redaction, --secret-http", seconds.kvm.network, check)
]

const kvmChecks = ({ driver, environment, identity, inEnvironment, short, story }) => [
  asUser(
    "KVM",
    "logged in anew: doctor reports KVM, its probe passed",
    seconds.kvm.doctor,
    (perform) => accelerator(perform, "KVM", /a guest kernel booted on it/)
  ),
  ...driver === "firecracker" ? story : [],
  asUser("KVM", "pyro run: both outputs, exit status", seconds.kvm.run, inEnvironment(useful)),
  asUser("KVM", "pyro doctor --selftest", seconds.kvm.selftest, onDriver(driver, selftest(driver))),
  asUser(
    "KVM",
    "a workspace with a command, and through pyro mcp serve",
    seconds.kvm.lasting,
    inEnvironment(lasting)
  ),
  ...short ? [] : networkChecks(identity, inEnvironment(network)),
  ...short ? [] : core("KVM", seconds.kvm.core, driver),
  ...short || driver === "qemu" ? [] : storiesOn(driver, seconds.kvm.story),
  // The short form has the network on Firecracker, with its story.
  ...driver === "qemu" && short
    ? [
      ...story,
      ...networkChecks(identity, onceMore(onDriver("firecracker", (perform) => network(perform, environment))))
    ]
    : []
]

/** Root's cache is a copy of the user's, whose template root need not make again. */
const rootsChecks = ({ driver, inEnvironment }) => [
  asRoot(
    "/dev/kvm is root's alone, as without udev",
    "chown root:root /dev/kvm && chmod 600 /dev/kvm && mkdir -p /root/.cache && cp -r /home/dev/.cache/pyro /root/.cache/"
  ),
  asRootsPyro(
    "doctor reports KVM, its probe passed",
    seconds.kvm.doctor,
    (perform) => accelerator(perform, "KVM", /a guest kernel booted on it/)
  ),
  asRootsPyro("pyro run as root: the guest is on KVM", seconds.kvm.run, inEnvironment(onKvm)),
  ...driver === "firecracker"
    ? [
      asRootsPyro(
        "Firecracker with a user for each microVM: snapshot, forks, adoption, a killed one, delete",
        seconds.kvm.story,
        inEnvironment(firecrackerStory)
      )
    ]
    : []
]

const tcgChecks = ({ driver, inEnvironment, short }) => [
  asRoot("nobody may open /dev/kvm any more", "chmod 0 /dev/kvm"),
  asUser(
    "TCG",
    "doctor reports TCG, and why",
    seconds.tcg.doctor,
    (perform) => accelerator(perform, "TCG", /may not open \/dev\/kvm/)
  ),
  ...driver === "firecracker" ? refusal(inEnvironment, /may not open \/dev\/kvm; join its group/) : [],
  asRoot("/dev/kvm is gone", "rm /dev/kvm"),
  asUser(
    "TCG",
    "doctor reports TCG, and why",
    seconds.tcg.doctor,
    (perform) => accelerator(perform, "TCG", /no \/dev\/kvm/)
  ),
  ...driver === "firecracker" ? refusal(inEnvironment, /this host has no \/dev\/kvm/) : [],
  ...short ? [] : [
    asUser(
      "TCG",
      "pyro run --driver qemu: both outputs, exit status",
      seconds.tcg.run,
      inEnvironment(useful, "--driver qemu")
    ),
    ...driver === "qemu" ? [asUser("TCG", "pyro doctor --selftest", seconds.tcg.selftest, selftest(driver))] : [],
    asRoot("logged out: no process and no memory of the user's VMs is left", afterLogout)
  ]
]

const refusal = (inEnvironment, reason) => [
  asUser("TCG", "Firecracker is refused, and why", seconds.tcg.refusal, inEnvironment(refused, reason))
]
