import { Effect, type Scope } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { Dialler } from "../../../lib/network/Dialler.ts"
import { logLimits } from "../../../lib/output-log/store.ts"
import type { SecretRegistry } from "../../../lib/redaction/secrets.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { EventLog } from "../../entry/events.ts"
import type { PortHolders } from "../../entry/port-holders.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import { listed, makeResidents, type Residents } from "../../entry/resident-list.ts"
import { type Commands, openCommands } from "../exec/command-registry.ts"
import { execKind, execResident } from "../exec/resident.ts"
import { type HeaderSecrets, openHeaderSecrets } from "../header-secret/header-secrets.ts"
import { type Network, networkResident, openNetwork } from "../network/network.ts"
import { type Granted, imageRegistriesOf, networkKind } from "../policy/policy.ts"
import { openPorts, portResident, type Ports } from "../port/ports.ts"
import { portKind } from "../port/table.ts"
import type { CommandDefaults } from "../program/command-defaults.ts"
import { openSecrets, type WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import { serviceResident } from "../service/resident.ts"
import { openServices, type Services } from "../service/services.ts"
import { serviceKind } from "../service/state.ts"
import { shellKind, shellResident } from "../shell/resident.ts"
import { makeShells, type Shells } from "../shell/shells.ts"
import { type AgentLoan, makeAgentLoan } from "../ssh/agent.ts"
import { makeSsh, type Ssh } from "../ssh/connections.ts"
import { makeLastingAgent } from "../ssh/lasting-agent.ts"
import type { LoanSource } from "../ssh/loan-source.ts"
import { sshKind, sshResident } from "../ssh/resident.ts"

/** The residents of a workspace. The operations of one kind, such as exec and logs, use that kind by name. The lifecycle does not. */
export interface OpenResidents extends Residents {
  readonly commands: Commands
  readonly secrets: WorkspaceSecrets
  readonly headerSecrets: HeaderSecrets
  readonly network: Network
  readonly ports: Ports
  readonly shells: Shells
  readonly services: Services
  readonly ssh: Ssh
  readonly agentLoan: AgentLoan
}

/** Services that the residents of a workspace take. */
export type ResidentServices = Dialler | EventLog | SecretRegistry | Paths | PortHolders

/** Opens every resident of a workspace, with the grant of its record. The residents close with the Scope. */
export const openResidents = (
  folder: WorkspaceFolder,
  recorded: Granted | undefined,
  defaults: Effect.Effect<CommandDefaults>,
  loan: LoanSource,
  /** Present name of the workspace, or its id without one. */
  named: () => string,
  /** Brings back the VM of a paused workspace. */
  wake: Effect.Effect<void>
): Effect.Effect<
  OpenResidents,
  NoSpace | StateDirectoryUnusable,
  ResidentServices | Scope.Scope
> =>
  Effect.gen(function*() {
    const { directory } = folder
    const { record } = yield* EventLog
    const secrets = yield* openSecrets(directory)
    const headerSecrets = yield* openHeaderSecrets(directory, secrets, imageRegistriesOf(recorded))
    const network = yield* openNetwork(directory, headerSecrets, recorded, named)
    const lasting = yield* makeLastingAgent(loan, (event) => record(directory, event))
    const agentLoan = makeAgentLoan((event) => record(directory, event), lasting)
    const commands = yield* openCommands(
      folder,
      logLimits,
      secrets,
      [headerSecrets.variables, network.prepareClients, () => agentLoan.variables],
      defaults
    )
    const ports = yield* openPorts(directory, network, wake)
    const shells = yield* acquirePlain(
      Effect.sync(() => makeShells(commands, (event) => record(directory, event))),
      // Their timers would keep this process alive.
      ({ renderings }) => renderings.clear()
    )
    const services = yield* openServices(directory, commands, ports)
    const ssh = yield* makeSsh(folder, (event) => record(directory, event))
    return {
      ...makeResidents([
        listed(execKind, directory, execResident(commands)),
        listed(networkKind, directory, networkResident(network)),
        listed(portKind, directory, portResident(ports)),
        // Before services, which may use a lent agent.
        listed(sshKind, directory, sshResident(ssh, agentLoan)),
        listed(serviceKind, directory, serviceResident(services)),
        listed(shellKind, directory, shellResident(shells))
      ]),
      agentLoan,
      commands,
      headerSecrets,
      network,
      ports,
      secrets,
      services,
      shells,
      ssh
    }
  })
