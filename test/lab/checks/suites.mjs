import { afterLogout, asRoot, asUser } from "./as.mjs"
import { ordinaryUser } from "./product.mjs"
import { vitest } from "./vitest.mjs"

/**
 * What an ordinary user can run of the suites of network and secrets. Needs root: the network device (`tap`), and a guest agent outside
 * a microVM that steers (BPF). Needs registries: package-cache, dependencies, secret-http-clients. Unit tests depend on neither.
 */
const files = [
  ["-", "network", ["test/network/dial.test.ts", "test/network/proxy.test.ts"]],
  ["-", "agent", ["test/agent/network.test.ts", "test/agent/secrets.test.ts"]],
  ["KVM", "guest", ["test/guest/network.test.ts"]],
  ["KVM", "guest", ["test/guest/network-steering.test.ts"]],
  ["KVM", "guest", ["test/guest/network-untrusted.test.ts"]],
  ["KVM", "guest", ["test/guest/secret-http.test.ts"]],
  ["KVM", "guest", ["test/guest/workspace-secrets.test.ts"]]
]

const seconds = 3600

/** The suites of network and secrets as an ordinary user, in guests on KVM. */
export const suites = () => [
  asUser("-", "an ordinary user: a login session, no root, no sudo", 60, ordinaryUser),
  asRoot("the user joins the group kvm", "usermod -aG kvm dev"),
  ...files.map(([accelerator, project, names]) =>
    asUser(accelerator, names.join(", "), seconds, vitest(project, names))
  ),
  asRoot("logged out: no process and no memory of the user's VMs is left", afterLogout)
]
