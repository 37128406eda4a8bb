import { type StoredKind, storedKind } from "../../entry/resident.ts"
import { execKind } from "../exec/resident.ts"
import { networkKind } from "../policy/policy.ts"
import { portKind } from "../port/table.ts"
import { serviceKind } from "../service/state.ts"
import { shellKind } from "../shell/resident.ts"
import { sshKind } from "../ssh/resident.ts"

/** Every kind of resident that this pyro knows. `open.ts` opens one of each kind. */
export const residentKinds: ReadonlyArray<StoredKind> = [
  storedKind(execKind),
  storedKind(networkKind),
  storedKind(portKind),
  storedKind(serviceKind),
  storedKind(shellKind),
  storedKind(sshKind)
]
