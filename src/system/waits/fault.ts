import { processEnvironment } from "../settings/config.ts"

/**
 * A point for fault injection. If `PYRO_FAULT` names it, the process kills itself there, like a power cut. If `PYRO_FAULT_HALT` names it,
 * the process stops until a test that has changed something continues it (SIGCONT). The fault-injection tests visit every point.
 */
export const faultPoint = (name: string): void => {
  const { PYRO_FAULT, PYRO_FAULT_HALT } = processEnvironment()
  if (PYRO_FAULT === name) process.kill(process.pid, "SIGKILL")
  if (PYRO_FAULT_HALT === name) process.kill(process.pid, "SIGSTOP")
}
